/* SPDX-License-Identifier: BSD-2-Clause */
/* Assignments: which devices, folders and groups are to get which bundle. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/noun.h"

static const struct ctl_option opt_to = {
	"to", "TARGET", "a device, a folder as in /site/lab, group:NAME, or / for all devices"
};
static const struct ctl_option opt_once = { "once", NULL, "each machine gets it once (default)" };
static const struct ctl_option opt_always = { "always", NULL, "each machine gets it at each boot" };
static const struct ctl_option opt_until = {
	"until", "DATE", "at each boot until the end of a day, as 2026-12-31, a time, as "
	"\"2026-12-31 18:00\", or for a time from now, as 7d"
};

/* --- add ------------------------------------------------------------------- */

/* What "assignment add" was asked to do. */
struct new_assignments {
	struct bundle_whole bundle;
	struct assignment_row row;
	json_t *added;
	char target[CTL_OWNER]; /* the last */
};

static int read_mode(struct ctl *ctl, struct assignment *a)
{
	int given = ctl_given(ctl, &opt_once) + ctl_given(ctl, &opt_always) +
	            ctl_given(ctl, &opt_until);

	if (given > 1)
		return ctl_error(EXIT_USAGE, "expected one of --once, --always and --until, not "
		                 "several");
	a->mode = ctl_given(ctl, &opt_always) ? ASSIGN_ALWAYS
	          : ctl_given(ctl, &opt_until) ? ASSIGN_UNTIL : ASSIGN_ONCE;
	return a->mode == ASSIGN_UNTIL ? ctl_read_until(ctl_option(ctl, &opt_until), &a->until) : 0;
}

static int assign_to(struct ctl *ctl, struct new_assignments *new, const char *word)
{
	struct assignment *a = &new->row.assignment;
	struct assignment_filter filter = { .bundle = new->row.bundle };
	struct assignment_row there;
	struct owner owner;
	char when[64];
	int rc, status = ctl_find_owner(ctl, word, &owner);

	if (status)
		return status;
	filter.level = a->level = owner.level;
	filter.owner = a->owner = owner.id;
	ctl_owner_text(ctl, &owner, new->target);
	rc = assignment_find(&ctl->store, &filter, &there);
	if (rc == 0)
		return ctl_error(EXIT_FAULT, "%s is assigned to %s already; for it to happen anew "
		                 "or otherwise, remove that first: \"prebootctl assignment remove "
		                 "%llu\"", new->row.bundle_name, new->target,
		                 (unsigned long long)there.assignment.id);
	if (rc != ERR_NOT_FOUND || assignment_add(&ctl->store, &new->row))
		return ctl_store_error(ctl);
	json_array_append_new(new->added, ctl_json_assignment(ctl, &new->row));
	ctl_assignment_when(a, when, sizeof(when));
	if (owner.level != LEVEL_DEVICE)
		return 0;
	return ctl_add_event(ctl, owner.id, "assigned", "bundle %s, %s", new->row.bundle_name,
	                    when);
}

static int add_assignments(struct ctl *ctl, struct new_assignments *new)
{
	struct assignment_row *row = &new->row;
	int status = ctl_find_bundle(ctl, ctl->words[0], &new->bundle);

	if (status == 0 && !ctl_given(ctl, &opt_to) && ctl->word_count < 2)
		status = ctl_error(EXIT_USAGE, "assignment add: missing --to TARGET: a device, a "
		                   "folder as in /site/lab, group:NAME, or / for all");
	if (status == 0)
		status = read_mode(ctl, &row->assignment);
	if (status)
		return status;
	row->bundle = new->bundle.bundle.id;
	text_format(row->bundle_name, NAME_SIZE, "%s", new->bundle.bundle.name);
	row->assignment.added = time(NULL);
	if (ctl_given(ctl, &opt_to))
		status = assign_to(ctl, new, ctl_option(ctl, &opt_to));
	for (int i = 1; status == 0 && i < ctl->word_count; i++)
		status = assign_to(ctl, new, ctl->words[i]);
	return status;
}

static int ctl_assignment_add(struct ctl *ctl)
{
	struct new_assignments new = { .added = json_array() };
	size_t count;
	char when[64];
	int status = CTL_TRANSACTION(ctl, add_assignments(ctl, &new));

	if (status) {
		json_decref(new.added);
		return status;
	}
	ctl_warn_bundle_id(ctl, new.row.bundle);
	count = json_array_size(new.added);
	ctl_assignment_when(&new.row.assignment, when, sizeof(when));
	if (count == 1)
		return ctl_say(ctl, new.added, "assignment %llu: %s to %s, %s",
		               (unsigned long long)new.row.assignment.id,
		               new.row.bundle_name, new.target, when);
	return ctl_say(ctl, new.added, "%zu assignments of %s, %s", count,
	               new.row.bundle_name, when);
}

/* --- list ------------------------------------------------------------------ */

static int gather_assignments(struct ctl *ctl, const struct assignment_filter *filter,
                              struct table *table, json_t *array)
{
	struct assignment_row row;
	struct assignment_past past;
	struct store_rows *rows;
	int rc = assignment_list(&ctl->store, filter, &rows);

	while (store_next(rows, &rc)) {
		char id[24], target[CTL_OWNER], when[64], open[24], done[24], failed[24];
		json_t *object;

		assignment_row(rows, &row);
		rc = assignment_past(&ctl->store, row.assignment.id, &past);
		text_format(id, sizeof(id), "%" PRIu64, row.assignment.id);
		ctl_assignment_target(ctl, &row.assignment, target);
		ctl_assignment_when(&row.assignment, when, sizeof(when));
		text_format(open, sizeof(open), "%" PRIu64, past.open);
		text_format(done, sizeof(done), "%" PRIu64, past.done);
		text_format(failed, sizeof(failed), "%" PRIu64, past.failed);
		table_add(table, id, row.bundle_name, target, when, open, done, failed);
		object = ctl_json_assignment(ctl, &row);
		json_object_set_new(object, "open", json_integer((json_int_t)past.open));
		json_object_set_new(object, "done", json_integer((json_int_t)past.done));
		json_object_set_new(object, "failed", json_integer((json_int_t)past.failed));
		json_object_set_new(object, "cancelled", json_integer((json_int_t)past.cancelled));
		json_array_append_new(array, object);
	}
	return rc;
}

static void add_head(struct table *table)
{
	table_add(table, "ID", "BUNDLE", "TO", "WHEN", "OPEN", "DONE", "FAILED");
}

int ctl_print_assignments(struct ctl *ctl, const struct assignment_filter *filter)
{
	struct table table = { .columns = 7 };
	json_t *array = json_array();

	add_head(&table);
	return ctl_answer_list(ctl, gather_assignments(ctl, filter, &table, array), &table, array);
}

/* Gathers those of each bundle that the words name. Returns an exit status. */
static int gather_of_words(struct ctl *ctl, struct assignment_filter *filter, struct table *table,
                           json_t *array)
{
	struct bundle_whole bundle;
	int status = 0;

	for (int i = 0; status == 0 && i < ctl->word_count; i++) {
		status = ctl_find_bundle(ctl, ctl->words[i], &bundle);
		filter->bundle = bundle.bundle.id;
		if (status == 0 && gather_assignments(ctl, filter, table, array))
			status = ctl_store_error(ctl);
	}
	return status;
}

static int ctl_assignment_list(struct ctl *ctl)
{
	struct table table = { .columns = 7 };
	struct assignment_filter filter = { 0 };
	json_t *array = json_array();
	struct owner owner;
	int status = 0;

	if (ctl_given(ctl, &opt_to)) {
		status = ctl_find_owner(ctl, ctl_option(ctl, &opt_to), &owner);
		filter.level = owner.level;
		filter.owner = owner.id;
	}
	add_head(&table);
	if (status == 0)
		status = gather_of_words(ctl, &filter, &table, array);
	if (status == 0)
		return ctl_answer_list(ctl, ctl->word_count ? 0 : gather_assignments(
		                       ctl, &filter, &table, array), &table, array);
	table_free(&table);
	json_decref(array);
	return status;
}

/* --- remove ---------------------------------------------------------------- */

/* Finds what a word of "assignment remove" names: an id, or a bundle and --to. */
static int find_assignment(struct ctl *ctl, const char *word, struct assignment_row *row)
{
	struct assignment_filter filter = { 0 };
	struct bundle_whole bundle;
	struct owner owner;
	int rc, status;

	if (word[0] && strspn(word, "0123456789") == strlen(word)) {
		rc = assignment_by_id(&ctl->store, strtoull(word, NULL, 10), row);
		if (rc == ERR_NOT_FOUND)
			return ctl_error(EXIT_FAULT, "unknown assignment \"%s\"; see "
			                 "\"prebootctl assignment list\"", word);
		return rc ? ctl_store_error(ctl) : 0;
	}
	status = ctl_find_bundle(ctl, word, &bundle);
	if (status == 0 && !ctl_given(ctl, &opt_to))
		status = ctl_error(EXIT_USAGE, "assignment remove %s: missing --to TARGET; or name "
		                   "the assignment by its number", bundle.bundle.name);
	if (status == 0)
		status = ctl_find_owner(ctl, ctl_option(ctl, &opt_to), &owner);
	if (status)
		return status;
	filter = (struct assignment_filter){ bundle.bundle.id, owner.level, owner.id };
	rc = assignment_find(&ctl->store, &filter, row);
	if (rc == ERR_NOT_FOUND)
		return ctl_error(EXIT_FAULT, "%s is not assigned to %s; \"prebootctl assignment "
		                 "list %s\" says to whom", bundle.bundle.name,
		                 ctl_option(ctl, &opt_to), bundle.bundle.name);
	return rc ? ctl_store_error(ctl) : 0;
}

static int remove_assignment(struct ctl *ctl, const char *word, struct ctl_done *done)
{
	struct assignment_row row;
	char target[CTL_OWNER];
	int status = find_assignment(ctl, word, &row);

	if (status == 0 && assignment_remove(&ctl->store, row.assignment.id))
		status = ctl_store_error(ctl);
	if (status == 0 && row.assignment.level == LEVEL_DEVICE)
		status = ctl_add_event(ctl, row.assignment.owner, "unassigned", "bundle %s",
		                       row.bundle_name);
	if (status)
		return status;
	ctl_assignment_target(ctl, &row.assignment, target);
	return ctl_add_done(done, ctl_json_assignment(ctl, &row), "assignment %llu removed: %s to "
	                    "%s", (unsigned long long)row.assignment.id, row.bundle_name, target);
}

static int ctl_assignment_remove(struct ctl *ctl)
{
	return ctl_change_each(ctl, ctl->word_count, remove_assignment);
}

/* --- the noun --------------------------------------------------------------- */

static const struct verb verbs[] = {
	{ .name = "add", .alias = "new", .run = ctl_assignment_add, .min = 1, .max = NO_LIMIT,
	  .options = OPTIONS(&opt_to, &opt_once, &opt_always, &opt_until),
	  .usage = "BUNDLE [--to] TARGET... [--once|--always|--until DATE]",
	  .help = "Assign a bundle to devices, folders, groups, or all devices (/). The nearest "
	          "assignment comes first: the device's own, its groups', its folder's and those "
	          "of the folders around it, then that of all devices. A job that failed is not "
	          "tried again before \"prebootctl job retry\"." },
	{ .name = "list", .alias = "ls", .run = ctl_assignment_list, .min = 0,
	  .max = NO_LIMIT, .options = OPTIONS(&opt_to), .usage = "[BUNDLE]... [--to TARGET]",
	  .help = "List the assignments, and the number of jobs made of each: of bundles, or "
	          "those made to just this target. What a device gets in the end, and why: "
	          "\"prebootctl explain DEVICE\"." },
	{ .name = "remove", .alias = "delete", .run = ctl_assignment_remove, .min = 1,
	  .max = NO_LIMIT, .options = OPTIONS(&opt_to), .usage = "ID... | BUNDLE... --to TARGET",
	  .help = "Delete assignments, all or none. Jobs that machines have already been given stay; "
	          "\"prebootctl job cancel\" ends those." },
	{ .run = NULL },
};

const struct noun noun_assignment = {
	.name = "assignment", .about = "which devices are to get which bundle", .verbs = verbs,
};
