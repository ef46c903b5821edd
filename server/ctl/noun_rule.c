/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules: which machines without an assignment get a bundle. */
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/noun.h"
#include "server/ctl/noun_rule.h"
#include "server/filter/filter.h"
#include "server/store/rules.h"

static const struct ctl_option opt_bundle = { "bundle", "BUNDLE", "the bundle that machines get" };
static const struct ctl_option opt_for = {
	"for", "known|unknown|both", "known (default): devices; unknown: unknown machines, which "
	"become devices then"
};
static const struct ctl_option opt_filter = { "filter", "FILTER", "the same as FILTER at the end" };
static const struct ctl_option opt_repeat = {
	"repeat", NULL, "at each boot, also for machines that have had the bundle"
};
static const struct ctl_option opt_no_repeat = { "no-repeat", NULL, "once a machine (default)" };
static const struct ctl_option opt_disabled = {
	"disabled", NULL, "the rule is off until \"prebootctl rule enable\""
};
static const struct ctl_option opt_before = { "before", "RULE", "its place in the order" };
static const struct ctl_option opt_after = { "after", "RULE", "its place; without either the end" };

static int find_id(struct store *store, const char *name, uint64_t *id)
{
	struct rule_row found;
	int rc = rule_find(store, name, &found);

	*id = rc ? 0 : found.rule.id;
	return rc;
}

static const struct named named_rule = { "rule", find_id };

/* --- what is said of a rule ------------------------------------------------ */

/* Reports what is wrong with a filter, if anything is, and where. */
static int check_filter(struct ctl *ctl, const char *text)
{
	struct filter_error error;
	struct filter *filter = filter_parse(text, &error);

	if (filter) {
		filter_free(filter);
		return 0;
	}
	ctl_error(EXIT_USAGE, "the filter is wrong at column %zu: %s", error.column, error.message);
	if (ctl->json)
		return EXIT_USAGE;
	/* A blank for each control character, so that the "^" stands where it should. */
	fputs("  ", stderr);
	for (; *text; text++)
		putc((unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text, stderr);
	fprintf(stderr, "\n  %*s\n", (int)error.column, "^");
	return EXIT_USAGE;
}

int ctl_read_filter(struct ctl *ctl, int first, char out[FILTER_TEXT])
{
	size_t length = 0;

	out[0] = '\0';
	for (int i = first; i < ctl->word_count; i++)
		length += (size_t)snprintf(out + length,
		                           length < FILTER_TEXT ? FILTER_TEXT - length : 0, "%s%s",
		                           i > first ? " " : "", ctl->words[i]);
	if (first >= ctl->word_count)
		length = (size_t)snprintf(out, FILTER_TEXT, "%s", ctl_option(ctl, &opt_filter));
	else if (ctl_given(ctl, &opt_filter))
		return ctl_error(EXIT_USAGE, "the filter is given twice: by --filter, and by "
		                 "\"%s\"", out);
	if (length >= FILTER_TEXT)
		return ctl_error(EXIT_USAGE, "the filter is too long: %zu characters, where %d are "
		                 "the most", length, FILTER_TEXT - 1);
	return check_filter(ctl, out);
}

/* Reads what the options say of a rule, and the words from @first on, which are its filter; and
 * leaves what they do not. */
static int read_rule(struct ctl *ctl, int first, struct rule_row *row)
{
	const char *applies = ctl_option(ctl, &opt_for);
	struct bundle_whole bundle;
	int status = 0;

	if (ctl_given(ctl, &opt_bundle)) {
		status = ctl_find_bundle(ctl, ctl_option(ctl, &opt_bundle), &bundle);
		if (status)
			return status;
		row->bundle = bundle.bundle.id;
		text_format(row->bundle_name, NAME_SIZE, "%s", bundle.bundle.name);
	}
	if (applies && rule_applies_parse(applies, &row->rule.applies))
		return ctl_error(EXIT_USAGE, "--for %s: expected known, unknown or both", applies);
	if (ctl_given(ctl, &opt_repeat) && ctl_given(ctl, &opt_no_repeat))
		return ctl_error(EXIT_USAGE, "expected --repeat or --no-repeat, not both");
	if (ctl_given(ctl, &opt_repeat) || ctl_given(ctl, &opt_no_repeat))
		row->rule.repeat = ctl_given(ctl, &opt_repeat);
	if (first < ctl->word_count || ctl_given(ctl, &opt_filter))
		status = ctl_read_filter(ctl, first, row->filter);
	return status;
}

/* Moves @row to where --before, --after or @word say; leaves it if none does. */
static int place_rule(struct ctl *ctl, struct rule_row *row, const char *word)
{
	const char *before = ctl_option(ctl, &opt_before), *after = ctl_option(ctl, &opt_after);
	struct rule_row other;
	uint32_t position;
	int status;

	if ((before != NULL) + (after != NULL) + (word != NULL) > 1)
		return ctl_error(EXIT_USAGE, "expected one place, not several");
	if (word) {
		status = ctl_number(word, "position", 1000000, &position);
	} else if (before || after) {
		status = ctl_find_rule(ctl, before ? before : after, &other);
		if (status)
			return status;
		/* It leaves its own place first; what was after that moves up. */
		position = other.position + (after != NULL) - (row->position < other.position);
		if (other.rule.id == row->rule.id)
			position = row->position;
	} else {
		return 0;
	}
	if (status)
		return status;
	if (rule_move(&ctl->store, row->rule.id, position) ||
	    rule_find(&ctl->store, row->rule.name, row))
		return ctl_store_error(ctl);
	return 0;
}

/* --- verbs that change ----------------------------------------------------- */

static int add_rule(struct ctl *ctl, struct rule_row *row)
{
	int status = ctl_check_free_name(ctl, &named_rule, ctl->words[0], 0);

	if (status)
		return status;
	if (!ctl_given(ctl, &opt_bundle))
		return ctl_error(EXIT_USAGE, "rule add: missing --bundle BUNDLE");
	if (ctl->word_count < 2 && !ctl_given(ctl, &opt_filter))
		return ctl_error(EXIT_USAGE, "rule add: missing FILTER, as in 'manufacturer "
		                 "contains Dell and memory >= 8G'; one that is empty, '', is for "
		                 "every machine");
	text_format(row->rule.name, NAME_SIZE, "%s", ctl->words[0]);
	row->rule.applies = RULE_KNOWN;
	row->enabled = !ctl_given(ctl, &opt_disabled);
	status = read_rule(ctl, 1, row);
	if (status == 0 && rule_add(&ctl->store, row))
		status = ctl_store_error(ctl);
	return status ? status : place_rule(ctl, row, NULL);
}

static int rename_rule(struct ctl *ctl, struct rule_row *row)
{
	int status = ctl_find_rule(ctl, ctl->words[0], row);

	if (status == 0)
		status = ctl_check_free_name(ctl, &named_rule, ctl->words[1], row->rule.id);
	if (status)
		return status;
	text_format(row->rule.name, NAME_SIZE, "%s", ctl->words[1]);
	return rule_change(&ctl->store, row) ? ctl_store_error(ctl) : 0;
}

static int move_rule(struct ctl *ctl, struct rule_row *row)
{
	const char *word = ctl->word_count > 1 ? ctl->words[1] : NULL;
	int status = ctl_find_rule(ctl, ctl->words[0], row);

	if (status)
		return status;
	if (!word && !ctl_given(ctl, &opt_before) && !ctl_given(ctl, &opt_after))
		return ctl_error(EXIT_USAGE, "rule move: missing argument POSITION, from 1; or "
		                 "--before RULE or --after RULE");
	return place_rule(ctl, row, word);
}

/* Returns how many of the words name rules: all of them, or only the first, as a filter is no
 * row of names. */
static int count_names(struct ctl *ctl)
{
	struct rule_row row;

	for (int i = 1; i < ctl->word_count; i++)
		if (rule_find(&ctl->store, ctl->words[i], &row))
			return 1;
	return ctl->word_count;
}

static int change_rule(struct ctl *ctl, const char *word, struct ctl_done *done)
{
	struct rule_row row;
	int status = ctl_find_rule(ctl, word, &row);

	if (status == 0)
		status = read_rule(ctl, count_names(ctl), &row);
	if (status == 0 && rule_change(&ctl->store, &row))
		status = ctl_store_error(ctl);
	if (status)
		return status;
	ctl_warn_bundle_id(ctl, row.bundle);
	return ctl_add_done(done, ctl_json_rule(&row), "rule %s changed, position %u",
	                    row.rule.name, row.position);
}

static int switch_rule(struct ctl *ctl, const char *word, bool enabled, struct ctl_done *done)
{
	struct rule_row row;
	int status = ctl_find_rule(ctl, word, &row);

	row.enabled = enabled;
	if (status == 0 && rule_change(&ctl->store, &row))
		status = ctl_store_error(ctl);
	if (status == 0 && enabled)
		ctl_warn_bundle_id(ctl, row.bundle);
	return status ? status : ctl_add_done(done, ctl_json_rule(&row), "rule %s %s, position %u",
	                                      row.rule.name, enabled ? "enabled" : "disabled",
	                                      row.position);
}

static int enable_rule(struct ctl *ctl, const char *word, struct ctl_done *done)
{
	return switch_rule(ctl, word, true, done);
}

static int disable_rule(struct ctl *ctl, const char *word, struct ctl_done *done)
{
	return switch_rule(ctl, word, false, done);
}

static int remove_rule(struct ctl *ctl, const char *word, struct ctl_done *done)
{
	struct rule_row row;
	int status = ctl_find_rule(ctl, word, &row);

	if (status == 0 && rule_remove(&ctl->store, row.rule.id))
		status = ctl_store_error(ctl);
	return status ? status : ctl_add_removed(done, "rule", row.rule.name);
}

/* Does it, and says so: "rule dell moved, now 3" */
static int apply_change(struct ctl *ctl, int (*how)(struct ctl *ctl, struct rule_row *),
                        const char *done)
{
	struct rule_row row = { 0 };
	int status = CTL_TRANSACTION(ctl, how(ctl, &row));

	if (status == 0 && how == add_rule)
		ctl_warn_bundle_id(ctl, row.bundle);
	return status ? status : ctl_say(ctl, ctl_json_rule(&row), "rule %s %s, position %u",
	                                 row.rule.name, done, row.position);
}

static int ctl_rule_add(struct ctl *ctl)
{
	return apply_change(ctl, add_rule,
	                    ctl_given(ctl, &opt_disabled) ? "added, disabled" : "added");
}

static int ctl_rule_change(struct ctl *ctl)
{
	return ctl_change_each(ctl, count_names(ctl), change_rule);
}

static int ctl_rule_rename(struct ctl *ctl)
{
	return apply_change(ctl, rename_rule, "renamed");
}

static int ctl_rule_move(struct ctl *ctl)
{
	return apply_change(ctl, move_rule, "moved");
}

static int ctl_rule_enable(struct ctl *ctl)
{
	return ctl_change_each(ctl, ctl->word_count, enable_rule);
}

static int ctl_rule_disable(struct ctl *ctl)
{
	return ctl_change_each(ctl, ctl->word_count, disable_rule);
}

static int ctl_rule_remove(struct ctl *ctl)
{
	return ctl_change_each(ctl, ctl->word_count, remove_rule);
}

json_t *ctl_json_rule(const struct rule_row *row)
{
	return json_pack("{s:i, s:s, s:s, s:s, s:s, s:b, s:b}", "position", (int)row->position,
	                 "rule", row->rule.name, "bundle", row->bundle_name, "applies",
	                 rule_applies_name(row->rule.applies), "filter", row->filter, "repeat",
	                 row->rule.repeat, "enabled", row->enabled);
}

static const char *state_text(const struct rule_row *row)
{
	if (!row->enabled)
		return "off";
	return row->rule.repeat ? "repeats" : "on";
}

static int ctl_rule_list(struct ctl *ctl)
{
	struct table table = { .columns = 6 };
	json_t *array = json_array();
	struct rule_row row;
	struct store_rows *rows;
	int rc = rule_list(&ctl->store, &rows);

	table_add(&table, "NO", "RULE", "FOR", "BUNDLE", "STATE", "FILTER");
	while (store_next(rows, &rc)) {
		char position[16];

		rule_row(rows, &row);
		text_format(position, sizeof(position), "%u", row.position);
		table_add(&table, position, row.rule.name, rule_applies_name(row.rule.applies),
		          row.bundle_name, state_text(&row),
		          row.filter[0] ? row.filter : "(every machine)");
		json_array_append_new(array, ctl_json_rule(&row));
	}
	return ctl_answer_list(ctl, rc, &table, array);
}

static int show_rule(struct ctl *ctl, const char *word, json_t *array)
{
	struct rule_row row;
	int status = ctl_find_rule(ctl, word, &row);

	if (status)
		return status;
	if (ctl->json) {
		json_array_append_new(array, ctl_json_rule(&row));
		return 0;
	}
	printf("rule %s\n", row.rule.name);
	ctl_line("position", "%u", row.position);
	ctl_line("state", "%s", row.enabled ? "enabled" : "disabled");
	ctl_line("for", "%s machines", row.rule.applies == RULE_BOTH
	                               ? "known and unknown" : rule_applies_name(row.rule.applies));
	ctl_line("bundle", "%s", row.bundle_name);
	ctl_line("repeat", "%s", row.rule.repeat ? "yes" : "no: not where a machine has had it");
	ctl_line("filter", "%s", row.filter[0] ? row.filter : "(every machine)");
	return 0;
}

static int ctl_rule_show(struct ctl *ctl)
{
	return ctl_show_each(ctl, show_rule);
}

/* --- the noun --------------------------------------------------------------- */

static const struct verb verbs[] = {
	{ .name = "add", .alias = "new", .run = ctl_rule_add, .min = 1, .max = NO_LIMIT,
	  .options = OPTIONS(&opt_bundle, &opt_for, &opt_repeat, &opt_no_repeat, &opt_disabled,
	                     &opt_before, &opt_after, &opt_filter),
	  .usage = "NAME --bundle BUNDLE [OPTION]... FILTER",
	  .help = "Add a rule: machines that FILTER matches and that have no assignment get the "
	          "bundle. The first rule that matches applies, so the order matters. An empty "
	          "filter matches every machine. As in\n"
	          "  prebootctl rule add dell --bundle win 'manufacturer contains Dell and "
	          "memory >= 8G'" },
	{ .name = "change", .alias = "set", .run = ctl_rule_change, .min = 1, .max = NO_LIMIT,
	  .options = OPTIONS(&opt_bundle, &opt_for, &opt_repeat, &opt_no_repeat, &opt_filter),
	  .usage = "NAME... [OPTION]... [FILTER]",
	  .help = "Change rules: what is given is replaced, all else stays. For several rules the "
	          "filter is given by --filter." },
	{ .name = "move", .alias = "mv", .run = ctl_rule_move, .min = 1, .max = 2,
	  .options = OPTIONS(&opt_before, &opt_after),
	  .usage = "NAME POSITION | --before RULE | --after RULE",
	  .help = "Change the order of the rules. The first POSITION is 1." },
	{ .name = "list", .alias = "ls", .run = ctl_rule_list,
	  .help = "List the rules in their order." },
	{ .name = "show", .alias = "info", .run = ctl_rule_show, .min = 1, .max = NO_LIMIT,
	  .usage = "NAME...", .help = "Show rules." },
	{ .name = "enable", .alias = "on", .run = ctl_rule_enable, .min = 1, .max = NO_LIMIT,
	  .usage = "NAME...", .help = "Enable rules." },
	{ .name = "disable", .alias = "off", .run = ctl_rule_disable, .min = 1, .max = NO_LIMIT,
	  .usage = "NAME...", .help = "Disable rules: they are kept, but match no machine." },
	{ .name = "rename", .run = ctl_rule_rename, .min = 2, .max = 2, .usage = "NAME NEWNAME",
	  .help = "Give a rule another name." },
	{ .name = "remove", .alias = "delete", .run = ctl_rule_remove, .min = 1, .max = NO_LIMIT,
	  .usage = "NAME...", .help = "Delete rules, all or none." },
	{ .name = "test", .alias = "try", .run = ctl_rule_test, .min = 1, .max = NO_LIMIT,
	  .options = OPTIONS(&opt_address, &opt_all),
	  .usage = "FILTER|RULE [TARGET|MAC|UUID]... [--address A] [--all]",
	  .help = "Say which machines a filter matches, by their last requests, and by which "
	          "comparison: the machines that are named, or those that match of folders and "
	          "groups; without any, of all devices and unknown machines. FILTER is one word "
	          "for the shell, as in \"memory >= 8G and manufacturer contains 'Dell'\"." },
	{ .name = "facts", .run = ctl_rule_facts, .database = DB_NONE,
	  .help = "List what filters can compare. Texts: = <> contains starts-with; numbers and "
	          "sizes: = <> < > <= >=; addresses: these, and in 10.0.0.0/8. Comparisons are "
	          "joined by and, or, not and parentheses; values with spaces are quoted. A fact "
	          "that a machine does not report makes a comparison neither true nor false." },
	{ .run = NULL },
};

const struct noun noun_rule = {
	.name = "rule", .about = "which machines without an assignment get a bundle",
	.verbs = verbs,
};
