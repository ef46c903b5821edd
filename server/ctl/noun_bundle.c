/* SPDX-License-Identifier: BSD-2-Clause */
/* Bundles: named descriptions of jobs. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/noun.h"
#include "server/store/multicasts.h"
#include "server/store/rules.h"

static const struct ctl_option opt_kind = {
	"kind", "imaging|third-party|kickstart|script|multicast",
	"decides on the configuration file and on what completes a job: imaging (default) and "
	"script: z_auto.cfg, agent; third-party: winpe.cfg, next-boot; kickstart, also called "
	"autoinstall: kickstart.cfg, next-boot; multicast: z_auto.cfg, agent"
};
static const struct ctl_option opt_completes = {
	"completes", "agent|handover|next-boot",
	"what completes a job: agent: its report; handover: the loader gets the machine; "
	"next-boot: the machine boots again and had not gone to its disk"
};

static int find_id(struct store *store, const char *name, uint64_t *id)
{
	struct bundle_whole found;
	int rc = bundle_find(store, name, &found);

	*id = rc ? 0 : found.bundle.id;
	return rc;
}

static const struct named named_bundle = { "bundle", find_id };

static int read_kind(struct ctl *ctl, struct bundle *bundle)
{
	const char *name = ctl_option(ctl, &opt_kind);
	enum bundle_kind before = bundle->kind;

	if (!name)
		return 0;
	/* What Ubuntu calls the like. */
	if (strcmp(name, "autoinstall") == 0)
		name = bundle_kind_name(BUNDLE_KICKSTART);
	if (bundle_kind_parse(name, &bundle->kind))
		return ctl_error(EXIT_USAGE, "--kind %s: expected imaging, third-party, kickstart, "
		                 "script or multicast", name);
	/* A file that was the old kind's own becomes the new one's. */
	if (strcmp(bundle->config, bundle_kind_config(before)) == 0)
		text_format(bundle->config, sizeof(bundle->config), "%s",
		            bundle_kind_config(bundle->kind));
	if (bundle->completion == bundle_kind_completion(before))
		bundle->completion = bundle_kind_completion(bundle->kind);
	return 0;
}

static int read_completion(struct ctl *ctl, struct bundle *bundle)
{
	const char *name = ctl_option(ctl, &opt_completes);

	if (name && completion_parse(name, &bundle->completion))
		return ctl_error(EXIT_USAGE,
		                 "--completes %s: expected agent, handover or next-boot",
		                 name);
	return 0;
}

/* Reads all that the command line says of a bundle; details are the words from @first on. */
static int read_bundle(struct ctl *ctl, int first, struct bundle_whole *whole)
{
	int status = read_kind(ctl, &whole->bundle);

	if (status == 0)
		status = read_completion(ctl, &whole->bundle);
	if (status == 0)
		status = ctl_read_bundle(ctl, &whole->bundle);
	if (status == 0)
		status = ctl_read_details(ctl, first, &whole->details);
	if (status == 0)
		status = ctl_check_details(&whole->bundle, &whole->details, true);
	return status;
}

/* --- add, change, rename --------------------------------------------------- */

static int add_bundle(struct ctl *ctl, struct bundle_whole *whole)
{
	struct bundle *b = &whole->bundle;
	int status = ctl_check_free_name(ctl, &named_bundle, ctl->words[0], 0);

	if (status)
		return status;
	memset(whole, 0, sizeof(*whole));
	text_format(b->name, sizeof(b->name), "%s", ctl->words[0]);
	loader_leave_to_settings(&b->loaders);
	b->kind = BUNDLE_IMAGING;
	text_format(b->config, sizeof(b->config), "%s", bundle_kind_config(b->kind));
	whole->added = time(NULL);
	status = read_bundle(ctl, 1, whole);
	if (status == 0 && bundle_add(&ctl->store, whole))
		status = ctl_store_error(ctl);
	return status;
}

/* Returns how many words name bundles: those before the first KEY=VALUE. */
static int count_names(const struct ctl *ctl)
{
	int count = 1;

	while (count < ctl->word_count && !strchr(ctl->words[count], '='))
		count++;
	return count;
}

static int change_bundle(struct ctl *ctl, const char *word, struct ctl_done *done)
{
	struct bundle_whole whole;
	int status = ctl_find_bundle(ctl, word, &whole);

	if (status == 0)
		status = read_bundle(ctl, count_names(ctl), &whole);
	if (status == 0 && bundle_change(&ctl->store, &whole))
		status = ctl_store_error(ctl);
	if (status)
		return status;
	ctl_warn_bundle_id(ctl, whole.bundle.id);
	if (ctl_given(ctl, &opt_kind))
		ctl_note_kind(ctl, &whole.bundle);
	return ctl_add_done(done, ctl_json_bundle(&whole), "bundle %s changed", whole.bundle.name);
}

static int rename_bundle(struct ctl *ctl, struct bundle_whole *whole)
{
	int status = ctl_find_bundle(ctl, ctl->words[0], whole);

	if (status == 0)
		status = ctl_check_free_name(ctl, &named_bundle, ctl->words[1], whole->bundle.id);
	if (status)
		return status;
	text_format(whole->bundle.name, NAME_SIZE, "%s", ctl->words[1]);
	return bundle_change(&ctl->store, whole) ? ctl_store_error(ctl) : 0;
}

static int apply_change(struct ctl *ctl, int (*how)(struct ctl *ctl, struct bundle_whole *),
                        const char *done)
{
	struct bundle_whole whole;
	int status = CTL_TRANSACTION(ctl, how(ctl, &whole));

	if (status)
		return status;
	if (how == add_bundle) {
		ctl_warn_bundle_id(ctl, whole.bundle.id);
		ctl_note_kind(ctl, &whole.bundle);
	}
	return ctl_say(ctl, ctl_json_bundle(&whole), "bundle %s %s", whole.bundle.name, done);
}

static int ctl_bundle_add(struct ctl *ctl)
{
	return apply_change(ctl, add_bundle, "added");
}

static int ctl_bundle_change(struct ctl *ctl)
{
	return ctl_change_each(ctl, count_names(ctl), change_bundle);
}

static int ctl_bundle_rename(struct ctl *ctl)
{
	return apply_change(ctl, rename_bundle, "renamed");
}

/* --- remove ---------------------------------------------------------------- */

#define PLACES_LISTED 5

/* Where a bundle is used, as a sentence; no more than a few are named. */
struct places {
	char text[1024];
	size_t count;
};

static void add_place(struct places *places, const char *what, const char *name)
{
	size_t length = strlen(places->text);

	if (places->count++ < PLACES_LISTED)
		text_format(places->text + length, sizeof(places->text) - length, "%s%s%s",
		            length ? ", " : "", what, name);
}

static int find_assignments(struct ctl *ctl, uint64_t bundle, struct places *places)
{
	struct assignment_filter filter = { .bundle = bundle };
	struct assignment_row row;
	char text[CTL_OWNER];
	struct store_rows *rows;
	int rc = assignment_list(&ctl->store, &filter, &rows);

	while (store_next(rows, &rc)) {
		struct owner owner;

		assignment_row(rows, &row);
		owner = (struct owner){ row.assignment.level, row.assignment.owner };
		ctl_owner_text(ctl, &owner, text);
		add_place(places, "assigned to ", text);
	}
	return rc;
}

static int find_others(struct ctl *ctl, uint64_t bundle, struct places *places)
{
	struct multicast_row session;
	struct rule_row rule;
	struct store_rows *rows;
	int rc = rule_list(&ctl->store, &rows);

	while (store_next(rows, &rc)) {
		rule_row(rows, &rule);
		if (rule.bundle == bundle)
			add_place(places, "rule ", rule.rule.name);
	}
	if (rc == 0)
		rc = multicast_list(&ctl->store, &rows);
	while (store_next(rows, &rc)) {
		multicast_row(rows, &session);
		if (session.bundle == bundle)
			add_place(places, "multicast session ", session.multicast.name);
	}
	return rc;
}

static int remove_bundle(struct ctl *ctl, const char *word, struct ctl_done *done)
{
	struct bundle_whole whole;
	struct places places = { 0 };
	int status = ctl_find_bundle(ctl, word, &whole);

	if (status)
		return status;
	if (find_assignments(ctl, whole.bundle.id, &places) ||
	    find_others(ctl, whole.bundle.id, &places))
		return ctl_store_error(ctl);
	if (places.count > PLACES_LISTED)
		return ctl_error(EXIT_FAULT, "bundle %s is in use: %s and %zu more; remove those "
		                 "first", whole.bundle.name, places.text,
		                 places.count - PLACES_LISTED);
	if (places.count)
		return ctl_error(EXIT_FAULT, "bundle %s is in use: %s; remove %s first",
		                 whole.bundle.name, places.text,
		                 places.count > 1 ? "those" : "that");
	if (bundle_remove(&ctl->store, whole.bundle.id))
		return ctl_store_error(ctl);
	return ctl_add_removed(done, "bundle", whole.bundle.name);
}

static int ctl_bundle_remove(struct ctl *ctl)
{
	return ctl_change_each(ctl, ctl->word_count, remove_bundle);
}

json_t *ctl_json_bundle(const struct bundle_whole *whole)
{
	const struct bundle *b = &whole->bundle;

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}",
	                 "bundle", b->name, "kind", bundle_kind_name(b->kind),
	                 CTL_JSON_LOADERS(b->loaders), "config", b->config, "prefix", b->prefix,
	                 "completes", completion_name(b->completion),
	                 "attempts", b->attempts ? json_integer(b->attempts) : json_null(),
	                 "deadline", b->deadline ? json_integer(b->deadline) : json_null(),
	                 "details", ctl_json_details(&whole->details), "added",
	                 ctl_json_time(whole->added));
}

static json_t *json_uses(const struct bundle_uses *uses)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "assignments",
	                 (json_int_t)uses->assignments, "rules", (json_int_t)uses->rules,
	                 "sessions", (json_int_t)uses->sessions, "open", (json_int_t)uses->open,
	                 "done", (json_int_t)uses->done, "failed", (json_int_t)uses->failed);
}

/* --- list ------------------------------------------------------------------ */

static const char *const loader_lines[LOADERS] = {
	[LOADER_BIOS] = "loader for BIOS",
	[LOADER_UEFI] = "loader for UEFI",
	[LOADER_UEFI_IA32] = "on IA32",
	[LOADER_UEFI_ARM64] = "on ARM64",
};

static const char *loader_text(const char *loader)
{
	if (strcmp(loader, LOADER_OF_SETTINGS) == 0)
		return "as set";
	return loader[0] ? loader : "none";
}

static void list_bundle(struct table *table, const struct bundle *b, const struct bundle_uses *uses)
{
	char used[24], open[24], done[24], failed[24];

	text_format(used, sizeof(used), "%" PRIu64,
	            uses->assignments + uses->rules + uses->sessions);
	text_format(open, sizeof(open), "%" PRIu64, uses->open);
	text_format(done, sizeof(done), "%" PRIu64, uses->done);
	text_format(failed, sizeof(failed), "%" PRIu64, uses->failed);
	table_add(table, b->name, bundle_kind_name(b->kind), b->config[0] ? b->config : "none",
	          loader_text(b->loaders.of[LOADER_BIOS]),
	          loader_text(b->loaders.of[LOADER_UEFI]), used, open, done,
	          failed);
}

static int ctl_bundle_list(struct ctl *ctl)
{
	struct table table = { .columns = 9 };
	json_t *array = json_array();
	struct bundle_whole whole;
	struct bundle_uses uses;
	struct store_rows *rows;
	int rc = bundle_list(&ctl->store, &rows);

	table_add(&table, "BUNDLE", "KIND", "CONFIG", "BIOS", "UEFI", "USED", "OPEN", "DONE",
	          "FAILED");
	while (store_next(rows, &rc)) {
		json_t *object;

		bundle_row(rows, &whole);
		rc = bundle_uses(&ctl->store, whole.bundle.id, &uses);
		if (rc)
			break;
		list_bundle(&table, &whole.bundle, &uses);
		object = ctl_json_bundle(&whole);
		json_object_set_new(object, "uses", json_uses(&uses));
		json_array_append_new(array, object);
	}
	return ctl_answer_list(ctl, rc, &table, array);
}

/* --- show ------------------------------------------------------------------ */

static void print_bundle(const struct bundle_whole *whole, const struct bundle_uses *uses)
{
	const struct bundle *b = &whole->bundle;
	const struct details *details = &whole->details;
	char deadline[CTL_SECONDS];

	printf("bundle %s\n", b->name);
	ctl_line("kind", "%s", bundle_kind_name(b->kind));
	for (enum loader_kind kind = 0; kind < LOADERS; kind++)
		ctl_line(loader_lines[kind], "%s", loader_text(b->loaders.of[kind]));
	ctl_line("config", "%s", b->config[0] ? b->config : "none");
	if (b->prefix[0])
		ctl_line("prefix", "%s", b->prefix);
	if (b->completion != COMPLETION_AGENT)
		ctl_line("completes", "%s", completion_name(b->completion));
	if (b->attempts)
		ctl_line("attempts", "%u", b->attempts);
	ctl_seconds_text(b->deadline, deadline);
	if (b->deadline)
		ctl_line("deadline", "%s after a job has begun", deadline);
	for (size_t at = 0; at < details->details_length;
	     at += strlen(details->details + at) + 1)
		ctl_line("detail", "%s", details->details + at);
	ctl_line("jobs", "%llu open, %llu done, %llu failed", (unsigned long long)uses->open,
	         (unsigned long long)uses->done, (unsigned long long)uses->failed);
	ctl_line("used by", "%llu assignments, %llu rules, %llu multicast sessions",
	         (unsigned long long)uses->assignments, (unsigned long long)uses->rules,
	         (unsigned long long)uses->sessions);
}

static int show_bundle(struct ctl *ctl, const char *word, json_t *array)
{
	struct assignment_filter filter = { 0 };
	struct bundle_whole whole;
	struct bundle_uses uses;
	json_t *object;
	int status = ctl_find_bundle(ctl, word, &whole);

	if (status)
		return status;
	if (bundle_uses(&ctl->store, whole.bundle.id, &uses))
		return ctl_store_error(ctl);
	if (ctl->json) {
		object = ctl_json_bundle(&whole);
		json_object_set_new(object, "uses", json_uses(&uses));
		json_array_append_new(array, object);
		return 0;
	}
	print_bundle(&whole, &uses);
	if (uses.assignments == 0)
		return 0;
	puts("");
	filter.bundle = whole.bundle.id;
	return ctl_print_assignments(ctl, &filter);
}

static int ctl_bundle_show(struct ctl *ctl)
{
	return ctl_show_each(ctl, show_bundle);
}

/* --- the noun --------------------------------------------------------------- */

static const struct verb verbs[] = {
	{ .name = "add", .alias = "new", .run = ctl_bundle_add, .min = 1, .max = NO_LIMIT,
	  .options = OPTIONS(&opt_kind, &opt_completes, BUNDLE_OPTIONS), .database = DB_CREATE,
	  .usage = "NAME [--kind KIND] [OPTION]... [KEY=VALUE]...",
	  .help = "Add a bundle: a named description of jobs, which can be assigned, or given by "
	          "rules and multicast sessions. KEY=VALUE pairs are details that the agent in the "
	          "booted system gets." },
	{ .name = "change", .alias = "set", .run = ctl_bundle_change, .min = 1, .max = NO_LIMIT,
	  .options = OPTIONS(&opt_kind, &opt_completes, &opt_unset, BUNDLE_OPTIONS),
	  .usage = "NAME... [OPTION]... [--unset KEY,...] [KEY=VALUE]...",
	  .help = "Change bundles: what is given is replaced, all else stays. Jobs that machines "
	          "have already been given stay as they are. \"*\" makes loaders, attempts and "
	          "deadline those of the settings again." },
	{ .name = "list", .alias = "ls", .run = ctl_bundle_list,
	  .help = "List the bundles, with the number of assignments, rules and sessions that use "
	          "each, and of its jobs that are open, done and failed." },
	{ .name = "show", .alias = "info", .run = ctl_bundle_show, .min = 1, .max = NO_LIMIT,
	  .usage = "BUNDLE...", .help = "Show bundles, and what they are assigned to." },
	{ .name = "rename", .alias = "mv", .run = ctl_bundle_rename, .min = 2, .max = 2,
	  .usage = "NAME NEWNAME", .help = "Give a bundle another name." },
	{ .name = "remove", .alias = "delete", .run = ctl_bundle_remove, .min = 1,
	  .max = NO_LIMIT, .usage = "BUNDLE...",
	  .help = "Delete bundles that no assignment, rule or session uses, all or none." },
	{ .run = NULL },
};

const struct noun noun_bundle = {
	.name = "bundle", .about = "named descriptions of jobs", .verbs = verbs,
};
