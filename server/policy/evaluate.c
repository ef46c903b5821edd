/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/policy/evaluate.h"

#include "nbp/proto/message.h"
#include "nbp/proto/text.h"
#include "server/store/bundles.h"
#include "server/store/events.h"
#include "server/store/jobs.h"

#define TEXT_OF(number)     #number
#define NUMBER_TEXT(number) TEXT_OF(number) /* what the macro stands for */

const char *withheld_reason(enum withheld withheld)
{
	static const char *const reasons[] = {
		[WITHHELD_NOT] = "",
		[WITHHELD_NAMELESS] = "nothing that it reports would identify it as a device",
		[WITHHELD_TOTAL] = "as many unknown machines have been admitted as admit-limit"
			" allows",
		[WITHHELD_RATE] = "too many unknown machines were admitted just now",
		[WITHHELD_HOURLY] = "it has had " NUMBER_TEXT(JOB_HOURLY) " jobs within an hour, "
		                    "which is the limit",
	};

	return reasons[withheld];
}

/* Takes back what was chosen, and that the machine becomes a device. */
/* Undoes the selection, and the admission. */
static void withhold(struct evaluation *e, const struct identification *who, enum withheld why)
{
	struct selection *selection = &e->selection;
	const char *reason = withheld_reason(why);

	/* An anomaly in who it is explains more. */
	if (why == WITHHELD_NAMELESS && who->anomaly[0])
		reason = who->anomaly;
	text_format(selection->reason, sizeof(selection->reason), "%s: %s",
	            who->known ? selection->bundle->name : "unknown device", reason);
	selection->bundle = NULL;
	e->admits = false;
	e->withheld = why;
}

/* Evaluates whether the unknown machine may become a device. */
static int evaluate_admission(struct store *store, const struct request_context *c,
                              struct evaluation *e)
{
	int64_t limit = index_catalog(c->index)->settings.admit_limit, admitted;
	int rc = admission_evaluate(store, c->unknown, &e->admission);

	if (rc)
		return rc;
	if (!e->admission.by_uuid && !e->admission.mac_count) {
		withhold(e, c->who, WITHHELD_NAMELESS);
		return 0;
	}
	e->admits = true;
	rc = device_admissions(store, &admitted);
	if (rc == 0 && admitted >= limit)
		withhold(e, c->who, WITHHELD_TOTAL);
	else if (rc == 0 && c->may_admit && !c->may_admit(c->data))
		withhold(e, c->who, WITHHELD_RATE);
	return rc;
}

/* A device that has had many jobs of late is not given a bundle again that it has had before, as a
 * job is kept for long. */
static int check_hour(struct store *store, const struct request_context *c,
                      struct evaluation *e)
{
	const struct bundle *bundle = e->selection.bundle;
	bool many = false;
	int rc;

	if (!bundle || entry_outcome(c->who->entry, OUTCOME_OF_BUNDLE, bundle->id) == OUTCOME_NONE)
		return 0;
	rc = job_many(store, c->who->device.id, c->now - 3600, &many);
	if (many)
		withhold(e, c->who, WITHHELD_HOURLY);
	return rc;
}

static int choose_new(struct store *store, const struct request_context *c,
                      struct evaluation *e)
{
	if (!c->who->known && c->who->no_admission) {
		withhold(e, c->who, WITHHELD_NAMELESS);
		return 0;
	}
	choose(c, &e->selection);
	if (c->who->known)
		return check_hour(store, c, e);
	if (e->selection.bundle || index_catalog(c->index)->settings.admit_unknown)
		return evaluate_admission(store, c, e);
	return 0;
}

/* Decides as if there were the job that was chosen. */
static int decide_new(struct store *store, const struct settings *settings,
                      const struct request_context *c, struct request_facts *facts,
                      struct evaluation *e, struct decision *decision)
{
	struct device device = c->who->device;
	struct selection *selection = &e->selection;
	struct job job;
	/* Its name goes into the answer, so that must be known by now. */
	int rc = e->admits ? admission_free_name(store, &e->admission, device.name) : 0;

	job_of_bundle(selection->bundle, settings, &job);
	job.number = JOB_UNNUMBERED;
	job.device = device.id;
	job.assigned = c->now;
	/* One that never asked is a machine that the job is for. */
	if (!c->request)
		facts->loader = loader_first(&job.loaders);
	decide_request(&device, &job, facts, decision);
	if (decision->reply.u.answer.decision == DECISION_JOB) {
		text_format(decision->reason, sizeof(decision->reason), "%s", selection->reason);
		return rc;
	}
	text_format(selection->reason, sizeof(selection->reason), "%s", decision->reason);
	selection->bundle = NULL;
	return rc;
}

int evaluate_request(struct store *store, const struct request_context *c, const struct job *job,
                     struct evaluation *e, struct decision *decision)
{
	const struct identification *who = c->who;
	const struct settings *settings = &index_catalog(c->index)->settings;
	struct request_facts facts = { .loader = LOADERS, .now = c->now };
	struct settings buffer;
	bool open;
	int rc = 0;

	e->selection = (struct selection){ .bundle = NULL };
	e->admits = false;
	e->withheld = WITHHELD_NOT;
	if (who->known)
		settings = entry_settings(c->index, who->entry, &buffer);
	facts.unproven = who->by_mac && !settings->job_by_mac;
	if (c->request)
		facts.loader = loader_kind_of(c->request);
	else if (job)
		facts.loader = loader_first(&job->loaders);
	if (job && c->nonce)
		rc = job_attempt_of(store, job->number, c->nonce, &facts.accepted);
	if (rc == 0 && job && job->completion == COMPLETION_NEXT_BOOT)
		rc = event_came_back(store, job, &facts.came_back);
	/* The boot that accepted the last job has had its turn. */
	open = job && (job_is_open(job->state) || facts.accepted);
	if (rc == 0 && (!open || c->report))
		rc = choose_new(store, c, e);
	if (open) {
		e->selection.bundle = NULL;
		e->withheld = WITHHELD_NOT;
	}
	if (rc)
		return rc;
	decide_request(who->known ? &who->device : NULL, job, &facts, decision);
	if (e->selection.bundle)
		rc = decide_new(store, settings, c, &facts, e, decision);
	settings_answer(settings, loader_firmware(facts.loader), &decision->reply.u.answer);
	return rc;
}
