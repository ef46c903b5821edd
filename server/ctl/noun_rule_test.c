/* SPDX-License-Identifier: BSD-2-Clause */
/* Which machines a filter is for; and what filters can ask of them. */
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "server/ctl/ctl_machine.h"
#include "server/ctl/noun.h"
#include "server/ctl/noun_rule.h"
#include "server/filter/filter_facts.h"
#include "server/store/rules.h"

const struct ctl_option opt_address = {
	"address", "A", "as if the machines asked from this IP address"
};

const struct ctl_option opt_all = { "all", NULL, "also the machines that it does not match" };

struct test {
	const struct filter *filter;
	bool all;             /* also machines that do not match */
	const char *address;  /* in place of the machines' own; NULL: theirs */
	bool json;
	struct table table;
	json_t *array;
	size_t machines, matches;
};

static void test_machine(void *data, const struct seen_machine *machine)
{
	struct test *t = data;
	const struct subject subject = {
		.request = machine_request(machine),
		.address = t->address ? t->address : machine->seen.address,
		.name = machine->device.name,
	};
	char because[REASON_SIZE];
	bool yes;

	t->machines++;
	if (subject.request) {
		yes = filter_match(t->filter, &subject, because);
	} else {
		yes = false;
		snprintf(because, sizeof(because), "it never asked");
	}
	t->matches += yes;
	if (!yes && !t->all)
		return;
	if (t->json)
		json_array_append_new(t->array, json_pack(
			"{s:s, s:b, s:b, s:s}", "machine", machine->label, "known",
			machine->device.id != 0, "matches", (int)yes, "because", because));
	else
		table_add(&t->table, machine->label, machine->device.id ? "device" : "unknown",
		          yes ? "yes" : "no", because);
}

/* A word that names a rule stands for its filter, unless it is one itself. */
static struct filter *find_filter(struct ctl *ctl, const char *word, int *status)
{
	struct filter_error error;
	struct filter *filter = filter_parse(word, &error);
	struct rule_row rule;
	int rc = filter ? 0 : rule_find(&ctl->store, word, &rule);

	if (filter)
		return filter;
	if (rc && rc != ERR_NOT_FOUND) {
		*status = ctl_store_error(ctl);
		return NULL;
	}
	if (rc) {
		/* For the shell, a ">" that is not quoted is where the output goes. */
		*status = ctl_error(EXIT_USAGE,
		                    "\"%s\" is no rule, and no filter: column %zu: %s%s", word,
		                    error.column, error.message, error.column > strlen(word)
		                    ? "; quote the filter, as in 'memory > 8G'" : "");
		return NULL;
	}
	filter = filter_parse(rule.filter, &error);
	if (!filter)
		*status = ctl_error(EXIT_FAULT, "rule %s: column %zu of its filter: %s", word,
		                    error.column, error.message);
	return filter;
}

static int test_target(struct ctl *ctl, const struct seen_machine *machine, void *data)
{
	(void)ctl;
	test_machine(data, machine);
	return 0;
}

/* Tests the machines that the words after the filter stand for, or all. */
static int run_test(struct ctl *ctl, struct test *t)
{
	table_add(&t->table, "MACHINE", "IS A", "MATCHES", "BECAUSE");
	if (ctl->word_count < 2)
		return ctl_each_machine(ctl, test_machine, t) ? ctl_store_error(ctl) : 0;
	return ctl_each_target(ctl, 1, test_target, t);
}

/* Says whether machines are named one by one: such are shown in any case. */
static bool names_machines(const struct ctl *ctl)
{
	bool sets = false;

	for (int i = 1; i < ctl->word_count; i++)
		sets |= ctl_is_set(ctl->words[i]);
	return ctl->word_count > 1 && !sets;
}

int ctl_rule_test(struct ctl *ctl)
{
	struct test t = { .json = ctl->json, .table = { .columns = 4 },
	                  .address = ctl_option(ctl, &opt_address),
	                  .all = ctl_given(ctl, &opt_all) || names_machines(ctl) };
	struct fact_address parsed;
	struct filter *filter;
	int status = 0;

	if (t.address && fact_address(t.address, false, &parsed))
		return ctl_error(EXIT_USAGE, "--address %s: expected an IP address, as in "
		                 "10.0.2.15", t.address);
	filter = find_filter(ctl, ctl->words[0], &status);
	if (!filter)
		return status;
	t.filter = filter;
	t.array = json_array();
	status = run_test(ctl, &t);
	if (status == 0 && ctl->json) {
		ctl_print_json(json_incref(t.array));
	} else if (status == 0) {
		if (t.table.rows > 1)
			table_print(&t.table);
		printf("%zu of %zu machine%s match%s\n", t.matches, t.machines,
		       ctl_plural(t.machines), t.all || t.matches == t.machines
		       ? "" : "; --all lists the others, too");
	}
	table_free(&t.table);
	json_decref(t.array);
	filter_free(filter);
	return status;
}

int ctl_rule_facts(struct ctl *ctl)
{
	struct table table = { .columns = 3 };
	json_t *array = json_array();

	table_add(&table, "FACT", "KIND", "WHAT");
	for (size_t i = 0; filter_fact(i); i++) {
		const char *help = filter_fact_help(i), *colon = strchr(help, ':');
		char kind[80];

		snprintf(kind, sizeof(kind), "%.*s", colon ? (int)(colon - help) : 0, help);
		if (ctl->json)
			json_array_append_new(array, json_pack("{s:s, s:s, s:s}", "fact",
			                      filter_fact(i), "kind", kind, "about",
			                      colon ? colon + 2 : help));
		else
			table_add(&table, filter_fact(i), kind, colon ? colon + 2 : help);
	}
	if (ctl->json)
		ctl_print_json(json_incref(array));
	else
		table_print(&table);
	json_decref(array);
	return 0;
}
