/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl_verbs.h"
#include "server/store/multicasts.h"
#include "server/store/rules.h"

/* Refuses a name that may not be, or that another bundle than @id has. */
static int check_name(struct ctl *ctl, const char *name, uint64_t id)
{
	struct bundle_whole other;
	int rc = bundle_find(&ctl->store, name, &other);

	if (rc == 0 && other.bundle.id == id)
		rc = ERR_NOT_FOUND;
	return ctl_check_name(ctl, rc, name, "bundle");
}

static int read_kind(struct ctl *ctl, struct bundle *bundle)
{
	const char *name = ctl->option[OPT_KIND];
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
	const char *name = ctl->option[OPT_COMPLETES];

	if (name && completion_parse(name, &bundle->completion))
		return ctl_error(EXIT_USAGE, "--completes %s: expected agent, handover or next-boot",
		                 name);
	return 0;
}

/* Reads all that the command line says of a bundle. */
static int read_all(struct ctl *ctl, struct bundle_whole *whole)
{
	int status = read_kind(ctl, &whole->bundle);

	if (status == 0)
		status = read_completion(ctl, &whole->bundle);
	if (status == 0)
		status = ctl_read_bundle(ctl, &whole->bundle);
	if (status == 0)
		status = ctl_read_details(ctl, 1, &whole->details);
	if (status == 0)
		status = ctl_check_details(&whole->bundle, &whole->details, true);
	return status;
}

/* --- add, change, rename --------------------------------------------------- */

static int adding(struct ctl *ctl, void *data)
{
	struct bundle_whole *whole = data;
	struct bundle *b = &whole->bundle;
	int status = check_name(ctl, ctl->words[0], 0);

	if (status)
		return status;
	memset(whole, 0, sizeof(*whole));
	text_format(b->name, sizeof(b->name), "%s", ctl->words[0]);
	text_format(b->loader_bios, sizeof(b->loader_bios), LOADER_OF_SETTINGS);
	text_format(b->loader_uefi, sizeof(b->loader_uefi), LOADER_OF_SETTINGS);
	b->kind = BUNDLE_IMAGING;
	text_format(b->config, sizeof(b->config), "%s", bundle_kind_config(b->kind));
	whole->added = time(NULL);
	status = read_all(ctl, whole);
	if (status == 0 && bundle_add(&ctl->store, whole))
		status = ctl_store_error(ctl);
	return status;
}

static int changing(struct ctl *ctl, void *data)
{
	struct bundle_whole *whole = data;
	int status = ctl_find_bundle(ctl, ctl->words[0], whole);

	if (status == 0)
		status = read_all(ctl, whole);
	if (status == 0 && bundle_change(&ctl->store, whole))
		status = ctl_store_error(ctl);
	return status;
}

static int renaming(struct ctl *ctl, void *data)
{
	struct bundle_whole *whole = data;
	int status = ctl_find_bundle(ctl, ctl->words[0], whole);

	if (status == 0)
		status = check_name(ctl, ctl->words[1], whole->bundle.id);
	if (status)
		return status;
	text_format(whole->bundle.name, NAME_SIZE, "%s", ctl->words[1]);
	return bundle_change(&ctl->store, whole) ? ctl_store_error(ctl) : 0;
}

static int change(struct ctl *ctl, int (*how)(struct ctl *ctl, void *data), const char *done)
{
	struct bundle_whole whole;
	int status = ctl_transaction(ctl, how, &whole);

	if (status)
		return status;
	if (how != renaming)
		ctl_warn_bundle_id(ctl, whole.bundle.id);
	if (how == adding || ctl_given(ctl, OPT_KIND))
		ctl_note_kind(ctl, &whole.bundle);
	return ctl_say(ctl, ctl_json_bundle(&whole), "bundle %s %s", whole.bundle.name, done);
}

int ctl_bundle_add(struct ctl *ctl)
{
	return change(ctl, adding, "added");
}

int ctl_bundle_change(struct ctl *ctl)
{
	return change(ctl, changing, "changed");
}

int ctl_bundle_rename(struct ctl *ctl)
{
	return change(ctl, renaming, "renamed");
}

/* --- remove ---------------------------------------------------------------- */

#define PLACES_TOLD 5

/* Where a bundle is used, as a sentence; no more than a few are named. */
struct places {
	char text[1024];
	size_t count;
};

static void add_place(struct places *places, const char *what, const char *name)
{
	size_t length = strlen(places->text);

	if (places->count++ < PLACES_TOLD)
		text_format(places->text + length, sizeof(places->text) - length, "%s%s%s",
		            length ? ", " : "", what, name);
}

static int find_assignments(struct ctl *ctl, uint64_t bundle, struct places *places)
{
	struct assignment_filter filter = { .bundle = bundle };
	struct assignment_row row;
	char text[CTL_OWNER];
	sqlite3_stmt *rows;
	int rc = assignment_list(&ctl->store, &filter, &rows);

	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		struct owner owner;

		assignment_row(rows, &row);
		owner = (struct owner){ row.assignment.level, row.assignment.owner };
		ctl_owner_text(ctl, &owner, text);
		add_place(places, "assigned to ", text);
		rc = 0;
	}
	return rc;
}

static int find_others(struct ctl *ctl, uint64_t bundle, struct places *places)
{
	struct multicast_row session;
	struct rule_row rule;
	sqlite3_stmt *rows;
	int rc = rule_list(&ctl->store, &rows);

	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		rule_row(rows, &rule);
		if (rule.bundle == bundle)
			add_place(places, "rule ", rule.rule.name);
		rc = 0;
	}
	if (rc == 0)
		rc = multicast_list(&ctl->store, &rows);
	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		multicast_row(rows, &session);
		if (session.bundle == bundle)
			add_place(places, "multicast session ", session.multicast.name);
		rc = 0;
	}
	return rc;
}

static int removing(struct ctl *ctl, void *data)
{
	struct bundle_whole *whole = data;
	struct places places = { 0 };
	int status = ctl_find_bundle(ctl, ctl->words[0], whole);

	if (status)
		return status;
	if (find_assignments(ctl, whole->bundle.id, &places) ||
	    find_others(ctl, whole->bundle.id, &places))
		return ctl_store_error(ctl);
	if (places.count > PLACES_TOLD)
		return ctl_error(EXIT_FAULT, "bundle %s is in use: %s and %zu more; remove those "
		                 "first", whole->bundle.name, places.text,
		                 places.count - PLACES_TOLD);
	if (places.count)
		return ctl_error(EXIT_FAULT, "bundle %s is in use: %s; remove %s first",
		                 whole->bundle.name, places.text,
		                 places.count > 1 ? "those" : "that");
	return bundle_remove(&ctl->store, whole->bundle.id) ? ctl_store_error(ctl) : 0;
}

int ctl_bundle_remove(struct ctl *ctl)
{
	struct bundle_whole whole;
	int status = ctl_transaction(ctl, removing, &whole);

	return status ? status : ctl_say(ctl, json_pack("{s:s}", "removed", whole.bundle.name),
	                                 "bundle %s removed", whole.bundle.name);
}
