/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a machine gets its job, or none: by what prebootd decides with. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl_machine.h"
#include "server/ctl/noun.h"
#include "server/ctl/noun_explain_rule.h"
#include "server/filter/filter_facts.h"
#include "server/policy/evaluate.h"
#include "server/store/admission.h"
#include "server/store/events.h"
#include "server/store/jobs.h"
#include "server/store/multicasts.h"

static const struct ctl_option opt_address = {
	"address", "A", "as if the machine asked from this IP address"
};

struct explanation {
	struct ctl *ctl;
	int64_t now;
	struct seen_machine machine;
	const struct request *request; /* NULL: it never asked */
	const char *address;
	struct index *index;
	struct identification who;         /* who prebootd takes it for */
	bool known;                    /* a device, before it may become one */
	struct unknown unknown;      /* else: as which it asked */
	char note[3 * REASON_SIZE];    /* what is odd about who it is, or its job */
	char admitted[NAME_SIZE];      /* the device that an unknown machine becomes, or "" */
	struct job job;            /* number 0: it has no open job */
	struct origin origin;          /* of the open job */
	struct table table;            /* of candidates */
	json_t *candidates;
	json_t *made_by;               /* the rule that made the open job, compared; or null */
	struct evaluation evaluation;  /* what there is, where there is no open job */
	enum withheld withheld;        /* why what was chosen is not given */
	struct decision decision;
	bool gets_job;                     /* it gets some, and does not boot its disk */
	char loader[FILE_SIZE];        /* for its firmware, if that is known */
	char outcome[REASON_SIZE + 32];
	char last_boot[2 * REASON_SIZE + 32]; /* how it ended, or "" where that is plain */
};

/* --- finding out ----------------------------------------------------------- */

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

static int explain_answer(struct explanation *e)
{
	struct ctl *ctl = e->ctl;
	struct fact_address parsed;
	int status;

	e->request = machine_request(&e->machine);
	e->address = ctl_given(ctl, &opt_address) ? ctl_option(ctl, &opt_address)
	                                         : e->machine.seen.address;
	if (ctl_given(ctl, &opt_address) && fact_address(e->address, false, &parsed))
		return ctl_error(EXIT_USAGE, "--address %s: expected an IP address, as in "
		                 "10.0.2.15", e->address);
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

/* --- printing it ----------------------------------------------------------- */

/* Names the menu that comes first: the words of the setting stand as the answer numbers them. */
static const char *menu_mode(const struct explanation *e)
{
	return setting_word((size_t)setting_find("menu-mode"),
	                    e->decision.reply.u.answer.menu_mode);
}

static void print_explanation(struct explanation *e)
{
	const struct job *next = &e->decision.next;
	char seen[256];

	machine_show(&e->machine, seen, sizeof(seen));
	printf("%s%s\n", e->machine.label, e->known || e->machine.device.id
	       ? "" : ", an unknown machine");
	printf("  %-12s%s\n", "last seen", seen);
	if (e->last_boot[0])
		printf("  %-12s%s\n", "last boot", e->last_boot);
	if (ctl_given(e->ctl, &opt_address))
		printf("  %-12s%s\n", "asking from", e->address);
	if (e->note[0])
		printf("  %-12s%s\n", "note", e->note);
	if (e->job.number)
		printf("  %-12s%llu, %s, attempt %u of %u; it comes before all below\n", "open job",
		       (unsigned long long)e->job.number, job_state_name(e->job.state),
		       e->job.attempt, e->job.attempts);
	else
		printf("  %-12snone\n", "open job");
	puts("");
	if (e->table.rows > 1)
		table_print(&e->table);
	else
		puts("no session, no assignment and no rule");
	explain_rule_print(e->made_by);
	printf("\nif it asked now: %s\n", e->outcome);
	if (e->admitted[0])
		printf("    it becomes device %s; where very many come at once, at a later boot\n",
		       e->admitted);
	if (e->loader[0])
		printf("    %s%s%s\n", e->loader, next->config[0] ? " with " : "",
		       next->config);
	else if (e->gets_job)
		ctl_print_loaders("    ", next);
	if (e->decision.reply.u.answer.menu_mode)
		printf("    menu-mode=%s\n", menu_mode(e));
}

static json_t *text_or_null(const char *text)
{
	return text && text[0] ? json_string(text) : json_null();
}

static json_t *json_explanation(struct explanation *e)
{
	const struct selection *selection = &e->evaluation.selection;
	char bundle[NAME_SIZE] = "";
	const char *source;
	json_t *outcome;

	if (e->job.number)
		ctl_origin(e->ctl, &e->job, bundle, &source);
	else if (selection->bundle)
		text_format(bundle, sizeof(bundle), "%s", selection->bundle->name);
	outcome = json_pack(
		"{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:s}", "answer",
		e->gets_job ? "job" : "local",
		"device", text_or_null(e->decision.reply.u.answer.device),
		"admitted_as", text_or_null(e->admitted), "job",
		e->job.number ? json_integer((json_int_t)e->job.number) : json_null(), "bundle",
		text_or_null(e->gets_job ? bundle : NULL),
		"loader", text_or_null(e->loader), "config",
		text_or_null(e->gets_job ? e->decision.next.config : NULL), "menu", menu_mode(e),
		"reason", e->outcome);

	return json_pack("{s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:O, s:O, s:o}", "machine",
	                 e->machine.label, "known", (int)e->known, "seen",
	                 ctl_json_time(e->machine.seen.time), "last_boot",
	                 text_or_null(e->last_boot), "address", text_or_null(e->address), "note",
	                 text_or_null(e->note), "open_job",
	                 e->job.number ? json_integer((json_int_t)e->job.number) : json_null(),
	                 "made_by", e->made_by, "candidates", e->candidates,
	                 "outcome", outcome);
}

/* What "explain" has explained by now. */
struct explained {
	json_t *array;
	size_t count;
};

static int explain_machine(struct ctl *ctl, const struct seen_machine *machine, void *data)
{
	struct explained *explained = data;
	struct explanation e = { .ctl = ctl, .now = time(NULL), .machine = *machine,
	                         .table = { .columns = 4 }, .candidates = json_array() };
	int status = explain_answer(&e);

	if (status == 0 && !ctl->json && explained->count++)
		puts("");
	if (status == 0 && ctl->json)
		json_array_append_new(explained->array, json_explanation(&e));
	else if (status == 0)
		print_explanation(&e);
	json_decref(e.candidates);
	json_decref(e.made_by);
	if (e.index)
		index_free(e.index);
	return status;
}

static int ctl_explain(struct ctl *ctl)
{
	struct explained explained = { .array = json_array() };
	/* One look at the database, whoever changes it meanwhile. */
	int status = store_begin_reading(&ctl->store)
	             ? ctl_store_error(ctl) : ctl_each_target(ctl, 0, explain_machine,
	                                                       &explained);

	store_rollback(&ctl->store);
	if (status == 0 && ctl->json)
		ctl_print_json(json_incref(ctl_names_one(ctl) ? json_array_get(explained.array, 0)
		                                              : explained.array));
	json_decref(explained.array);
	return status;
}

/* --- the noun --------------------------------------------------------------- */

static const struct verb verbs[] = {
	{ .run = ctl_explain, .min = 1, .max = NO_LIMIT, .options = OPTIONS(&opt_address),
	  .usage = "TARGET|MAC|UUID... [--address A]",
	  .help = "Print what each machine would be answered if it asked now, by its last request: "
	          "every session, assignment and rule in their order, taken (*) or skipped (-), "
	          "and why; where there is an open job, which comes before all else, what would be "
	          "next (+). Where a rule made that job, each of its comparisons is printed. A MAC "
	          "or UUID may be that of an unknown machine. Where very many of "
	          "those become devices at once, prebootd puts some off to a later boot. What is "
	          "withheld, as a 13th job within an hour, is printed with its reason. With --json "
	          "an object for one machine, and an array for several, a folder or a group." },
	{ .run = NULL },
};

const struct noun noun_explain = {
	.name = "explain", .about = "why a machine gets its job, or none", .verbs = verbs,
};
