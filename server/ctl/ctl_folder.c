/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl_verbs.h"
#include "server/store/assignments.h"

/* A folder that a verb works on. */
struct named {
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
static int find_subject(struct ctl *ctl, const char *path, struct named *s)
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
static int check_free(struct ctl *ctl, const struct named *s, uint64_t parent, const char *name)
{
	char path[FOLDER_PATH];
	uint64_t there;
	int rc = folder_child(&ctl->store, parent, name, &there);

	if (rc == ERR_NOT_FOUND || (rc == 0 && there == s->id))
		return 0;
	if (rc || folder_path(&ctl->store, there, path))
		return ctl_store_error(ctl);
	return ctl_error(EXIT_FAULT, "there is a folder %s already", path);
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
static int split(const char *path, char around[FOLDER_PATH], char name[NAME_SIZE])
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

static int add_one(struct ctl *ctl, const char *path)
{
	struct named s = { 0 };
	char around[FOLDER_PATH];
	int rc, status = split(path, around, s.name);

	if (status)
		return status;
	rc = folder_find(&ctl->store, around, &s.parent);
	if (rc == ERR_NOT_FOUND)
		return ctl_error(EXIT_FAULT, "%s: no such folder; add it first: \"prebootctl "
		                 "folder add %s\"", around, around);
	status = rc ? ctl_find_folder(ctl, around, &s.parent) : 0;
	if (status == 0)
		status = check_free(ctl, &s, s.parent, s.name);
	if (status == 0)
		status = check_depth(ctl, s.parent, 1);
	if (status == 0 && folder_add(&ctl->store, s.parent, s.name, &s.id))
		status = ctl_store_error(ctl);
	return status;
}

static int add_all(struct ctl *ctl, void *unused)
{
	int status = 0;

	(void)unused;
	for (int i = 0; status == 0 && i < ctl->word_count; i++)
		status = add_one(ctl, ctl->words[i]);
	return status;
}

int ctl_folder_add(struct ctl *ctl)
{
	json_t *added = json_array();
	int status = ctl_transaction(ctl, add_all, NULL);

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

static int move(struct ctl *ctl, void *data)
{
	struct named *s = data;
	uint64_t parent;
	uint32_t height;
	bool within;
	int status = find_subject(ctl, ctl->words[0], s);

	if (status == 0)
		status = ctl_find_folder(ctl, ctl->words[1], &parent);
	if (status)
		return status;
	if (folder_within(&ctl->store, parent, s->id, &within) ||
	    folder_height(&ctl->store, s->id, &height))
		return ctl_store_error(ctl);
	if (within)
		return ctl_error(EXIT_FAULT, "%s cannot be moved into itself, nor into what is in "
		                 "it", s->before);
	status = check_free(ctl, s, parent, s->name);
	if (status == 0)
		status = check_depth(ctl, parent, height + 1);
	if (status == 0 && (folder_move(&ctl->store, s->id, parent) ||
	                    folder_path(&ctl->store, s->id, s->after)))
		status = ctl_store_error(ctl);
	return status;
}

static int renaming(struct ctl *ctl, void *data)
{
	struct named *s = data;
	const char *name = ctl->words[1];
	int status = find_subject(ctl, ctl->words[0], s);

	if (status == 0)
		status = check_folder_name(name);
	if (status == 0)
		status = check_free(ctl, s, s->parent, name);
	if (status == 0 && (folder_rename(&ctl->store, s->id, name) ||
	                    folder_path(&ctl->store, s->id, s->after)))
		status = ctl_store_error(ctl);
	return status;
}

static int change(struct ctl *ctl, int (*how)(struct ctl *ctl, void *data))
{
	struct named s = { 0 };
	int status = ctl_transaction(ctl, how, &s);

	return status ? status : ctl_say(ctl, json_pack("{s:s, s:s}", "was", s.before, "path",
	                                                s.after),
	                                 "folder %s is now %s", s.before, s.after);
}

int ctl_folder_move(struct ctl *ctl)
{
	return change(ctl, move);
}

int ctl_folder_rename(struct ctl *ctl)
{
	return change(ctl, renaming);
}

/* --- folder remove --------------------------------------------------------- */

/* Refuses to move a folder of @s up to where one of its name is. */
static int check_inner(struct ctl *ctl, const struct named *s)
{
	struct folder_row row;
	sqlite3_stmt *rows;
	int status = 0, rc = folder_list(&ctl->store, s->id, &rows);

	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		folder_row(rows, &row);
		rc = 0;
		if (row.depth == 1 && status == 0)
			status = check_free(ctl, s, s->parent, row.name);
	}
	return rc ? ctl_store_error(ctl) : status;
}

static int removing(struct ctl *ctl, void *data)
{
	struct named *s = data;
	struct folder_row row = { 0 };
	sqlite3_stmt *rows;
	int rc, status = find_subject(ctl, ctl->words[0], s);

	if (status)
		return status;
	rc = folder_list(&ctl->store, s->id, &rows);
	if (rc || store_step(&ctl->store, rows) != 1)
		return ctl_store_error(ctl);
	folder_row(rows, &row);
	store_end(rows);
	if ((row.folders || row.devices) && !ctl_given(ctl, OPT_FORCE))
		return ctl_error(EXIT_FAULT, "%s is not empty (folders: %llu, devices: %llu); move "
		                 "them, or move all to the folder around it with --force",
		                 s->before, (unsigned long long)row.folders,
		                 (unsigned long long)row.devices);
	status = check_inner(ctl, s);
	if (status == 0 && (folder_empty(&ctl->store, s->id, s->parent) ||
	                    folder_remove(&ctl->store, s->id)))
		status = ctl_store_error(ctl);
	return status;
}

int ctl_folder_remove(struct ctl *ctl)
{
	struct named s = { 0 };
	int status = ctl_transaction(ctl, removing, &s);

	return status ? status : ctl_say(ctl, json_pack("{s:s}", "removed", s.before),
	                                 "folder %s removed", s.before);
}
