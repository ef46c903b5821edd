/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_JOBS_H
#define SERVER_STORE_JOBS_H

#include "server/model/job.h"
#include "server/store/store.h"

/* Functions return 0 or the ERR_ values of store.h. */

/**
 * Stores a new job: all of @job but number, state and attempt, which it sets.
 * Its key=value strings are those of @details.
 * ERR_REFUSED: the device has an open job, or is not there.
 */
int job_add(struct store *store, struct job *job, const struct details *details);

/** The same as job_add() for a job that has an origin. */
int job_add_of(struct store *store, struct job *job, const struct details *details,
                const struct origin *origin);

/** Reads the origin of a job. */
int job_origin(struct store *store, uint64_t number, struct origin *origin);

/** Reads a job by its number. */
int job_by_number(struct store *store, uint64_t number, struct job *job);

/** Reads the newest job of a device, ended or not. Open ones are always the newest. */
int job_newest(struct store *store, uint64_t device, struct job *job);

/** Reads the key=value strings of a job into @details. */
int job_details(struct store *store, uint64_t number, struct details *details);

/** Stores what may change of a job: state, attempt, times, reason, whether it was given up. */
int job_update(struct store *store, const struct job *job);

/** Notes that the job's last attempt is that of the boot with @nonce. */
int job_accepted(struct store *store, const struct job *job,
                  const uint8_t nonce[NONCE_SIZE]);

/** Finds which attempt is that of the boot with @nonce; 0: none. */
int job_attempt_of(struct store *store, uint64_t number, const uint8_t nonce[NONCE_SIZE],
                    uint32_t *attempt);

/** Reads jobs that should have ended by @now, at most @most. @found: receives how many */
int job_list_overdue(struct store *store, int64_t now, struct job *jobs, size_t most,
                 size_t *found);

#define JOB_HOURLY 12 /* jobs that a device may get by itself within an hour */

/** Says in @many whether the device has been given that many jobs since @since. */
int job_many(struct store *store, uint64_t device, int64_t since, bool *many);

/**
 * Deletes jobs that ended before @before, with their offers, and that nothing is decided by:
 * not the newest of a device, nor the newest of what it had from one source or of one bundle. It
 * looks at @span numbers behind @after.
 * @end: receives whether these were the last
 */
int job_prune(struct store *store, uint64_t after, uint64_t span, int64_t before, bool *end);

/** Starts a list of jobs, newest first; @device 0: of all. Take each with job_row(). */
int job_list(struct store *store, uint64_t device, bool only_open, struct store_rows **rows);
void job_row(struct store_rows *row, struct job *job);

/** Reads the highest number that a job ever had; 0: there was none. */
int job_last_number(struct store *store, uint64_t *number);
/** Has new jobs get numbers above @number, too. */
int job_raise_last_number(struct store *store, uint64_t number);

/** Starts a list of a job's offers: attempt, Unix time. */
int job_offers(struct store *store, uint64_t number, struct store_rows **rows);

/**
 * Starts a list of open jobs, one for each set of files that open jobs name; take each with
 * job_row().
 */
int job_list_files(struct store *store, struct store_rows **rows);

/** Moves the times of jobs under way with the clock, by so many seconds. */
int job_shift_times(struct store *store, int64_t seconds);

#endif
