/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_MULTICASTS_H
#define SERVER_STORE_MULTICASTS_H

#include "server/model/job.h"
#include "server/model/session.h"
#include "server/store/store.h"

/* Multicast sessions and their members. Functions return 0 or the ERR_ values of store.h. */

/*
 * The SQL of struct session's joined, of the row "m". One whose work of it failed or was
 * cancelled before the start is not there to take anything in; what becomes of work after
 * that changes nothing. When the session has ended, all that had joined count.
 */
#define MULTICAST_JOINED \
	"(SELECT count(*) FROM multicast_member AS one WHERE one.multicast = m.id" \
	" AND one.joined > 0 AND (m.state = 'ended' OR EXISTS (SELECT 1 FROM job" \
	" WHERE job.device = one.device AND job.source = 'multicast'" \
	" AND job.source_id = m.id AND (job.state IN ('pending', 'offered', 'begun')" \
	" OR (m.state = 'started' AND (job.state = 'done' OR job.ended > m.started))))))"

/* One as the database has it; the pointer to its bundle is not set. */
struct multicast_row {
	struct session multicast;
	uint64_t bundle;
	char bundle_name[NAME_SIZE];
	uint64_t members;
	int64_t started, ended, added; /* Unix times; 0: not yet */
};

int multicast_find(struct store *store, const char *name, struct multicast_row *out);
/** Stores a new one, which waits; sets its id. */
int multicast_add(struct store *store, struct multicast_row *row);
/** Stores name, bundle, clients and wait. */
int multicast_change(struct store *store, const struct multicast_row *row);
/**
 * Says in @next what a session is to be at @now: started, if enough have joined it; ended, if none
 * of those is at it any more. Overdue work counts as ended.
 */
int multicast_next(struct store *store, const struct session *session, int64_t now,
                   enum session_state *next);

/** Starts or ends it. */
int multicast_start(struct store *store, uint64_t id, int64_t now);
int multicast_end(struct store *store, uint64_t id, int64_t now);
int multicast_remove(struct store *store, uint64_t id);

/** Starts a list by name; take each with multicast_row(). */
int multicast_list(struct store *store, struct store_rows **rows);
void multicast_row(struct store_rows *row, struct multicast_row *out);

/** Makes a device a member. ERR_REFUSED: it is one. */
int multicast_join(struct store *store, uint64_t id, uint64_t device);
/** Ends that. ERR_NOT_FOUND: it is none. */
int multicast_leave(struct store *store, uint64_t id, uint64_t device);
/** Notes that a member has come. */
int multicast_joined(struct store *store, uint64_t id, uint64_t device, int64_t now);
/** Says when a member came, 0: not yet. ERR_NOT_FOUND: it is none. */
int multicast_membership(struct store *store, uint64_t id, uint64_t device, int64_t *joined);

/** Starts a list of the members by name: device_row()'s columns, and the time joined. */
int multicast_members(struct store *store, uint64_t id, struct store_rows **rows);
#define MULTICAST_JOINED_COLUMN 7

/** Reads the job that @device has from the session and that is not ended. */
int multicast_job(struct store *store, uint64_t id, uint64_t device, struct job *job);

/** Moves the times of sessions that wait with the clock, by so many seconds. */
int multicast_shift_times(struct store *store, int64_t seconds);

#endif
