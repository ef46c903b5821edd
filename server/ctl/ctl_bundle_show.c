/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl_verbs.h"

json_t *ctl_json_bundle(const struct bundle_whole *whole)
{
	const struct bundle *b = &whole->bundle;

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "bundle", b->name,
	                 "kind", bundle_kind_name(b->kind), "loader_bios", b->loader_bios,
	                 "loader_uefi", b->loader_uefi, "config", b->config, "prefix", b->prefix,
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

static const char *loader_text(const char *loader)
{
	if (strcmp(loader, LOADER_OF_SETTINGS) == 0)
		return "as set";
	return loader[0] ? loader : "none";
}

static void list_row(struct table *table, const struct bundle *b, const struct bundle_uses *uses)
{
	char used[24], open[24], done[24], failed[24];

	text_format(used, sizeof(used), "%" PRIu64, uses->assignments + uses->rules + uses->sessions);
	text_format(open, sizeof(open), "%" PRIu64, uses->open);
	text_format(done, sizeof(done), "%" PRIu64, uses->done);
	text_format(failed, sizeof(failed), "%" PRIu64, uses->failed);
	table_add(table, b->name, bundle_kind_name(b->kind), b->config[0] ? b->config : "none",
	          loader_text(b->loader_bios), loader_text(b->loader_uefi), used, open, done,
	          failed);
}

int ctl_bundle_list(struct ctl *ctl)
{
	struct table table = { .columns = 9 };
	json_t *array = json_array();
	struct bundle_whole whole;
	struct bundle_uses uses;
	sqlite3_stmt *rows;
	int rc = bundle_list(&ctl->store, &rows);

	table_add(&table, "BUNDLE", "KIND", "CONFIG", "BIOS", "UEFI", "USED", "OPEN", "DONE",
	          "FAILED");
	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		json_t *object;

		bundle_row(rows, &whole);
		rc = bundle_uses(&ctl->store, whole.bundle.id, &uses);
		if (rc)
			break;
		list_row(&table, &whole.bundle, &uses);
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

	printf("bundle %s\n", b->name);
	ctl_line("kind", "%s", bundle_kind_name(b->kind));
	ctl_line("loader for BIOS", "%s", loader_text(b->loader_bios));
	ctl_line("loader for UEFI", "%s", loader_text(b->loader_uefi));
	ctl_line("config", "%s", b->config[0] ? b->config : "none");
	if (b->prefix[0])
		ctl_line("prefix", "%s", b->prefix);
	if (b->completion != COMPLETION_AGENT)
		ctl_line("completes", "%s", completion_name(b->completion));
	if (b->attempts)
		ctl_line("attempts", "%u", b->attempts);
	if (b->deadline)
		ctl_line("deadline", "%u s", b->deadline);
	for (size_t at = 0; at < details->details_length;
	     at += strlen(details->details + at) + 1)
		ctl_line("detail", "%s", details->details + at);
	ctl_line("work", "%llu open, %llu done, %llu failed", (unsigned long long)uses->open,
	         (unsigned long long)uses->done, (unsigned long long)uses->failed);
	ctl_line("used by", "%llu assignments, %llu rules, %llu multicast sessions",
	         (unsigned long long)uses->assignments, (unsigned long long)uses->rules,
	         (unsigned long long)uses->sessions);
}

int ctl_bundle_show(struct ctl *ctl)
{
	struct assignment_filter filter = { 0 };
	struct bundle_whole whole;
	struct bundle_uses uses;
	json_t *object;
	int status = ctl_find_bundle(ctl, ctl->words[0], &whole);

	if (status)
		return status;
	if (bundle_uses(&ctl->store, whole.bundle.id, &uses))
		return ctl_store_error(ctl);
	if (ctl->json) {
		object = ctl_json_bundle(&whole);
		json_object_set_new(object, "uses", json_uses(&uses));
		ctl_print_json(object);
		return 0;
	}
	print_bundle(&whole, &uses);
	if (uses.assignments == 0)
		return 0;
	puts("");
	filter.bundle = whole.bundle.id;
	return ctl_print_assignments(ctl, &filter);
}
