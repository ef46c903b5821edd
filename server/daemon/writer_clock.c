/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock on the wall, which may be set, beside one that only goes on. */
#include "server/daemon/writer.h"

#include <stdlib.h>

#include "server/store/events.h"
#include "server/store/unknown.h"

#define SLEW_S   2    /* from look to look: the clock is drawn to the right time */
#define STEP_S   120  /* it was set */
#define STEADY_S 3600 /* before a clock that was set, or is odd, decides what is old */

/* Lets the time that work has been under way be what it was. Returns 0 or the ERR_ values. */
static int move_job(struct writer *k)
{
	static const char job[] = "UPDATE work SET begun = begun + ? WHERE state = 'begun'";
	static const char sessions[] = "UPDATE multicast SET last_joined = last_joined + ?"
		" WHERE state = 'waiting' AND last_joined > 0";
	int rc = store_begin(&k->store);

	if (rc == 0)
		rc = store_run(&k->store, job, "i", k->clock.shift);
	if (rc == 0)
		rc = store_run(&k->store, sessions, "i", k->clock.shift);
	if (rc == 0)
		rc = store_commit(&k->store);
	store_rollback(&k->store);
	if (rc == 0)
		k->clock.shift = 0;
	return rc;
}

/* At the first look: a clock by which all that was ever noted is to be forgotten may be wrong. */
static void begin(struct writer *k, int64_t now, int64_t boot)
{
	int64_t keep = index_policy(k->server->index)->settings.keep_events, event, unknown;

	k->clock.known = true;
	k->clock.apart = now - boot;
	if (event_newest(&k->store, &event) || unknown_newest(&k->store, &unknown) ||
	    (!event && !unknown) || event >= now - keep || unknown >= now - keep)
		return;
	k->clock.steady = boot + STEADY_S;
	journal_line(&k->server->journal, JOURNAL_ALWAYS, "warning: by the clock all events and unknown "
	             "machines are too old to be kept; they are, for an hour, as it may be wrong");
}

void writer_clock(struct writer *k, int64_t now, int64_t boot)
{
	int64_t moved = now - boot - k->clock.apart;

	k->clock.boot = boot;
	if (!k->clock.known) {
		begin(k, now, boot);
	} else if (llabs(moved) < SLEW_S) {
		k->clock.apart = now - boot;
	} else if (llabs(moved) > STEP_S) {
		k->clock.apart = now - boot;
		k->clock.shift += moved;
		k->clock.steady = boot + STEADY_S;
		journal_line(&k->server->journal, JOURNAL_TROUBLE, "warning: the clock was set %lld s "
		             "%s: deadlines of work move with it, and nothing is forgotten for its "
		             "age within an hour", llabs(moved), moved > 0 ? "forward" : "back");
	}
	/* Until that is done, nothing is written that tells the time. */
	k->clock.waits = k->clock.shift && move_job(k);
}

bool writer_clock_is_steady(const struct writer *k)
{
	return k->clock.boot >= k->clock.steady;
}
