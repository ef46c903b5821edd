/* SPDX-License-Identifier: BSD-2-Clause */
/* Periodic tasks: what the writer does by the clock. */
#include "server/daemon/writer_sweep.h"

#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "server/daemon/writer_index.h"
#include "server/daemon/writer_store.h"
#include "server/store/audit.h"
#include "server/store/devices.h"
#include "server/store/events.h"
#include "server/store/jobs.h"
#include "server/store/multicasts.h"
#include "server/store/stats.h"
#include "server/store/unknown.h"

#define PRUNE_SPAN  2000 /* job numbers at once: some milliseconds */
#define PRUNE_AGAIN 3600 /* s, from the last job number to the first */
#define SLEW_S   2    /* from look to look: the clock is drawn to the right time */
#define STEP_S   120  /* it was set */
#define STEADY_S 3600 /* before a clock that was set, or is odd, decides what is old */

/* --- the clock ------------------------------------------------------------- */

/* Moves the times of jobs and sessions under way with the clock. Returns 0 or the ERR_ values. */
static int move_times(struct writer *w)
{
	int rc = store_begin(&w->store);

	if (rc == 0)
		rc = job_shift_times(&w->store, w->clock.shift);
	if (rc == 0)
		rc = multicast_shift_times(&w->store, w->clock.shift);
	if (rc == 0)
		rc = store_commit(&w->store);
	store_rollback(&w->store);
	if (rc == 0)
		w->clock.shift = 0;
	return rc;
}

/* Looks at the clock for the first time: one by which all that is stored is old may be wrong. */
static void begin_clock(struct writer *w, int64_t now, int64_t boot)
{
	int64_t keep = index_catalog(w->server->index)->settings.keep_events, event, unknown;

	w->clock.known = true;
	w->clock.offset = now - boot;
	if (event_newest(&w->store, &event) || unknown_newest(&w->store, &unknown) ||
	    (!event && !unknown) || event >= now - keep || unknown >= now - keep)
		return;
	w->clock.steady = boot + STEADY_S;
	journal_line(&w->server->journal, JOURNAL_ALWAYS,
	             "warning: by the clock all events and unknown machines are too old to be kept;"
	             " they are kept for an hour, as it may be wrong");
}

void writer_clock(struct writer *w, int64_t now, int64_t boot)
{
	int64_t moved = now - boot - w->clock.offset;

	w->clock.boot = boot;
	if (!w->clock.known) {
		begin_clock(w, now, boot);
	} else if (llabs(moved) < SLEW_S) {
		w->clock.offset = now - boot;
	} else if (llabs(moved) > STEP_S) {
		w->clock.offset = now - boot;
		w->clock.shift += moved;
		w->clock.steady = boot + STEADY_S;
		journal_line(&w->server->journal, JOURNAL_TROUBLE,
		             "warning: the clock was set %lld s %s: deadlines of jobs move with it,"
		             " and nothing is deleted for its age within an hour", llabs(moved),
		             moved > 0 ? "forward" : "back");
	}
	/* Until that is done, no time is written. */
	w->clock.waits = w->clock.shift && move_times(w);
}

/* Says whether what is old by the clock may be deleted. */
static bool clock_is_steady(const struct writer *w)
{
	return w->clock.boot >= w->clock.steady;
}

/* --- multicast sessions ---------------------------------------------------- */

/* Starts or ends a session. */
static void advance_session(struct writer *w, const struct session *session)
{
	bool starts = session->state == SESSION_WAITING;
	int rc = store_begin(&w->store);

	if (rc == 0)
		rc = (starts ? multicast_start : multicast_end)(&w->store, session->id,
		                                                w->timestamp.now);
	if (rc == 0)
		rc = store_commit(&w->store);
	if (rc) {
		store_rollback(&w->store);
		return; /* the next sweep will do it */
	}
	journal_line(&w->server->journal, JOURNAL_ALWAYS, "multicast session=%s %s clients=%u",
	             session->name, starts ? "started" : "ended", session->joined);
}

void writer_sessions(struct writer *w)
{
	const struct catalog *catalog = index_catalog(w->server->index);
	bool advanced = false;

	for (size_t i = 0; i < catalog->multicast_count; i++) {
		const struct session *session = &catalog->multicasts[i];
		enum session_state next;

		if (multicast_next(&w->store, session, w->timestamp.now, &next) ||
		    next == session->state)
			continue;
		advance_session(w, session);
		advanced = true;
	}
	if (advanced)
		writer_follow(w);
}

/* --- counters -------------------------------------------------------------- */

static int write_counters(struct writer *w, const struct counters *sum)
{
	int rc = 0;

	for (size_t i = 0; rc == 0; i++) {
		struct counter now = counter_at(sum, i), stored = counter_at(&w->stored, i);

		if (!now.name)
			break;
		if (now.value != stored.value)
			rc = counter_write(&w->store, now.name, now.value);
	}
	return rc;
}

void writer_count(struct writer *w)
{
	struct counters sum;
	int rc;

	server_counters(w->server, &sum);
	if (!w->followed && memcmp(&sum, &w->stored, sizeof(sum)) == 0)
		return;
	rc = writer_begin_relaxed(w);
	/* This is done once, as another version may have counted other things. */
	if (rc == 0 && !w->counted)
		rc = counter_clear(&w->store);
	if (rc == 0)
		rc = write_counters(w, &sum);
	if (rc == 0 && w->followed)
		rc = index_forget_changes(w->server->index, &w->store);
	if (rc == 0)
		rc = store_commit(&w->store);
	writer_end_relaxed(w);
	if (rc)
		return; /* the next sweep will do it */
	w->stored = sum;
	w->counted = true;
	w->followed = false;
}

/* --- old rows ----------------------------------------------------------------- */

/* Deletes old events and unknown machines, a little at a time, so that nobody has to wait. */
static void delete_old_events(struct writer *w)
{
	const struct catalog *catalog = index_catalog(w->server->index);
	int64_t before = w->timestamp.now - catalog->settings.keep_events, unknown = before;
	bool any;

	if (event_any_before(&w->store, before, &any) ||
	    (!any && (unknown_oldest(&w->store, &unknown) || unknown >= before)))
		return;
	if (writer_begin_relaxed(w) == 0 && event_expire(&w->store, before) == 0 &&
	    unknown_expire(&w->store, before) == 0)
		store_commit(&w->store);
	writer_end_relaxed(w);
}

/* Deletes old records of the audit trail, likewise. */
static void delete_old_audit(struct writer *w)
{
	int64_t before = w->timestamp.now - index_catalog(w->server->index)->settings.keep_audit;
	bool any;

	if (audit_any_before(&w->store, before, &any) || !any)
		return;
	if (writer_begin_relaxed(w) == 0 && audit_expire(&w->store, before) == 0)
		store_commit(&w->store);
	writer_end_relaxed(w);
}

/* Goes through all jobs in an hour's time, or longer if there are very many. */
static void delete_old_jobs(struct writer *w)
{
	int64_t keep = index_catalog(w->server->index)->settings.keep_job;
	bool end = false;

	if (!w->pruned && w->timestamp.now < w->prune_next)
		return;
	if (writer_begin_relaxed(w) == 0 &&
	    job_prune(&w->store, w->pruned, PRUNE_SPAN, w->timestamp.now - keep, &end) == 0 &&
	    store_commit(&w->store) == 0)
		w->pruned += PRUNE_SPAN;
	writer_end_relaxed(w);
	if (!end)
		return;
	w->pruned = 0;
	w->prune_next = w->timestamp.now + PRUNE_AGAIN;
}

static void delete_old(struct writer *w)
{
	if (!clock_is_steady(w))
		return;
	delete_old_events(w);
	delete_old_audit(w);
	delete_old_jobs(w);
}

/* --- unknown machines -------------------------------------------------------- */

/* Looks whether as many unknown machines have been admitted as may be. */
static void check_admissions(struct writer *w)
{
	int64_t limit = index_catalog(w->server->index)->settings.admit_limit, admitted;
	bool full;

	if (device_admissions(&w->store, &admitted))
		return;
	full = admitted >= limit;
	if (full && !w->server->admits_no_more)
		journal_line(&w->server->journal, JOURNAL_ALWAYS,
		             "warning: unknown machines are not admitted any more: %lld were, which"
		             " is admit-limit; remove devices that are not yours, or raise it",
		             (long long)admitted);
	w->server->admits_no_more = full;
}

/* Logs, once a minute, that machines are not admitted for their number. */
static void log_not_admitted(struct writer *w)
{
	struct counters sum;

	server_counters(w->server, &sum);
	if (sum.not_admitted == w->not_admitted_logged ||
	    w->timestamp.monotonic < w->not_admitted_next)
		return;
	journal_line(&w->server->journal, JOURNAL_TROUBLE,
	             "warning: %llu requests of unknown machines were not admitted: more ask than"
	             " may become devices",
	             (unsigned long long)(sum.not_admitted - w->not_admitted_logged));
	w->not_admitted_logged = sum.not_admitted;
	w->not_admitted_next = w->timestamp.monotonic + (int64_t)60 * 1000000000;
}

/* --- overdue jobs ---------------------------------------------------------- */

/* Ends overdue jobs, as many as go into one transaction. Returns 0 or the ERR_ values. */
static int end_overdue(struct writer *w, size_t *ended)
{
	struct job *jobs = w->overdue;
	int rc = store_begin(&w->store);

	*ended = 0;
	/* They are looked for within it, as another program may have ended them meanwhile. */
	if (rc == 0)
		rc = job_list_overdue(&w->store, w->timestamp.now, jobs, WRITER_SWEEP, ended);
	for (size_t i = 0; i < *ended && rc == 0; i++) {
		struct decision decision;

		decide_overdue(&jobs[i], w->timestamp.now, &decision);
		rc = writer_store_decision(w, NULL, &decision);
	}
	if (rc == 0)
		rc = store_commit(&w->store);
	store_rollback(&w->store);
	return rc;
}

/* Ends overdue jobs, some of them if there are many: each transaction waits for the disk, and
 * machines wait for that. Returns whether there may be more. */
static bool sweep_overdue(struct writer *w)
{
	struct job *jobs = w->overdue;
	size_t ended;

	/* Another program was faster, or the next sweep will do it. */
	if (job_list_overdue(&w->store, w->timestamp.now, jobs, 1, &ended) || !ended ||
	    end_overdue(w, &ended))
		return false;
	for (size_t i = 0; i < ended; i++)
		journal_line(&w->server->journal, JOURNAL_ALWAYS,
		             "warning: job failed: job=%llu reason=\"%s\"",
		             (unsigned long long)jobs[i].number, OVERDUE_REASON);
	return ended == WRITER_SWEEP;
}

bool writer_sweep(struct writer *w, const struct timestamp *timestamp)
{
	bool more;

	w->timestamp = *timestamp;
	more = !w->clock.waits && sweep_overdue(w);
	check_admissions(w);
	log_not_admitted(w);
	writer_sessions(w);
	delete_old(w);
	writer_count(w);
	return more;
}
