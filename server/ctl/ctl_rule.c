/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl_verbs.h"
#include "server/store/rules.h"

int ctl_find_rule(struct ctl *ctl, const char *name, struct rule_row *row)
{
	int rc = rule_find(&ctl->store, name, row);

	return ctl_found(ctl, rc, name, "rule", "rule");
}

static int check_name(struct ctl *ctl, const char *name, uint64_t id)
{
	struct rule_row other;
	int rc = rule_find(&ctl->store, name, &other);

	if (rc == 0 && other.rule.id == id)
		rc = ERR_NOT_FOUND;
	return ctl_check_name(ctl, rc, name, "rule");
}

/* --- what is said of a rule ------------------------------------------------ */

int ctl_check_filter(const char *text)
{
	struct filter_error error;
	struct filter *filter = filter_parse(text, &error);

	if (filter) {
		filter_free(filter);
		return 0;
	}
	ctl_error(EXIT_USAGE, "the filter is wrong at column %zu: %s", error.column, error.message);
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
		length = (size_t)snprintf(out, FILTER_TEXT, "%s", ctl->option[OPT_FILTER]);
	else if (ctl_given(ctl, OPT_FILTER))
		return ctl_error(EXIT_USAGE, "the filter is given twice: by --filter, and by "
		                 "\"%s\"", out);
	if (length >= FILTER_TEXT)
		return ctl_error(EXIT_USAGE, "the filter is too long: %zu characters, where %d are "
		                 "the most", length, FILTER_TEXT - 1);
	return ctl_check_filter(out);
}

/* Reads what the options and words say of a rule, and leaves what they do not. */
static int read_rule(struct ctl *ctl, struct rule_row *row)
{
	const char *applies = ctl->option[OPT_FOR];
	struct bundle_whole bundle;
	int status = 0;

	if (ctl_given(ctl, OPT_BUNDLE)) {
		status = ctl_find_bundle(ctl, ctl->option[OPT_BUNDLE], &bundle);
		if (status)
			return status;
		row->bundle = bundle.bundle.id;
		text_format(row->bundle_name, NAME_SIZE, "%s", bundle.bundle.name);
	}
	if (applies && rule_applies_parse(applies, &row->rule.applies))
		return ctl_error(EXIT_USAGE, "--for %s: expected known, unknown or both", applies);
	if (ctl_given(ctl, OPT_REPEAT) && ctl_given(ctl, OPT_NO_REPEAT))
		return ctl_error(EXIT_USAGE, "expected --repeat or --no-repeat, not both");
	if (ctl_given(ctl, OPT_REPEAT) || ctl_given(ctl, OPT_NO_REPEAT))
		row->rule.repeat = ctl_given(ctl, OPT_REPEAT);
	if (ctl->word_count > 1 || ctl_given(ctl, OPT_FILTER))
		status = ctl_read_filter(ctl, 1, row->filter);
	return status;
}

/* Moves @row to where --before, --after or @word say; leaves it if none does. */
static int place(struct ctl *ctl, struct rule_row *row, const char *word)
{
	const char *before = ctl->option[OPT_BEFORE], *after = ctl->option[OPT_AFTER];
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
		/* It leaves its own place first; what was behind that moves up. */
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

static int adding(struct ctl *ctl, void *data)
{
	struct rule_row *row = data;
	int status = check_name(ctl, ctl->words[0], 0);

	if (status)
		return status;
	if (!ctl_given(ctl, OPT_BUNDLE))
		return ctl_error(EXIT_USAGE, "rule add: needs --bundle NAME");
	if (ctl->word_count < 2 && !ctl_given(ctl, OPT_FILTER))
		return ctl_error(EXIT_USAGE, "rule add: needs a filter, as in 'maker contains Dell "
		                 "and memory >= 8G'; one that is empty, '', is for every machine");
	text_format(row->rule.name, NAME_SIZE, "%s", ctl->words[0]);
	row->rule.applies = RULE_KNOWN;
	row->enabled = !ctl_given(ctl, OPT_DISABLED);
	status = read_rule(ctl, row);
	if (status == 0 && rule_add(&ctl->store, row))
		status = ctl_store_error(ctl);
	return status ? status : place(ctl, row, NULL);
}

static int changing(struct ctl *ctl, void *data)
{
	struct rule_row *row = data;
	int status = ctl_find_rule(ctl, ctl->words[0], row);

	if (status == 0)
		status = read_rule(ctl, row);
	if (status == 0 && rule_change(&ctl->store, row))
		status = ctl_store_error(ctl);
	return status;
}

static int renaming(struct ctl *ctl, void *data)
{
	struct rule_row *row = data;
	int status = ctl_find_rule(ctl, ctl->words[0], row);

	if (status == 0)
		status = check_name(ctl, ctl->words[1], row->rule.id);
	if (status)
		return status;
	text_format(row->rule.name, NAME_SIZE, "%s", ctl->words[1]);
	return rule_change(&ctl->store, row) ? ctl_store_error(ctl) : 0;
}

static int moving(struct ctl *ctl, void *data)
{
	const char *word = ctl->word_count > 1 ? ctl->words[1] : NULL;
	int status = ctl_find_rule(ctl, ctl->words[0], data);

	if (status)
		return status;
	if (!word && !ctl_given(ctl, OPT_BEFORE) && !ctl_given(ctl, OPT_AFTER))
		return ctl_error(EXIT_USAGE, "rule move: where to? expected a position from 1, "
		                 "--before RULE or --after RULE");
	return place(ctl, data, word);
}

static int switching(struct ctl *ctl, struct rule_row *row, bool enabled)
{
	int status = ctl_find_rule(ctl, ctl->words[0], row);

	row->enabled = enabled;
	if (status == 0 && rule_change(&ctl->store, row))
		status = ctl_store_error(ctl);
	return status;
}

static int enabling(struct ctl *ctl, void *data)
{
	return switching(ctl, data, true);
}

static int disabling(struct ctl *ctl, void *data)
{
	return switching(ctl, data, false);
}

static int removing(struct ctl *ctl, void *data)
{
	struct rule_row *row = data;
	int status = ctl_find_rule(ctl, ctl->words[0], row);

	if (status == 0 && rule_remove(&ctl->store, row->rule.id))
		status = ctl_store_error(ctl);
	return status;
}

/* Does it, and says so: "rule dell moved, now 3" */
static int change(struct ctl *ctl, int (*how)(struct ctl *ctl, void *data), const char *done)
{
	struct rule_row row = { 0 };
	int status = ctl_transaction(ctl, how, &row);

	if (status == 0 && (how == adding || how == changing || how == enabling))
		ctl_warn_bundle_id(ctl, row.bundle);
	return status ? status : ctl_say(ctl, ctl_json_rule(&row), "rule %s %s, position %u",
	                                 row.rule.name, done, row.position);
}

int ctl_rule_add(struct ctl *ctl)
{
	return change(ctl, adding, ctl_given(ctl, OPT_DISABLED) ? "added, disabled" : "added");
}

int ctl_rule_change(struct ctl *ctl)
{
	return change(ctl, changing, "changed");
}

int ctl_rule_rename(struct ctl *ctl)
{
	return change(ctl, renaming, "renamed");
}

int ctl_rule_move(struct ctl *ctl)
{
	return change(ctl, moving, "moved");
}

int ctl_rule_enable(struct ctl *ctl)
{
	return change(ctl, enabling, "enabled");
}

int ctl_rule_disable(struct ctl *ctl)
{
	return change(ctl, disabling, "disabled");
}

int ctl_rule_remove(struct ctl *ctl)
{
	struct rule_row row = { 0 };
	int status = ctl_transaction(ctl, removing, &row);

	return status ? status : ctl_say(ctl, json_pack("{s:s}", "removed", row.rule.name),
	                                 "rule %s removed", row.rule.name);
}
