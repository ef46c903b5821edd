/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds out what a machine would be answered, by what prebootd decides with. */
#include "server/ctl/noun_explain.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "server/ctl/noun_explain_rule.h"
#include "server/store/admission.h"
#include "server/store/events.h"
#include "server/store/jobs.h"
#include "server/store/multicasts.h"

static void add_note(struct explanation *e, const char *format, const char *name)
{
	size_t length = strlen(e->note);

	if (length)
		length += text_format(e->note + length, sizeof(e->note) - length, "; ");
	text_format(e->note + length, sizeof(e->note) - length, format, name);
}

static void add_candidate(void *data, const struct candidate *candidate)
{
	struct explanation *e = data;
	/* An open job comes before all of them, and may be of one of them. */
	bool open = e->job.number, its = open && candidate->id == e->origin.source_id &&
	            candidate->source == e->origin.source;
	bool kept = candidate->taken && e->withheld;
	bool taken = open ? its : candidate->taken && !kept;
	bool next = candidate->taken && open && !its;
	char ours[64];
	const char *reason = kept ? withheld_reason(e->withheld) : candidate->reason;

	/* Its own reason would be about the job after this one. */
	text_format(ours, sizeof(ours), "job %" PRIu64 " was made of it, and is %s", e->job.number,
	            job_state_name(e->job.state));
	if (its)
		reason = ours;

	if (!e->ctl->json)
		table_add(&e->table, taken ? "*" : next ? "+" : "-", candidate->bundle->name,
		          candidate->origin, reason);
	json_array_append_new(e->candidates, json_pack(
		"{s:s, s:I, s:s, s:s, s:b, s:b, s:s}", "source", source_name(candidate->source),
		"id", (json_int_t)candidate->id, "bundle", candidate->bundle->name, "origin",
		candidate->origin, "taken", (int)taken, "next", (int)next, "reason", reason));
}

/* The unknown machine becomes a device; without a job, it may have one as that. */
static int admit_machine(struct explanation *e)
{
	struct device *device = &e->who.device;

	if (admission_free_name(&e->ctl->store, &e->evaluation.admission, e->admitted))
		return ctl_store_error(e->ctl);
	if (e->evaluation.selection.bundle)
		return 0;
	*device = (struct device){ .id = INDEX_DEVICE_MAX, .added = e->now };
	text_format(device->name, sizeof(device->name), "%s", e->admitted);
	if (index_add_device(e->index, device))
		return ctl_error(EXIT_FAULT, "not enough memory");
	e->who.known = true;
	e->who.entry = index_by_id(e->index, device->id);
	return 0;
}

/* Has prebootd's own code say what it would answer; then once more, to hear of each candidate. */
static int evaluate_machine(struct explanation *e)
{
	struct store *store = &e->ctl->store;
	struct request_context context = { .index = e->index, .who = &e->who, .request = e->request,
	                                   .address = e->address, .now = e->now,
	                                   .unknown = &e->unknown, .data = e };
	const struct job *job = e->job.number ? &e->job : NULL;
	int status;

	for (const char *line = index_warnings(e->index); *line; line = strchr(line, '\n') + 1)
		ctl_error(0, "%.*s", (int)strcspn(line, "\n"), line);
	if (!e->ctl->json)
		table_add(&e->table, "", "BUNDLE", "FROM", "WHY, OR WHY NOT");
	if (evaluate_request(store, &context, job, &e->evaluation, &e->decision))
		return ctl_store_error(e->ctl);
	e->withheld = e->evaluation.withheld;
	status = e->evaluation.admits ? admit_machine(e) : 0;
	if (status)
		return status;
	context.report = add_candidate;
	if (evaluate_request(store, &context, job, &e->evaluation, &e->decision))
		return ctl_store_error(e->ctl);
	return 0;
}

static void write_outcome(struct explanation *e)
{
	const struct answer *answer = &e->decision.reply.u.answer;
	const char *reason = e->job.number ? e->decision.reason : e->evaluation.selection.reason;

	/* The machine learns that its job is over, and goes to its disk when it has said so. */
	e->gets_job = answer->decision == DECISION_JOB && !e->decision.ends;
	if (e->request && !e->decision.ends)
		text_format(e->loader, sizeof(e->loader), "%s", answer->loader);
	if (e->gets_job && e->job.number)
		text_format(e->outcome, sizeof(e->outcome),
		            "job %" PRIu64 ", attempt %u of %u, is %s", e->job.number,
		            (uint32_t)answer->attempt, e->job.attempts, reason);
	else
		text_format(e->outcome, sizeof(e->outcome), "%s; %s",
		            e->gets_job ? "a new job" : "boots its disk", reason);
}

static int check_result(struct explanation *e, int rc)
{
	if (rc == ERR_SPACE)
		return ctl_error(EXIT_FAULT, "not enough memory");
	return rc ? ctl_store_error(e->ctl) : 0;
}

/* Finds who prebootd takes the last request's machine for. */
static int find_who(struct explanation *e)
{
	const struct request *r = e->request;
	struct sender sender = { &r->identity, r->isd_device, r, MATCH_UNCHECKED };
	struct identification *who = &e->who;
	int status = check_result(e, identify_without_index(&e->ctl->store, e->index, &sender,
	                                                    who));

	if (status)
		return status;
	if (who->known && who->device.id != e->machine.device.id)
		add_note(e, "the machine that asked last would be taken for %s now",
		         who->device.name);
	else if (e->machine.device.id && !who->known && !who->anomaly[0])
		add_note(e, "the machine that asked last would not be known now", "");
	if (who->anomaly[0])
		add_note(e, "%s", who->anomaly);
	memcpy(e->unknown.mac, r->identity.mac, sizeof(e->unknown.mac));
	memcpy(e->unknown.uuid, r->identity.uuid, sizeof(e->unknown.uuid));
	e->unknown.request.u.request = *r;
	return 0;
}

/* Says whether a machine with @identity, and the device id, would be taken for the device. */
static int identify_as_device(struct explanation *e, const struct identity *identity)
{
	const struct device *device = &e->machine.device;
	struct sender sender = { .identity = identity, .isd = device->isd };
	int status = check_result(e, identify_without_index(&e->ctl->store, e->index, &sender,
	                                                    &e->who));

	e->who.known = e->who.known && e->who.device.id == device->id;
	return status;
}

/* One that never asked will come with what it was registered with, or has claimed. */
static int find_registered(struct explanation *e)
{
	const struct device *device = &e->machine.device;
	uint8_t macs[DEVICE_MACS_MAX][6];
	struct identity identity = { 0 };
	size_t count;
	int status = check_result(e, index_load_device(e->index, &e->ctl->store, device->id));

	if (status == 0)
		status = check_result(e, device_macs(&e->ctl->store, device->id, macs, &count));
	if (status)
		return status;
	memcpy(identity.uuid, all_zero(device->uuid, 16) ? device->bound_uuid : device->uuid, 16);
	memcpy(identity.mac, device->bound_mac, sizeof(identity.mac));
	/* By the device id alone, the first machine that comes with it is it. */
	if (!count && all_zero(identity.uuid, 16) && all_zero(identity.mac, 6)) {
		e->who.known = true;
		e->who.device = *device;
		e->who.entry = index_by_id(e->index, device->id);
		return 0;
	}
	status = identify_as_device(e, &identity);
	for (size_t i = 0; i < count && status == 0 && !e->who.known; i++) {
		memcpy(identity.mac, macs[i], sizeof(identity.mac));
		status = identify_as_device(e, &identity);
	}
	if (e->who.known)
		return status;
	e->who.no_admission = true;
	text_format(e->who.anomaly, sizeof(e->who.anomaly), "what it was registered with "
	            "identifies nobody");
	add_note(e, "%s", e->who.anomaly);
	return status;
}

/* Ends the job that was found to be open: it is overdue. */
static int fail_overdue_job(struct explanation *e)
{
	const struct origin *of = &e->origin;
	uint64_t device = e->who.device.id;
	int rc = 0;

	add_note(e, "its job was " OVERDUE_REASON ", and has failed", "");
	job_end(&e->job, JOB_FAILED, e->now, OVERDUE_REASON);
	if (of->source == SOURCE_ASSIGNMENT)
		rc = index_add_outcome(e->index, device, OUTCOME_OF_ASSIGNMENT, of->source_id,
		                       OUTCOME_FAILED);
	else if (of->source == SOURCE_MULTICAST)
		rc = index_add_outcome(e->index, device, OUTCOME_OF_MULTICAST, of->source_id,
		                       OUTCOME_FAILED);
	if (rc == 0 && of->bundle)
		rc = index_add_outcome(e->index, device, OUTCOME_OF_BUNDLE, of->bundle,
		                       OUTCOME_FAILED);
	e->who.entry = index_by_id(e->index, device);
	return check_result(e, rc);
}

/* Sees to the sessions as prebootd does each second. */
static int advance_sessions(struct explanation *e)
{
	const struct catalog *catalog = index_catalog(e->index);
	enum session_state next;
	int rc = 0;

	for (size_t i = 0; i < catalog->multicast_count && rc == 0; i++) {
		const struct session *session = &catalog->multicasts[i];

		while ((rc = multicast_next(&e->ctl->store, session, e->now, &next)) == 0 &&
		       next != session->state)
			index_set_state(e->index, session->id, next);
	}
	return check_result(e, rc);
}

/* Finds the open job, after what prebootd does by itself within a second. */
static int find_job(struct explanation *e)
{
	struct store *store = &e->ctl->store;
	struct job *job = &e->job;
	int rc = e->who.known ? job_newest(store, e->who.device.id, job) : ERR_NOT_FOUND;
	int status = 0;

	if (rc && rc != ERR_NOT_FOUND)
		return ctl_store_error(e->ctl);
	if (rc == 0 && job_origin(store, job->number, &e->origin))
		return ctl_store_error(e->ctl);
	if (rc == 0 && job_is_overdue(job, e->now))
		status = fail_overdue_job(e);
	if (rc || !job_is_open(job->state))
		memset(job, 0, sizeof(*job));
	return status ? status : advance_sessions(e);
}

/* How the last boot ended, as the NBP reported it: what a person did is no fault of the policy. */
static int find_last_boot(struct explanation *e)
{
	struct store *store = &e->ctl->store;
	char local[REASON_SIZE] = "", error[REASON_SIZE] = "";
	uint64_t device = e->machine.device.id;
	uint8_t boot[NONCE_SIZE];
	struct event_record event;
	struct store_rows *rows;
	uint32_t count;
	int rc = device ? event_find_boot(store, device, 0, boot, &count) : ERR_NOT_FOUND;

	if (rc)
		return rc == ERR_NOT_FOUND ? 0 : ctl_store_error(e->ctl);
	rc = event_list_boot(store, device, boot, &rows);
	while (store_next(rows, &rc)) {
		event_row(rows, &event);
		if (strcmp(event.step, "local-boot") == 0)
			text_format(local, sizeof(local), "%s", event.reason);
		else if (strcmp(event.step, "error") == 0)
			text_format(error, sizeof(error), "%s", event.reason);
	}
	if (rc)
		return ctl_store_error(e->ctl);
	if (strstr(local, error))
		error[0] = '\0'; /* A failed action's reason says it already. */
	/* Older NBPs say "no work". */
	if (local[0] && (error[0] || (strcmp(local, "no job") && strcmp(local, "no work"))))
		text_format(e->last_boot, sizeof(e->last_boot), "local boot: %s%s%s", local,
		            error[0] ? "; " : "", error);
	else if (error[0])
		text_format(e->last_boot, sizeof(e->last_boot), "error: %s", error);
	return 0;
}

/* Compares the machine once more with the rule that made its open job. */
static int compare_rule(struct explanation *e)
{
	const struct subject subject = {
		.request = e->request, .address = e->address,
		.name = e->who.entry ? entry_name(e->who.entry) : "",
	};

	if (e->job.number && e->request && e->origin.source == SOURCE_RULE)
		e->made_by = explain_rule_compare(e->ctl, e->origin.source_id, &subject);
	else
		e->made_by = json_null();
	return e->made_by ? 0 : ctl_store_error(e->ctl);
}

int explain_answer(struct explanation *e)
{
	int status;

	e->request = machine_request(&e->machine);
	if (!e->address)
		e->address = e->machine.seen.address;
	e->index = index_new();
	if (!e->index)
		return ctl_error(EXIT_FAULT, "not enough memory");
	status = e->request ? find_who(e) : find_registered(e);
	e->known = e->who.known;
	if (status == 0)
		status = find_job(e);
	if (status == 0)
		status = find_last_boot(e);
	if (status == 0)
		status = compare_rule(e);
	if (status == 0)
		status = evaluate_machine(e);
	if (status == 0)
		write_outcome(e);
	return status;
}
