/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl_verbs.h"
#include "server/store/assignments.h"
#include "server/store/settings.h"

/* --- folder list ----------------------------------------------------------- */

static void list_row(struct table *table, const struct folder_row *row)
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

static json_t *json_row(const struct folder_row *row, const char *path)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:I}", "path", path, "folders",
	                 (json_int_t)row->folders, "devices", (json_int_t)row->devices, "settings",
	                 (json_int_t)row->settings, "assignments", (json_int_t)row->assignments);
}

int ctl_folder_list(struct ctl *ctl)
{
	struct table table = { .columns = 4 };
	char path[FOLDER_PATH];
	struct folder_row row;
	sqlite3_stmt *rows;
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
	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		folder_row(rows, &row);
		follow_path(path, start, &row);
		list_row(&table, &row);
		json_array_append_new(array, json_row(&row, path));
		rc = 0;
	}
	return ctl_answer_list(ctl, rc, &table, array);
}

/* --- folder show ----------------------------------------------------------- */

/* Gathers what is in folder @id itself. */
static int contents(struct ctl *ctl, uint64_t id, json_t *folders, json_t *devices)
{
	struct folder_row row;
	struct device device;
	sqlite3_stmt *rows;
	int rc = folder_list(&ctl->store, id, &rows);

	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		folder_row(rows, &row);
		if (row.depth == 1)
			json_array_append_new(folders, json_string(row.name));
		rc = 0;
	}
	if (rc == 0)
		rc = folder_devices(&ctl->store, id, &rows);
	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		uint64_t in;

		device_row(rows, &device);
		rc = device_folder(&ctl->store, device.id, &in);
		if (rc == 0 && in == id)
			json_array_append_new(devices, json_string(device.name));
	}
	return rc;
}

json_t *ctl_json_owned(struct ctl *ctl, const struct owner *owner)
{
	struct assignment_filter filter = { .level = owner->level, .owner = owner->id };
	json_t *settings = json_object(), *assignments = json_array();
	struct assignment_row row;
	char value[SETTING_TEXT];
	struct owner from;
	sqlite3_stmt *rows;
	int rc = assignment_list(&ctl->store, &filter, &rows);

	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		assignment_row(rows, &row);
		json_array_append_new(assignments, ctl_json_assignment(ctl, &row));
		rc = 0;
	}
	for (size_t i = 0; owner->level != LEVEL_GROUP && setting_key(i); i++)
		if (setting_read(&ctl->store, owner, i, value, &from) == 0 &&
		    from.level == owner->level && from.id == owner->id)
			json_object_set_new(settings, setting_key(i), json_string(value));
	return json_pack("{s:o, s:o}", "settings", settings, "assignments", assignments);
}

void ctl_print_owned(const json_t *owned)
{
	json_t *settings = json_object_get(owned, "settings"), *value;
	json_t *assignments = json_object_get(owned, "assignments");
	const char *key;
	size_t i;

	json_object_foreach(settings, key, value)
		ctl_line(key, "%s", json_string_value(value));
	json_array_foreach(assignments, i, value)
		ctl_line("assigned", "%s, %s", json_string_value(json_object_get(value, "bundle")),
		         json_string_value(json_object_get(value, "when")));
}

void ctl_print_names(const char *label, const json_t *names)
{
	const json_t *name;
	size_t i, column = 0;

	json_array_foreach(names, i, name) {
		const char *text = json_string_value(name);

		if (i && column + strlen(text) > 56) {
			puts(",");
			column = 0;
		}
		if (column == 0)
			printf("  %-18s%s", i ? "" : label, text);
		else
			printf(", %s", text);
		column += strlen(text) + 2;
	}
	if (json_array_size(names))
		puts("");
}

int ctl_folder_show(struct ctl *ctl)
{
	json_t *folders = json_array(), *devices = json_array(), *object;
	struct owner owner = { 0 };
	char path[FOLDER_PATH];
	int status = ctl_find_folder(ctl, ctl->words[0], &owner.id);

	if (status == 0 && (folder_path(&ctl->store, owner.id, path) ||
	                    contents(ctl, owner.id, folders, devices)))
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
		ctl_print_json(json_incref(object));
	json_decref(object);
	return 0;
}
