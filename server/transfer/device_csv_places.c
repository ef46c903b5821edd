/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a row's device is: its folder and its groups. */
#include "server/transfer/device_csv_row.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/store/events.h"
#include "server/store/folders.h"
#include "server/store/groups.h"
#include "server/store/uuids.h"

/* Keeps a step in the history of a device that was there before. */
static int add_event(struct csv_import *import, const char *step, const char *what,
                     const char *name)
{
	struct event_record event = { .device = import->after.device.id, .time = time(NULL) };

	if (!import->known)
		return 0;
	snprintf(event.step, sizeof(event.step), "%s", step);
	snprintf(event.reason, sizeof(event.reason), "%s%s", what, name);
	return event_add(import->store, &event);
}

/* Makes what is missing of a path, which has been checked. */
static int make_folders(struct csv_import *import, const char *path, uint64_t *id)
{
	const char *at = path;
	char name[NAME_SIZE], made[FOLDER_PATH];
	int rc = 0;

	for (*id = 0; rc == 0 && *at == '/';) {
		size_t length = strcspn(++at, "/");
		uint64_t parent = *id;

		text_format(name, length + 1, "%s", at);
		at += length;
		rc = folder_child(import->store, parent, name, id);
		if (rc != ERR_NOT_FOUND)
			continue;
		rc = folder_add(import->store, parent, name, id);
		import->csv->folders++;
		text_format(made, (size_t)(at - path) + 1, "%s", path);
		csv_add_change(import, "add", "folder", made, NULL);
	}
	return rc;
}

int csv_put_folder(struct csv_import *import)
{
	const struct csv_field *field = csv_field_of(import, COLUMN_FOLDER);
	struct store *store = import->store;
	char was[FOLDER_PATH], becomes[FOLDER_PATH];
	uint64_t id = 0, before = 0;
	bool top = field && (strcmp(field->text, "/") == 0 || csv_is_cleared(field));
	struct data_value value;
	int rc = 0;

	if (!field || (!top && csv_check_value(import, COLUMN_FOLDER, field, field->text, &value)))
		return 0;
	if (!top)
		rc = import->csv->create_folders ? make_folders(import, field->text, &id)
		                                 : folder_find(store, field->text, &id);
	if (rc == ERR_NOT_FOUND) {
		csv_add_missing_error(import, field, field->text, "no such folder; make it with "
		                    "\"prebootctl folder add\", or all with --create-folders");
		return 0;
	}
	if (rc == 0 && import->known)
		rc = device_folder(store, import->after.device.id, &before);
	if (rc || before == id)
		return rc;
	rc = folder_path(store, before, was);
	if (rc == 0)
		rc = folder_path(store, id, becomes);
	if (rc == 0)
		rc = device_move(store, import->after.device.id, id);
	if (rc)
		return rc;
	csv_add_field_change(import, "folder", was, becomes);
	return add_event(import, "moved", "to ", becomes);
}

/* Finds the group that a row names; makes it where that is wanted. ERR_NOT_FOUND: an error. */
static int find_group(struct csv_import *import, const struct csv_field *field, const char *name,
                      uint64_t *id)
{
	struct data_value value;
	int rc;

	if (csv_check_value(import, COLUMN_GROUP, field, name, &value))
		return ERR_NOT_FOUND;
	rc = group_find(import->store, name, id);
	if (rc != ERR_NOT_FOUND)
		return rc;
	if (!import->csv->create_groups) {
		csv_add_missing_error(import, field, name, "no such group; make it with \"prebootctl "
		                    "group add\", or all with --create-groups");
		return rc;
	}
	import->csv->groups++;
	csv_add_change(import, "add", "group", name, NULL);
	return group_add(import->store, name, id);
}

/* Makes the device of the row leave the groups that it is in and that are not in @wanted. */
static int leave_groups(struct csv_import *import, const json_t *wanted, char *was, size_t size)
{
	struct group_row group;
	json_t *left = json_object(), *id;
	struct store_rows *rows;
	const char *name;
	size_t used = 0;
	int rc = group_list(import->store, import->after.device.id, &rows);

	was[0] = '\0';
	while (store_next(rows, &rc)) {
		group_row(rows, &group);
		if (used < size)
			used += (size_t)snprintf(was + used, size - used, "%s%s", used ? " " : "",
			                         group.name);
		if (!json_object_get(wanted, group.name))
			json_object_set_new(left, group.name, json_integer((json_int_t)group.id));
	}
	json_object_foreach(left, name, id) {
		if (rc == 0)
			rc = group_leave(import->store, (uint64_t)json_integer_value(id),
			                 import->after.device.id);
		if (rc == 0)
			rc = add_event(import, "left", "group ", name);
	}
	if (rc == 0 && json_object_size(left))
		rc = 1;
	json_decref(left);
	return rc;
}

/* Makes it join those of @wanted; @changed: receives whether it was not in one of them. */
static int join_groups(struct csv_import *import, const json_t *wanted, char *becomes, size_t size,
                       bool *changed)
{
	const char *name;
	json_t *id;
	size_t used = 0;

	becomes[0] = '\0';
	json_object_foreach((json_t *)wanted, name, id) {
		int rc = group_join(import->store, (uint64_t)json_integer_value(id),
		                    import->after.device.id);

		if (used < size)
			used += (size_t)snprintf(becomes + used, size - used, "%s%s",
			                         used ? " " : "", name);
		if (rc == 0) {
			*changed = true;
			rc = add_event(import, "joined", "group ", name);
		}
		if (rc && rc != ERR_REFUSED) /* It is a member already. */
			return rc;
	}
	return 0;
}

int csv_put_groups(struct csv_import *import)
{
	struct csv_field *field = csv_field_of(import, COLUMN_GROUP);
	char was[1024], becomes[1024], name[NAME_SIZE], *rest, *text;
	json_t *wanted;
	bool changed = false;
	uint64_t id;
	int rc = 0;

	if (!field)
		return 0;
	wanted = json_object();
	for (text = csv_is_cleared(field) ? NULL : strtok_r(field->text, CSV_BLANKS, &rest);
	     text && (rc == 0 || rc == ERR_NOT_FOUND); text = strtok_r(NULL, CSV_BLANKS, &rest)) {
		rc = find_group(import, field, text, &id);
		/* Its spelling is the group's. */
		if (rc == 0 && (rc = group_name(import->store, id, name)) == 0)
			json_object_set_new(wanted, name, json_integer((json_int_t)id));
	}
	if (rc == 0 || rc == ERR_NOT_FOUND)
		rc = leave_groups(import, wanted, was, sizeof(was));
	changed = rc == 1;
	if (rc >= 0)
		rc = join_groups(import, wanted, becomes, sizeof(becomes), &changed);
	json_decref(wanted);
	if (rc == 0 && changed)
		csv_add_field_change(import, "group", was, becomes);
	return rc;
}
