/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a machine gets its job, or none. */
#include <stdio.h>
#include <time.h>

#include "nbp/proto/text.h"
#include "server/ctl/noun.h"
#include "server/ctl/noun_explain.h"
#include "server/ctl/noun_explain_rule.h"
#include "server/filter/filter_facts.h"

static const struct ctl_option opt_address = {
	"address", "A", "as if the machine asked from this IP address"
};

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
	                         .address = ctl_option(ctl, &opt_address),
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
	const char *address = ctl_option(ctl, &opt_address);
	struct fact_address parsed;
	int status = 0;

	if (address && fact_address(address, false, &parsed))
		status = ctl_error(EXIT_USAGE, "--address %s: expected an IP address, as in "
		                   "10.0.2.15", address);
	/* One look at the database, whoever changes it meanwhile. */
	else if (store_begin_reading(&ctl->store))
		status = ctl_store_error(ctl);
	if (status == 0)
		status = ctl_each_target(ctl, 0, explain_machine, &explained);
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
