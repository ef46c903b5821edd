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
		[WITHHELD_NAMELESS] = "nothing that it tells would make it known again as a device",
		[WITHHELD_TOTAL] = "as many unknown machines have become devices as admit-limit lets",
		[WITHHELD_RATE] = "too many unknown machines have become devices just now",
		[WITHHELD_HOURLY] = "it has had " NUMBER_TEXT(JOB_HOURLY) " leases within an hour, "
		                    "which is as many as there may be",
	};

	return reasons[withheld];
}

/* Takes back what was chosen, and that the machine becomes a device. */
static void withhold(struct ruling *r, const struct identified *who, enum withheld why)
{
	struct choice *choice = &r->choice;
	const char *reason = withheld_reason(why);

	/* What is odd about who it is tells more. */
	if (why == WITHHELD_NAMELESS && who->note[0])
		reason = who->note;
	text_format(choice->reason, sizeof(choice->reason), "%s: %s",
	            who->known ? choice->bundle->name : "unknown device", reason);
	choice->bundle = NULL;
	r->admits = false;
	r->withheld = why;
}

/* May the unknown machine become a device? */
static int weigh_admission(struct store *store, const struct index *index, const struct asker *a,
                           struct ruling *r)
{
	int64_t limit = index_policy(index)->settings.admit_limit, admitted;
	int rc = unknown_weigh(store, a->unknown, &r->admission);

	if (rc)
		return rc;
	if (!r->admission.by_uuid && !r->admission.mac_count) {
		withhold(r, a->who, WITHHELD_NAMELESS);
		return 0;
	}
	r->admits = true;
	rc = device_admissions(store, &admitted);
	if (rc == 0 && admitted >= limit)
		withhold(r, a->who, WITHHELD_TOTAL);
	else if (rc == 0 && a->may_admit && !a->may_admit(a->data))
		withhold(r, a->who, WITHHELD_RATE);
	return rc;
}

/* A device is not given again what it has had before if it has had much of late: a job is kept
 * for long. */
static int check_hour(struct store *store, const struct asker *a, struct ruling *r)
{
	const struct choice *choice = &r->choice;
	bool many = false;
	int rc;

	if (!choice->bundle ||
	    entry_past(a->who->entry, PAST_OF_BUNDLE, choice->bundle->id) == PAST_NONE)
		return 0;
	rc = job_many(store, a->who->device.id, a->now - 3600, &many);
	if (many)
		withhold(r, a->who, WITHHELD_HOURLY);
	return rc;
}

static int choose_new(struct store *store, const struct index *index, const struct asker *a,
                      struct ruling *r)
{
	const struct chooser chooser = { index, a->who->known ? a->who->entry : NULL, a->request,
	                                 a->address, a->now };

	if (!a->who->known && a->who->pretends) {
		withhold(r, a->who, WITHHELD_NAMELESS);
		return 0;
	}
	choose(&chooser, &r->choice, a->tell, a->data);
	if (a->who->known)
		return check_hour(store, a, r);
	if (r->choice.bundle || index_policy(index)->settings.admit_unknown)
		return weigh_admission(store, index, a, r);
	return 0;
}

/* Decides on the work that was chosen, as if it were there. */
static int plan(struct store *store, const struct settings *settings, const struct asker *a,
                struct asking *asking, struct ruling *r, struct decision *decision)
{
	struct device device = a->who->device;
	struct job job;
	/* Its name is told, so that must be known by now; the number has any value. */
	int rc = r->admits ? unknown_free_name(store, &r->admission, device.name) : 0;

	job_of_bundle(r->choice.bundle, settings, &job);
	job.number = UINT64_MAX;
	job.device = device.id;
	job.assigned = a->now;
	/* One that never asked has the firmware that the work is for. */
	if (!a->request)
		asking->firmware = job.loader_bios[0] ? FIRMWARE_BIOS : FIRMWARE_UEFI;
	decide_request(&device, &job, asking, decision);
	if (decision->reply.u.answer.decision == DECISION_JOB) {
		text_format(decision->reason, sizeof(decision->reason), "%s", r->choice.reason);
		return rc;
	}
	text_format(r->choice.reason, sizeof(r->choice.reason), "%s", decision->reason);
	r->choice.bundle = NULL;
	return rc;
}

int evaluate_request(struct store *store, const struct index *index, const struct asker *a,
                  const struct job *job, struct ruling *r, struct decision *decision)
{
	const struct identified *who = a->who;
	const struct settings *settings = &index_policy(index)->settings;
	struct asking asking = { .now = a->now };
	struct settings room;
	bool open;
	int rc = 0;

	r->choice = (struct choice){ .bundle = NULL };
	r->admits = false;
	r->withheld = WITHHELD_NOT;
	if (who->known)
		settings = entry_settings(index, who->entry, &room);
	asking.unproven = who->by_mac && !settings->job_by_mac;
	if (a->request)
		asking.firmware = a->request->firmware;
	else if (job)
		asking.firmware = job->loader_bios[0] ? FIRMWARE_BIOS : FIRMWARE_UEFI;
	if (job && a->nonce)
		rc = job_attempt_of(store, job->number, a->nonce, &asking.accepted);
	if (rc == 0 && job && job->completion == COMPLETION_NEXT_BOOT)
		rc = event_came_back(store, job, &asking.came_back);
	/* The boot that had the last work has had its turn. */
	open = job && (job_is_open(job->state) || asking.accepted);
	if (rc == 0 && (!open || a->tell))
		rc = choose_new(store, index, a, r);
	if (open) {
		r->choice.bundle = NULL;
		r->withheld = WITHHELD_NOT;
	}
	if (rc)
		return rc;
	decide_request(who->known ? &who->device : NULL, job, &asking, decision);
	if (r->choice.bundle)
		rc = plan(store, settings, a, &asking, r, decision);
	settings_answer(settings, asking.firmware, &decision->reply.u.answer);
	return rc;
}
