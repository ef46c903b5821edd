/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_WORK_H
#define SERVER_STORE_WORK_H

#include "server/store/lease.h"
#include "server/store/store.h"

/* Functions return 0 or the ERR_ values of store.h. */

/**
 * Stores new work: all of @lease but number, state and attempt, which it sets.
 * Its key=value strings are those of @details.
 * ERR_REFUSED: the device has open work, or is not there.
 */
int work_add(struct store *store, struct lease *lease, const struct details *details);

/* Where work came from; "hand" and zeros: the administrator gave it. */
struct origin {
	uint64_t bundle;    /* 0: none, or it is no more */
	const char *source; /* source_name()'s, in static memory */
	uint64_t source_id; /* of the assignment, rule or session */
};

/** The same as work_add() for work that has an origin. */
int work_add_of(struct store *store, struct lease *lease, const struct details *details,
                const struct origin *origin);

/** Reads the origin of a lease. */
int work_origin(struct store *store, uint64_t number, struct origin *origin);

/** Reads a lease by its number. */
int work_by_lease(struct store *store, uint64_t number, struct lease *lease);

/** Reads the newest lease of a device, ended or not. Open ones are always the newest. */
int work_newest(struct store *store, uint64_t device, struct lease *lease);

/** Reads the key=value strings of a lease into @details. */
int work_details(struct store *store, uint64_t number, struct details *details);

/** Stores what may change of a lease: state, attempt, times, reason, whether it was given up. */
int work_update(struct store *store, const struct lease *lease);

/** Notes that the lease's last attempt is that of the boot with @nonce. */
int work_accepted(struct store *store, const struct lease *lease,
                  const uint8_t nonce[NONCE_SIZE]);

/** Finds which attempt is that of the boot with @nonce; 0: none. */
int work_attempt_of(struct store *store, uint64_t number, const uint8_t nonce[NONCE_SIZE],
                    uint32_t *attempt);

/** Reads leases that should have ended by @now, at most @most. @found: receives how many */
int work_overdue(struct store *store, int64_t now, struct lease *leases, size_t most,
                 size_t *found);

#define WORK_HOURLY 12 /* leases that a device may get by itself within an hour */

/** Says in @many whether the device has been given that many leases since @since. */
int work_many(struct store *store, uint64_t device, int64_t since, bool *many);

/**
 * Deletes leases that ended before @before, with their offers, and that nothing is decided by:
 * not the newest of a device, nor the newest of what it had from one source or of one bundle. It
 * looks at @span numbers behind @after.
 * @end: receives whether these were the last
 */
int work_prune(struct store *store, uint64_t after, uint64_t span, int64_t before, bool *end);

/** Starts a list of leases, newest first; @device 0: of all. Take each with work_row(). */
int work_list(struct store *store, uint64_t device, bool only_open, sqlite3_stmt **rows);
void work_row(sqlite3_stmt *row, struct lease *lease);

/** Starts a list of a lease's offers: attempt, Unix time. */
int work_offers(struct store *store, uint64_t number, sqlite3_stmt **rows);

#endif
