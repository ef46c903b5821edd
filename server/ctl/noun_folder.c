/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree of folders that devices are in. */
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/noun.h"
#include "server/store/assignments.h"
#include "server/store/settings.h"

static const struct ctl_option opt_force = {
	"force", NULL, "also a folder that is not empty: what is in it moves to the folder around "
	"it"
};

/* A folder that a verb works on. */
struct named_folder {
	uint64_t id, parent;
	char name[NAME_SIZE];
	char before[FOLDER_PATH], after[FOLDER_PATH]; /* its paths */
};

/* --- what more than one verb needs ----------------------------------------- */

static int check_folder_name(const char *name)
{
	if (folder_name_ok(name))
		return 0;
	return ctl_error(EXIT_USAGE, "%s: not a name for a folder; expected 1 to %d letters, "
	                 "digits, \".\", \"_\" and \"-\", beginning with a letter or digit", name,
	                 NAME_SIZE - 1);
}

/* Finds the folder @path, which is not to be "/", and reads its name. */
static int find_named(struct ctl *ctl, const char *path, struct named_folder *s)
{
	int status = ctl_find_folder(ctl, path, &s->id);

	if (status)
		return status;
	if (s->id == 0)
		return ctl_error(EXIT_USAGE, "/: that is where the folders are, and no folder");
	if (folder_parent(&ctl->store, s->id, &s->parent) ||
	    folder_path(&ctl->store, s->id, s->before))
		return ctl_store_error(ctl);
	text_format(s->name, sizeof(s->name), "%s", strrchr(s->before, '/') + 1);
	return 0;
}

/* Refuses a place where there is a folder of that name already, other than @s. */
static int check_place(struct ctl *ctl, const struct named_folder *s, uint64_t parent,
                       const char *name)
{
	char path[FOLDER_PATH];
	uint64_t there;
	int rc = folder_child(&ctl->store, parent, name, &there);

	if (rc == ERR_NOT_FOUND || (rc == 0 && there == s->id))
		return 0;
	if (rc || folder_path(&ctl->store, there, path))
		return ctl_store_error(ctl);
	return ctl_error(EXIT_FAULT, "folder %s already exists", path);
}

/* Refuses what would be too deep: @levels of folders, with the one itself, in @parent. */
static int check_depth(struct ctl *ctl, uint64_t parent, uint32_t levels)
{
	char path[FOLDER_PATH];
	uint32_t depth;

	if (folder_depth(&ctl->store, parent, &depth) || folder_path(&ctl->store, parent, path))
		return ctl_store_error(ctl);
	if (depth + levels > FOLDER_DEPTH)
		return ctl_error(EXIT_FAULT, "that is too deep: %s has %u names, and a path has %d "
		                 "at most", path, depth, FOLDER_DEPTH);
	return 0;
}

/* --- folder add ------------------------------------------------------------ */

/* Splits @path into the path around it, "/" or longer, and its last name. */
static int split_path(const char *path, char around[FOLDER_PATH], char name[NAME_SIZE])
{
	size_t length = strlen(path);
	const char *slash;

	while (length > 1 && path[length - 1] == '/')
		length--;
	if (path[0] != '/' || length >= FOLDER_PATH)
		return ctl_error(EXIT_USAGE, "%s: expected a folder's path, as in /site/lab, of "
		                 "%d names at most", path, FOLDER_DEPTH);
	text_format(around, length + 1, "%s", path);
	slash = strrchr(around, '/');
	if (strlen(slash + 1) >= NAME_SIZE)
		return check_folder_name(slash + 1);
	text_format(name, NAME_SIZE, "%s", slash + 1);
	around[slash == around ? 1 : slash - around] = '\0';
	return check_folder_name(name);
}

static int add_folder(struct ctl *ctl, const char *path)
{
	struct named_folder s = { 0 };
	char around[FOLDER_PATH];
	int rc, status = split_path(path, around, s.name);

	if (status)
		return status;
	rc = folder_find(&ctl->store, around, &s.parent);
	if (rc == ERR_NOT_FOUND)
		return ctl_error(EXIT_FAULT, "%s: no such folder; add it first: \"prebootctl "
		                 "folder add %s\"", around, around);
	status = rc ? ctl_find_folder(ctl, around, &s.parent) : 0;
	if (status == 0)
		status = check_place(ctl, &s, s.parent, s.name);
	if (status == 0)
		status = check_depth(ctl, s.parent, 1);
	if (status == 0 && folder_add(&ctl->store, s.parent, s.name, &s.id))
		status = ctl_store_error(ctl);
	return status;
}

static int add_folders(struct ctl *ctl, void *unused)
{
	int status = 0;

	(void)unused;
	for (int i = 0; status == 0 && i < ctl->word_count; i++)
		status = add_folder(ctl, ctl->words[i]);
	return status;
}

static int ctl_folder_add(struct ctl *ctl)
{
	json_t *added = json_array();
	int status = CTL_TRANSACTION(ctl, add_folders(ctl, NULL));

	for (int i = 0; i < ctl->word_count; i++)
		json_array_append_new(added, json_string(ctl->words[i]));
	if (status)
		json_decref(added);
	else if (ctl->word_count == 1)
		ctl_say(ctl, json_pack("{s:o}", "added", added), "folder %s added", ctl->words[0]);
	else
		ctl_say(ctl, json_pack("{s:o}", "added", added), "%d folders added",
		        ctl->word_count);
	return status;
}

/* --- folder move and rename ------------------------------------------------ */

static int move_folder(struct ctl *ctl, const char *word, struct ctl_done *done)
{
	struct named_folder s = { 0 };
	uint64_t parent;
	uint32_t height;
	bool within;
	int status = find_named(ctl, word, &s);

	if (status == 0)
		status = ctl_find_folder(ctl, ctl->words[ctl->word_count - 1], &parent);
	if (status)
		return status;
	if (folder_within(&ctl->store, parent, s.id, &within) ||
	    folder_height(&ctl->store, s.id, &height))
		return ctl_store_error(ctl);
	if (within)
		return ctl_error(EXIT_FAULT, "%s cannot be moved into itself, nor into what is in "
		                 "it", s.before);
	status = check_place(ctl, &s, parent, s.name);
	if (status == 0)
		status = check_depth(ctl, parent, height + 1);
	if (status == 0 && (folder_move(&ctl->store, s.id, parent) ||
	                    folder_path(&ctl->store, s.id, s.after)))
		status = ctl_store_error(ctl);
	return status ? status : ctl_add_done(done, json_pack("{s:s, s:s}", "was", s.before,
	                                                      "path", s.after),
	                                      "folder %s is now %s", s.before, s.after);
}

static int rename_folder(struct ctl *ctl, struct named_folder *s)
{
	const char *name = ctl->words[1];
	int status = find_named(ctl, ctl->words[0], s);

	if (status == 0)
		status = check_folder_name(name);
	if (status == 0)
		status = check_place(ctl, s, s->parent, name);
	if (status == 0 && (folder_rename(&ctl->store, s->id, name) ||
	                    folder_path(&ctl->store, s->id, s->after)))
		status = ctl_store_error(ctl);
	return status;
}

static int ctl_folder_move(struct ctl *ctl)
{
	return ctl_change_each(ctl, ctl->word_count - 1, move_folder);
}

static int ctl_folder_rename(struct ctl *ctl)
{
	struct named_folder s = { 0 };
	int status = CTL_TRANSACTION(ctl, rename_folder(ctl, &s));

	return status ? status : ctl_say(ctl, json_pack("{s:s, s:s}", "was", s.before, "path",
	                                                s.after),
	                                 "folder %s is now %s", s.before, s.after);
}

/* --- folder remove --------------------------------------------------------- */

/* Refuses to move a folder of @s up to where one of its name is. */
static int check_inner(struct ctl *ctl, const struct named_folder *s)
{
	struct folder_row row;
	struct store_rows *rows;
	int status = 0, rc = folder_list(&ctl->store, s->id, &rows);

	while (store_next(rows, &rc)) {
		folder_row(rows, &row);
		if (row.depth == 1 && status == 0)
			status = check_place(ctl, s, s->parent, row.name);
	}
	return rc ? ctl_store_error(ctl) : status;
}

static int remove_folder(struct ctl *ctl, const char *word, struct ctl_done *done)
{
	struct named_folder s = { 0 };
	struct folder_row row = { 0 };
	struct store_rows *rows;
	int rc, status = find_named(ctl, word, &s);

	if (status)
		return status;
	rc = folder_list(&ctl->store, s.id, &rows);
	if (rc || store_step(rows) != 1)
		return ctl_store_error(ctl);
	folder_row(rows, &row);
	store_end(rows);
	if ((row.folders || row.devices) && !ctl_given(ctl, &opt_force))
		return ctl_error(EXIT_FAULT, "%s is not empty (folders: %llu, devices: %llu); move "
		                 "them, or move all to the folder around it with --force",
		                 s.before, (unsigned long long)row.folders,
		                 (unsigned long long)row.devices);
	status = check_inner(ctl, &s);
	if (status == 0 && (folder_empty(&ctl->store, s.id, s.parent) ||
	                    folder_remove(&ctl->store, s.id)))
		status = ctl_store_error(ctl);
	return status ? status : ctl_add_removed(done, "folder", s.before);
}

static int ctl_folder_remove(struct ctl *ctl)
{
	return ctl_change_each(ctl, ctl->word_count, remove_folder);
}

/* --- folder list ----------------------------------------------------------- */

static void list_folder(struct table *table, const struct folder_row *row)
{
	char name[2 * FOLDER_DEPTH + NAME_SIZE], devices[24], settings[24], assignments[24];

	snprintf(name, sizeof(name), "%*s%s", 2 * (int)row->depth, "", row->name);
	text_format(devices, sizeof(devices), "%" PRIu64, row->devices);
	text_format(settings, sizeof(settings), "%" PRIu64, row->settings);
	text_format(assignments, sizeof(assignments), "%" PRIu64, row->assignments);
	table_add(table, name, devices, settings, assignments);
}

/* Follows @row in the list: makes of the path of the row before it its own. */
static void follow_path(char path[FOLDER_PATH], size_t start, const struct folder_row *row)
{
	char *at = path + start;

	/* As many names stay as it is deep in the list, without its own. */
	for (uint32_t i = 1; i < row->depth && *at; i++)
		at = strchrnul(at + 1, '/');
	if (row->depth)
		text_format(at, (size_t)(FOLDER_PATH - (at - path)), "/%s", row->name);
}

static json_t *json_folder(const struct folder_row *row, const char *path)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:I}", "path", path, "folders",
	                 (json_int_t)row->folders, "devices", (json_int_t)row->devices, "settings",
	                 (json_int_t)row->settings, "assignments", (json_int_t)row->assignments);
}

static int ctl_folder_list(struct ctl *ctl)
{
	struct table table = { .columns = 4 };
	char path[FOLDER_PATH];
	struct folder_row row;
	struct store_rows *rows;
	json_t *array;
	uint64_t top = 0;
	size_t start;
	int rc, status = ctl->word_count ? ctl_find_folder(ctl, ctl->words[0], &top) : 0;

	if (status == 0 && folder_path(&ctl->store, top, path))
		status = ctl_store_error(ctl);
	if (status)
		return status;
	start = top ? strlen(path) : 0;
	array = json_array();
	table_add(&table, "FOLDER", "DEVICES", "SETTINGS", "ASSIGNMENTS");
	rc = folder_list(&ctl->store, top, &rows);
	while (store_next(rows, &rc)) {
		folder_row(rows, &row);
		follow_path(path, start, &row);
		list_folder(&table, &row);
		json_array_append_new(array, json_folder(&row, path));
	}
	return ctl_answer_list(ctl, rc, &table, array);
}

/* --- folder show ----------------------------------------------------------- */

/* Gathers what is in folder @id itself. */
static int gather_contents(struct ctl *ctl, uint64_t id, json_t *folders, json_t *devices)
{
	struct folder_row row;
	struct device device;
	struct store_rows *rows;
	int rc = folder_list(&ctl->store, id, &rows);

	while (store_next(rows, &rc)) {
		folder_row(rows, &row);
		if (row.depth == 1)
			json_array_append_new(folders, json_string(row.name));
	}
	if (rc == 0)
		rc = folder_devices(&ctl->store, id, &rows);
	while (store_next(rows, &rc)) {
		uint64_t in;

		device_row(rows, &device);
		rc = device_folder(&ctl->store, device.id, &in);
		if (rc == 0 && in == id)
			json_array_append_new(devices, json_string(device.name));
	}
	return rc;
}

static int show_folder(struct ctl *ctl, const char *word, json_t *array)
{
	json_t *folders = json_array(), *devices = json_array(), *object;
	struct owner owner = { 0 };
	char path[FOLDER_PATH];
	int status = ctl_find_folder(ctl, word, &owner.id);

	if (status == 0 && (folder_path(&ctl->store, owner.id, path) ||
	                    gather_contents(ctl, owner.id, folders, devices)))
		status = ctl_store_error(ctl);
	if (status) {
		json_decref(folders);
		json_decref(devices);
		return status;
	}
	owner.level = owner.id ? LEVEL_FOLDER : LEVEL_GLOBAL;
	object = ctl_json_owned(ctl, &owner);
	if (!ctl->json) {
		printf("%s\n", path);
		ctl_print_names("folders", folders);
		ctl_print_names("devices", devices);
		ctl_print_owned(object);
	}
	json_object_set_new(object, "path", json_string(path));
	json_object_set_new(object, "folders", folders);
	json_object_set_new(object, "devices", devices);
	if (ctl->json)
		json_array_append(array, object);
	json_decref(object);
	return 0;
}

static int ctl_folder_show(struct ctl *ctl)
{
	return ctl_show_each(ctl, show_folder);
}

/* --- the noun --------------------------------------------------------------- */

static const struct verb verbs[] = {
	{ .name = "add", .alias = "new", .run = ctl_folder_add, .min = 1, .max = NO_LIMIT,
	  .database = DB_CREATE, .usage = "PATH...",
	  .help = "Add folders, as /site and then /site/lab. A path has at most 16 names." },
	{ .name = "list", .alias = "ls", .run = ctl_folder_list, .min = 0, .max = 1,
	  .usage = "[FOLDER]",
	  .help = "Draw the tree of folders. Each line has the number of devices in the folder "
	          "itself, and of the settings and assignments made for it." },
	{ .name = "show", .alias = "info", .run = ctl_folder_show, .min = 1, .max = NO_LIMIT,
	  .usage = "FOLDER...",
	  .help = "Show what is in each folder, and the settings and assignments made for it." },
	{ .name = "move", .alias = "mv", .run = ctl_folder_move, .min = 2, .max = NO_LIMIT,
	  .usage = "FOLDER... FOLDER",
	  .help = "Move folders with all that is in them into the last one; into \"/\": to the "
	          "top." },
	{ .name = "rename", .run = ctl_folder_rename, .min = 2, .max = 2,
	  .usage = "FOLDER NEWNAME", .help = "Give a folder another name; it stays where it is." },
	{ .name = "remove", .alias = "delete", .run = ctl_folder_remove, .min = 1,
	  .max = NO_LIMIT, .options = OPTIONS(&opt_force), .usage = "FOLDER... [--force]",
	  .help = "Delete folders with their settings and assignments, all or none. A folder that "
	          "is not empty is refused without --force." },
	{ .run = NULL },
};

const struct noun noun_folder = {
	.name = "folder", .about = "the tree that the devices are in", .verbs = verbs,
};
