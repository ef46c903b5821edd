/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "server/index/index_internal.h"
#include "server/store/memory.h"

/* What many machines share: finding it, and reading it as a whole. */

/* --- finding --------------------------------------------------------------- */

static uint64_t id_at(const void *member)
{
	uint64_t id;

	memcpy(&id, member, sizeof(id));
	return id;
}

/* Finds by id in an array that is ordered by it; each member begins with it. */
static const void *find(const void *array, size_t count, size_t size, uint64_t id)
{
	const char *low = array;

	/* SQLite numbers them from 1: where none was ever deleted, it is there. */
	if (id - 1 < count && id_at(low + (id - 1) * size) == id)
		return low + (id - 1) * size;
	while (count) {
		const char *middle = low + count / 2 * size;
		uint64_t there = id_at(middle);

		if (there == id)
			return middle;
		if (there < id) {
			low = middle + size;
			count -= count / 2 + 1;
		} else {
			count /= 2;
		}
	}
	return NULL;
}

#define FIND(policy, what, id) \
	find((policy)->what##s, (policy)->what##_count, sizeof((policy)->what##s[0]), id)

const struct folder *policy_folder(const struct policy *policy, uint64_t id)
{
	return FIND(policy, folder, id);
}

const struct group *policy_group(const struct policy *policy, uint64_t id)
{
	return FIND(policy, group, id);
}

const struct bundle *policy_bundle(const struct policy *policy, uint64_t id)
{
	return FIND(policy, bundle, id);
}

const struct session *policy_multicast(const struct policy *policy, uint64_t id)
{
	return FIND(policy, multicast, id);
}

enum uuid_state policy_uuid(const struct policy *policy, const uint8_t uuid[16])
{
	size_t low = 0, high = policy->uuid_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = memcmp(policy->uuids[middle].uuid, uuid, 16);

		if (order == 0)
			return policy->uuids[middle].state;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return UUID_FREE;
}

bool policy_mac_shared(const struct policy *policy, const uint8_t mac[6])
{
	for (size_t i = 0; i < policy->shared_mac_count; i++)
		if (memcmp(policy->shared_macs[i].bytes, mac, policy->shared_macs[i].length) == 0)
			return true;
	return false;
}

/* Says whether an assignment is in front of those of @level and @owner. */
static bool in_front(const struct assignment *assignment, enum level level, uint64_t owner)
{
	return assignment->level < level ||
	       (assignment->level == level && assignment->owner < owner);
}

const struct assignment *policy_assignments(const struct policy *policy, enum level level,
                                            uint64_t owner, size_t *count)
{
	const struct assignment *at = policy->assignments;
	const struct assignment *end = at + policy->assignment_count;
	size_t left = policy->assignment_count;

	while (left) {
		if (in_front(&at[left / 2], level, owner)) {
			at += left / 2 + 1;
			left -= left / 2 + 1;
		} else {
			left /= 2;
		}
	}
	for (*count = 0; at + *count < end; ++*count)
		if (at[*count].level != level || at[*count].owner != owner)
			break;
	return at;
}

/* --- folders and settings -------------------------------------------------- */

/* What is set for global or a folder. */
struct value {
	uint64_t owner; /* 0: global */
	size_t index;
	char text[FILE_SIZE];
};

/* What is on hand while folders are put together. */
struct tree {
	struct policy *policy;
	struct value *values; /* by owner */
	size_t count, room;
	size_t settled;       /* folders that have settings of their own, so far */
	enum { FOLDER_NEW, FOLDER_LOST, FOLDER_DONE } *states; /* of each folder */
	struct warnings *warnings;
};

static int read_value(struct tree *tree, struct store_rows *row)
{
	int64_t owner = store_number(row, 0);
	struct value *value = &tree->values[tree->count], *larger;
	struct settings unused;
	char key[64], text[SETTING_TEXT];
	int index;

	if (tree->count == tree->room) {
		larger = realloc(tree->values, (tree->room * 2 + 16) * sizeof(*larger));
		if (!larger)
			return ERR_SPACE;
		tree->values = larger;
		tree->room = tree->room * 2 + 16;
		value = &larger[tree->count];
	}
	store_text(row, 1, key, sizeof(key));
	store_text(row, 2, text, sizeof(text));
	index = setting_find(key);
	if (index < 0 || setting_parse((size_t)index, text, &unused)) {
		char where[40] = "";

		if (owner)
			snprintf(where, sizeof(where), " of folder %lld", (long long)owner);
		warnings_add(tree->warnings, "%ssetting %s=%s%s: left out, it is not known",
		             owner ? "" : "global ", key, text, where);
		return 0;
	}
	/* Long, and global's alone: kept apart from what each folder may have. */
	if (strcmp(key, SHARED_MACS) == 0)
		return owner ? 0 : shared_macs_parse(text, tree->policy->shared_macs,
		                                     &tree->policy->shared_mac_count);
	text_format(value->text, sizeof(value->text), "%s", text);
	value->owner = (uint64_t)owner;
	value->index = (size_t)index;
	tree->count++;
	return 0;
}

static int read_values(struct store *store, struct tree *tree)
{
	struct store_rows *rows;
	int rc = policy_list(store, POLICY_SETTINGS, &rows);

	while (store_next(rows, &rc))
		rc = read_value(tree, rows);
	return rc;
}

/* Returns where what is set for @owner itself begins, or would. */
static size_t first_value(const struct tree *tree, uint64_t owner)
{
	size_t low = 0, high = tree->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (tree->values[middle].owner < owner)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Puts what is set for @owner itself, which begins at @i, into @settings. */
static void apply_values(const struct tree *tree, size_t i, uint64_t owner,
                         struct settings *settings)
{
	for (; i < tree->count && tree->values[i].owner == owner; i++)
		setting_parse(tree->values[i].index, tree->values[i].text, settings);
}

/* Makes those folders top ones that have too many around them, or are within themselves. */
static void cut_parents(struct tree *tree)
{
	struct policy *policy = tree->policy;

	for (size_t i = 0; i < policy->folder_count; i++) {
		const struct folder *at = &policy->folders[i];

		for (int depth = 0; at && depth < FOLDER_DEPTH_MAX; depth++)
			at = at->parent;
		if (at)
			tree->states[i] = FOLDER_LOST;
	}
	for (size_t i = 0; i < policy->folder_count; i++) {
		if (tree->states[i] != FOLDER_LOST)
			continue;
		warnings_add(tree->warnings, "folder %s: taken for one at the top, as it is within itself "
		     "or more than %d deep", policy->folders[i].name, FOLDER_DEPTH_MAX);
		policy->folders[i].parent = NULL;
	}
}

/* Settles what counts in a folder, after those around it. */
static void settle(struct tree *tree, struct folder *folder)
{
	size_t i = (size_t)(folder - tree->policy->folders), value;

	if (tree->states[i] == FOLDER_DONE)
		return;
	folder->settings = &tree->policy->settings;
	if (folder->parent) {
		settle(tree, (struct folder *)folder->parent);
		folder->settings = folder->parent->settings;
	}
	/* Others share theirs: so a thread that serves thousands of folders has them at hand. */
	value = first_value(tree, folder->id);
	if (value < tree->count && tree->values[value].owner == folder->id) {
		struct settings *own = &tree->policy->folder_settings[tree->settled++];

		*own = *folder->settings;
		apply_values(tree, value, folder->id, own);
		folder->settings = own;
	}
	tree->states[i] = FOLDER_DONE;
}

/* Links folders to those around them. */
static int read_parents(struct store *store, struct policy *policy)
{
	struct store_rows *rows;
	int rc = policy_list(store, POLICY_FOLDERS, &rows);

	while (store_next(rows, &rc)) {
		uint64_t id = (uint64_t)store_number(rows, 0);
		uint64_t parent = (uint64_t)store_number(rows, 2);
		struct folder *folder = (struct folder *)policy_folder(policy, id);

		if (folder && parent)
			folder->parent = policy_folder(policy, parent);
	}
	return rc;
}

static int read_tree(struct store *store, struct policy *policy, struct warnings *warnings)
{
	struct tree tree = { .policy = policy, .warnings = warnings };
	int rc = read_parents(store, policy);

	if (rc == 0)
		rc = read_values(store, &tree);
	if (rc)
		goto out;
	tree.states = calloc(policy->folder_count + 1, sizeof(tree.states[0]));
	/* Each folder that has some has a value at least. */
	policy->folder_settings = calloc(tree.count + 1, sizeof(policy->folder_settings[0]));
	if (!tree.states || !policy->folder_settings) {
		rc = ERR_SPACE;
		goto out;
	}
	settings_default(&policy->settings);
	apply_values(&tree, 0, 0, &policy->settings); /* global is in front of all folders */
	cut_parents(&tree);
	for (size_t i = 0; i < policy->folder_count; i++)
		settle(&tree, &policy->folders[i]);
out:
	free(tree.states);
	free(tree.values);
	return rc;
}

/* --- all of it ------------------------------------------------------------- */

int policy_read(struct store *store, struct policy **policy, struct warnings *warnings)
{
	struct policy *new = calloc(1, sizeof(*new));
	int rc = new ? policy_read_rows(store, new, warnings) : ERR_SPACE;

	if (rc == 0)
		rc = read_tree(store, new, warnings);
	if (rc) {
		policy_free(new);
		new = NULL;
	}
	*policy = new;
	return rc;
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (size_t i = 0; i < policy->rule_count; i++)
		filter_free(policy->rules[i].filter);
	free(policy->folders);
	free(policy->folder_settings);
	free(policy->groups);
	free(policy->bundles);
	free(policy->rules);
	free(policy->multicasts);
	free(policy->assignments);
	free(policy->uuids);
	free(policy);
}
