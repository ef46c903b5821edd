/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/index/catalog_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/filter/filter.h"
#include "server/index/catalog.h"
#include "server/store/loaders.h"
#include "server/store/memory.h"
#include "server/store/uuids.h"

/* Reading the catalog from the database. A row that is unsound is left out, with a warning. */

/* --- rows ------------------------------------------------------------------ */

static bool read_id(struct store_rows *row, const char *what, uint64_t *id,
                    struct warnings *warnings)
{
	int64_t value = store_number(row, 0);

	*id = (uint64_t)value;
	if (value >= 1 && value <= CATALOG_ID_MAX)
		return true;
	warnings_add(warnings, "%s %lld: left out, its id is not between 1 and %u", what,
	             (long long)value,
	     CATALOG_ID_MAX);
	return false;
}

/* The bundle whose id is in @column; NULL, with a warning, if there is none. */
static const struct bundle *read_bundle_of(const struct catalog *catalog, struct store_rows *row,
                                           int column, const char *what, uint64_t id,
                                           struct warnings *warnings)
{
	const struct bundle *bundle =
		catalog_bundle(catalog, (uint64_t)store_number(row, column));

	if (!bundle)
		warnings_add(warnings, "%s %llu: left out, its bundle is not there", what,
		     (unsigned long long)id);
	return bundle;
}

static uint32_t read_u32(struct store_rows *row, int column)
{
	int64_t value = store_number(row, column);

	return value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static bool read_folder(struct catalog *catalog, struct store_rows *row, void *item,
                        struct warnings *warnings)
{
	struct folder *folder = item;

	(void)catalog;
	store_text(row, 1, folder->name, sizeof(folder->name));
	return read_id(row, "folder", &folder->id, warnings);
}

static bool read_group(struct catalog *catalog, struct store_rows *row, void *item,
                       struct warnings *warnings)
{
	struct group *group = item;

	(void)catalog;
	store_text(row, 1, group->name, sizeof(group->name));
	return read_id(row, "group", &group->id, warnings);
}

/* What image-safe data call the image that a bundle writes. */
static void read_image(struct store_rows *row, int column, struct bundle *bundle)
{
	static const char key[] = "image=";
	size_t length;
	const char *details = store_blob(row, column, &length);

	text_format(bundle->image, sizeof(bundle->image), "%s", bundle->name);
	while (details && length) {
		size_t one = strnlen(details, length);

		if (one >= sizeof(key) - 1 && memcmp(details, key, sizeof(key) - 1) == 0) {
			text_clean(bundle->image, sizeof(bundle->image),
			           details + sizeof(key) - 1, one - (sizeof(key) - 1));
			return;
		}
		one += one < length; /* its NUL */
		details += one;
		length -= one;
	}
}

static bool read_bundle(struct catalog *catalog, struct store_rows *row, void *item,
                        struct warnings *warnings)
{
	struct bundle *bundle = item;
	char kind[32], completes[16];

	(void)catalog;
	store_text(row, 1, bundle->name, sizeof(bundle->name));
	store_text(row, 2, kind, sizeof(kind));
	(void)bundle_kind_parse(kind, &bundle->kind); /* the schema allows no other names */
	loaders_row(row, 3, &bundle->loaders);
	store_text(row, 7, bundle->config, sizeof(bundle->config));
	store_text(row, 8, bundle->prefix, sizeof(bundle->prefix));
	read_image(row, 9, bundle);
	bundle->attempts = read_u32(row, 10);
	bundle->deadline = read_u32(row, 11);
	store_text(row, 12, completes, sizeof(completes));
	(void)completion_parse(completes, &bundle->completion);
	return read_id(row, "bundle", &bundle->id, warnings);
}

static bool read_rule(struct catalog *catalog, struct store_rows *row, void *item,
                      struct warnings *warnings)
{
	char text[FILTER_TEXT], applies[16];
	struct filter_error error;
	struct rule *rule = item;

	rule->id = (uint64_t)store_number(row, 0);
	store_text(row, 1, rule->name, sizeof(rule->name));
	rule->bundle = read_bundle_of(catalog, row, 2, "rule", rule->id, warnings);
	store_text(row, 3, applies, sizeof(applies));
	(void)rule_applies_parse(applies, &rule->applies);
	rule->repeat = store_number(row, 5);
	rule->enabled = store_number(row, 6);
	if (!rule->bundle)
		return false;
	/* Explanations name those that are not. */
	if (!rule->enabled)
		return true;
	if (strlen(store_string(row, 4)) >= FILTER_TEXT) {
		warnings_add(warnings, "rule %s: left out, its filter is too long", rule->name);
		return false;
	}
	store_text(row, 4, text, sizeof(text));
	rule->filter = filter_parse(text, &error);
	if (!rule->filter) {
		warnings_add(warnings, "rule %s: left out, its filter is wrong at column %zu: %s",
		     rule->name, error.column, error.message);
		return false;
	}
	catalog->rules_for_known |= (rule->applies & RULE_KNOWN) != 0;
	catalog->rules_for_unknown |= (rule->applies & RULE_UNKNOWN) != 0;
	return true;
}

static bool read_multicast(struct catalog *catalog, struct store_rows *row, void *item,
                           struct warnings *warnings)
{
	struct session *multicast = item;
	char state[16];

	if (!read_id(row, "multicast session", &multicast->id, warnings))
		return false;
	store_text(row, 1, multicast->name, sizeof(multicast->name));
	multicast->bundle = read_bundle_of(catalog, row, 2, "multicast session", multicast->id,
	                                   warnings);
	store_text(row, 3, state, sizeof(state));
	(void)session_state_parse(state, &multicast->state);
	multicast->clients = read_u32(row, 4);
	multicast->wait = read_u32(row, 5);
	multicast->last_joined = store_number(row, 6);
	multicast->joined = read_u32(row, 7);
	return multicast->bundle != NULL;
}

static bool read_assignment(struct catalog *catalog, struct store_rows *row, void *item,
                            struct warnings *warnings)
{
	struct assignment *assignment = item;
	char level[16], mode[16];

	if (!read_id(row, "assignment", &assignment->id, warnings))
		return false;
	assignment->bundle = read_bundle_of(catalog, row, 1, "assignment", assignment->id,
	                                    warnings);
	store_text(row, 2, level, sizeof(level));
	(void)level_parse(level, &assignment->level);
	assignment->owner = (uint64_t)store_number(row, 3);
	store_text(row, 4, mode, sizeof(mode));
	(void)assignment_mode_parse(mode, &assignment->mode);
	assignment->until = store_number(row, 5);
	assignment->added = store_number(row, 6);
	return assignment->bundle != NULL;
}

static bool read_uuid(struct catalog *catalog, struct store_rows *row, void *item,
                      struct warnings *warnings)
{
	(void)catalog;
	(void)warnings;
	uuid_row(row, item);
	return true;
}

/* --- tables ---------------------------------------------------------------- */

/* Reads one row into @item, which is zeros. Returns false to leave it out. */
typedef bool row_reader(struct catalog *catalog, struct store_rows *row, void *item,
                      struct warnings *warnings);

/* Reads rows into an array of items of @size bytes. */
static int read_rows(struct store *store, struct catalog *catalog, enum catalog_table table,
                     row_reader *read, void *array, size_t size, size_t *count,
                     struct warnings *warnings)
{
	char *items = NULL;
	size_t room = 0;
	struct store_rows *rows;
	int rc = catalog_list(store, table, &rows);

	*count = 0;
	while (store_next(rows, &rc)) {
		if (*count == room) {
			char *larger = realloc(items, (room * 2 + 16) * size);

			if (!larger) {
				store_end(rows);
				rc = ERR_SPACE;
				break;
			}
			items = larger;
			room = room * 2 + 16;
		}
		memset(items + *count * size, 0, size);
		*count += read(catalog, rows, items + *count * size, warnings);
	}
	/* Also what a failure leaves is for catalog_free(). */
	memcpy(array, &items, sizeof(items));
	return rc;
}

#define READ(what, table) \
	read_rows(store, catalog, table, read_##what, &catalog->what##s, \
	          sizeof(catalog->what##s[0]), &catalog->what##_count, warnings)

static int read_tables(struct store *store, struct catalog *catalog, struct warnings *warnings)
{
	int rc = READ(folder, CATALOG_FOLDERS);

	if (rc == 0)
		rc = READ(group, CATALOG_GROUPS);
	if (rc == 0)
		rc = READ(bundle, CATALOG_BUNDLES);
	if (rc == 0)
		rc = READ(rule, CATALOG_RULES);
	if (rc == 0)
		rc = READ(multicast, CATALOG_SESSIONS);
	if (rc == 0)
		rc = READ(assignment, CATALOG_ASSIGNMENTS);
	if (rc == 0)
		rc = READ(uuid, CATALOG_UUIDS);
	return rc;
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
	struct catalog *catalog;
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
		return owner ? 0 : shared_macs_parse(text, tree->catalog->shared_macs,
		                                     &tree->catalog->shared_mac_count);
	text_format(value->text, sizeof(value->text), "%s", text);
	value->owner = (uint64_t)owner;
	value->index = (size_t)index;
	tree->count++;
	return 0;
}

static int read_values(struct store *store, struct tree *tree)
{
	struct store_rows *rows;
	int rc = catalog_list(store, CATALOG_SETTINGS, &rows);

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
	struct catalog *catalog = tree->catalog;

	for (size_t i = 0; i < catalog->folder_count; i++) {
		const struct folder *at = &catalog->folders[i];

		for (int depth = 0; at && depth < FOLDER_DEPTH_MAX; depth++)
			at = at->parent;
		if (at)
			tree->states[i] = FOLDER_LOST;
	}
	for (size_t i = 0; i < catalog->folder_count; i++) {
		if (tree->states[i] != FOLDER_LOST)
			continue;
		warnings_add(tree->warnings,
		             "folder %s: taken for one at the top, as it is within itself "
		     "or more than %d deep", catalog->folders[i].name, FOLDER_DEPTH_MAX);
		catalog->folders[i].parent = NULL;
	}
}

/* Settles what counts in a folder, after those around it. */
static void settle_folder(struct tree *tree, struct folder *folder)
{
	size_t i = (size_t)(folder - tree->catalog->folders), value;

	if (tree->states[i] == FOLDER_DONE)
		return;
	folder->settings = &tree->catalog->settings;
	if (folder->parent) {
		settle_folder(tree, (struct folder *)folder->parent);
		folder->settings = folder->parent->settings;
	}
	/* Others share theirs: so a thread that serves thousands of folders has them at hand. */
	value = first_value(tree, folder->id);
	if (value < tree->count && tree->values[value].owner == folder->id) {
		struct settings *own = &tree->catalog->folder_settings[tree->settled++];

		*own = *folder->settings;
		apply_values(tree, value, folder->id, own);
		folder->settings = own;
	}
	tree->states[i] = FOLDER_DONE;
}

/* Links folders to those around them. */
static int read_parents(struct store *store, struct catalog *catalog)
{
	struct store_rows *rows;
	int rc = catalog_list(store, CATALOG_FOLDERS, &rows);

	while (store_next(rows, &rc)) {
		uint64_t id = (uint64_t)store_number(rows, 0);
		uint64_t parent = (uint64_t)store_number(rows, 2);
		struct folder *folder = (struct folder *)catalog_folder(catalog, id);

		if (folder && parent)
			folder->parent = catalog_folder(catalog, parent);
	}
	return rc;
}

static int read_folder_tree(struct store *store, struct catalog *catalog, struct warnings *warnings)
{
	struct tree tree = { .catalog = catalog, .warnings = warnings };
	int rc = read_parents(store, catalog);

	if (rc == 0)
		rc = read_values(store, &tree);
	if (rc)
		goto out;
	tree.states = calloc(catalog->folder_count + 1, sizeof(tree.states[0]));
	/* Each folder that has some has a value at least. */
	catalog->folder_settings = calloc(tree.count + 1, sizeof(catalog->folder_settings[0]));
	if (!tree.states || !catalog->folder_settings) {
		rc = ERR_SPACE;
		goto out;
	}
	settings_default(&catalog->settings);
	apply_values(&tree, 0, 0, &catalog->settings); /* global is in front of all folders */
	cut_parents(&tree);
	for (size_t i = 0; i < catalog->folder_count; i++)
		settle_folder(&tree, &catalog->folders[i]);
out:
	free(tree.states);
	free(tree.values);
	return rc;
}

/* --- all of it ------------------------------------------------------------- */

int catalog_read(struct store *store, struct catalog **catalog, struct warnings *warnings)
{
	struct catalog *new = calloc(1, sizeof(*new));
	int rc = new ? read_tables(store, new, warnings) : ERR_SPACE;

	if (rc == 0)
		rc = read_folder_tree(store, new, warnings);
	if (rc) {
		catalog_free(new);
		new = NULL;
	}
	*catalog = new;
	return rc;
}
