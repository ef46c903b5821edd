/* SPDX-License-Identifier: BSD-2-Clause */
/* What a decision changes in the database. */
#include "server/daemon/writer_store.h"

#include <string.h>
#include <sys/random.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/daemon/writer_evaluate.h"
#include "server/store/admission.h"
#include "server/store/bundles.h"
#include "server/store/devices.h"
#include "server/store/events.h"
#include "server/store/jobs.h"
#include "server/store/multicasts.h"

static void add_changed_device(struct part *part, uint64_t device)
{
	part->devices[part->device_count++] = device;
}

static void add_changed_identity(struct part *part, const struct identity *identity)
{
	part->identities[part->identity_count++] = *identity;
}

/* --- who it is ------------------------------------------------------------- */

/* Stores what was found out of who the sender is. */
static int store_identity(struct writer *w, struct pending *p)
{
	const struct identification *who = &p->who;
	int rc = 0;

	if (p->sender.match != MATCH_UNCHECKED)
		rc = identify_store_match(&w->store, &p->sender, who, w->timestamp.now,
		                          p->question.nonce);
	if (rc == 0 && who->binds)
		rc = device_bind(&w->store, &who->device, &who->identity);
	if (p->sender.match == MATCH_CARD || p->sender.match == MATCH_SHARED_UUID || who->binds)
		add_changed_identity(&w->part, p->sender.identity);
	if (who->binds) {
		add_changed_device(&w->part, who->device.id);
		w->part.binds = true;
	}
	return rc;
}

/* Makes a device of the unknown machine. */
static int store_admission(struct writer *w, struct pending *p)
{
	struct device *device = &p->who.device;
	struct admission admission;
	int rc;

	/* What was stored of it just now counts, so this is worked out anew. */
	writer_make_unknown(w, p);
	rc = admission_evaluate(&w->store, &w->unknown, &admission);
	device->added = w->timestamp.now;
	if (rc == 0)
		rc = admission_free_name(&w->store, &admission, device->name);
	if (rc == 0)
		rc = admission_apply(&w->store, &admission, device);
	if (rc == 0)
		rc = device_admitted(&w->store, device->id, w->timestamp.now);
	if (rc)
		return rc;
	memcpy(w->part.admitted[w->part.admitted_count++], device->name, NAME_SIZE);
	add_changed_identity(&w->part, &p->question.u.request.identity);
	p->who.known = true;
	return 0;
}

/* --- jobs ------------------------------------------------------------------ */

/* Stores the job that was chosen, which gives it its number, and encodes the answer with that. */
static int store_new_job(struct writer *w, struct pending *p)
{
	const struct selection *selection = &p->evaluation.selection;
	const struct origin origin = { selection->bundle->id, selection->source,
	                               selection->source_id };
	struct job *next = &p->decision.next;
	struct job job = *next;
	struct bundle_whole bundle;
	int rc = bundle_by_id(&w->store, selection->bundle->id, &bundle);

	job.device = p->who.device.id;
	if (rc == 0)
		rc = job_add_of(&w->store, &job, &bundle.details, &origin);
	next->number = job.number;
	next->device = job.device;
	p->decision.reply.u.answer.job = job.number;
	return rc ? rc : writer_encode(w, p);
}

/* Has the device of @job, which it is at now, join the multicast session that the job is of, if it
 * is. */
static int join_session(struct writer *w, const struct job *job)
{
	struct origin origin;
	int rc = job_origin(&w->store, job->number, &origin);

	if (rc || origin.source != SOURCE_MULTICAST || job->attempt > 1)
		return rc;
	w->joined = true;
	return multicast_joined(&w->store, origin.source_id, job->device, w->timestamp.now);
}

/* Says whether the nonce is the boot's: an agent's is its own, and its boot is the one that has
 * accepted the job. */
static bool has_nonce_of_boot(const struct message *question)
{
	return question && (question->type == MESSAGE_REQUEST ||
	                    (question->type == MESSAGE_REPORT &&
	                     question->u.report.state == REPORT_ACCEPTED));
}

int writer_store_decision(struct writer *w, const struct message *question,
                          const struct decision *decision)
{
	const struct job *next = &decision->next;
	struct event_record event = { .device = next->device, .time = w->timestamp.now,
	                              .time_ms = w->timestamp.now_ms, .job = next->number };
	int rc = job_update(&w->store, next);

	if (rc == 0 && decision->counted)
		rc = job_accepted(&w->store, next, question->nonce);
	if (rc == 0 && decision->counted)
		rc = join_session(w, next);
	if (rc == 0 && has_nonce_of_boot(question))
		memcpy(event.boot, question->nonce, sizeof(event.boot));
	else if (rc == 0)
		rc = event_boot_of(&w->store, next->number, event.boot);
	if (rc)
		return rc;
	text_format(event.step, sizeof(event.step), "%s", job_state_name(next->state));
	if (decision->counted)
		text_format(event.reason, sizeof(event.reason), "attempt %u of %u", next->attempt,
		            next->attempts);
	else
		text_format(event.reason, sizeof(event.reason), "%s", next->reason);
	return event_add(&w->store, &event);
}

/* --- the whole ------------------------------------------------------------- */

int writer_store(struct writer *w, struct pending *p)
{
	bool is_new = p->evaluation.selection.bundle;
	int rc = store_identity(w, p);

	if (rc == 0 && p->evaluation.admits) {
		rc = store_admission(w, p);
		if (rc == 0 && !is_new)
			return WRITER_CUT;
	}
	if (rc == 0 && is_new)
		rc = store_new_job(w, p);
	if (rc == 0 && p->decision.changed)
		rc = writer_store_decision(w, &p->question, &p->decision);
	if (is_new || p->decision.changed)
		add_changed_device(&w->part, p->decision.next.device);
	return rc;
}

int writer_begin_relaxed(struct writer *w)
{
	int rc = store_relax(&w->store, true);

	return rc ? rc : store_begin(&w->store);
}

void writer_end_relaxed(struct writer *w)
{
	store_rollback(&w->store);
	store_relax(&w->store, false);
}

int writer_read_secret(struct writer *w)
{
	int rc = store_read_secret(&w->store, w->secret);

	if (rc != ERR_NOT_FOUND)
		return rc;
	if (getrandom(w->secret, sizeof(w->secret), 0) != sizeof(w->secret))
		return ERR_IO;
	return store_write_secret(&w->store, w->secret);
}
