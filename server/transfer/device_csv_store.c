/* SPDX-License-Identifier: BSD-2-Clause */
/* The third step of an import of devices: all of it is stored. */
#include "server/transfer/device_csv_internal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/store/events.h"
#include "server/store/folders.h"
#include "server/store/groups.h"

#define GROUPS_SIZE 1024 /* names of groups, in a description of a change */

static const uint8_t none[16];

static void add_field_change(struct csv_row *row, const char *key, const char *was,
                             const char *becomes)
{
	json_object_set_new(row->changes, key, json_pack("[s, s]", was, becomes));
}

/* Adds a step to the history of a device that was there before. */
static int add_event(struct csv_import *import, const struct csv_row *row, const char *step,
                     const char *what, const char *name)
{
	struct event_record event = { .device = row->after.device.id, .time = time(NULL) };

	if (!row->known)
		return 0;
	snprintf(event.step, sizeof(event.step), "%s", step);
	snprintf(event.reason, sizeof(event.reason), "%s%s", what, name);
	return event_add(import->store, &event);
}

/* --- what it is known by --------------------------------------------------- */

static void macs_text(const struct csv_device *d, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < d->mac_count; i++)
		used += text_format(out + used, size - used, i ? " %pM" : "%pM", d->macs[i]);
}

static void describe_macs(struct csv_row *row)
{
	char was[DEVICE_MACS_MAX * 18 + 1], becomes[DEVICE_MACS_MAX * 18 + 1];

	if (!row->macs_change)
		return;
	macs_text(&row->before, was, sizeof(was));
	macs_text(&row->after, becomes, sizeof(becomes));
	add_field_change(row, "mac", was, becomes);
}

static void describe_guid(struct csv_row *row, const char *key, const uint8_t before[16],
                          const uint8_t after[16])
{
	char was[40] = "", becomes[40] = "";

	if (memcmp(before, after, 16) == 0)
		return;
	if (memcmp(before, none, 16))
		text_format(was, sizeof(was), "%pU", before);
	if (memcmp(after, none, 16))
		text_format(becomes, sizeof(becomes), "%pU", after);
	add_field_change(row, key, was, becomes);
}

/* Takes from a device what it will not have any more, so that others can get it. */
static int clear_identity(struct csv_import *import, const struct csv_row *row)
{
	const struct csv_device *before = &row->before, *after = &row->after;
	struct csv_device kept = { .device = before->device };

	if (!row->known || !row->identity_changes)
		return 0;
	for (size_t i = 0; i < before->mac_count; i++)
		if (csv_has_mac(after, before->macs[i]))
			memcpy(kept.macs[kept.mac_count++], before->macs[i], 6);
	if (memcmp(before->device.uuid, after->device.uuid, 16))
		memset(kept.device.uuid, 0, 16);
	if (memcmp(before->device.isd, after->device.isd, 16))
		memset(kept.device.isd, 0, 16);
	return device_change(import->store, &kept.device, (const uint8_t (*)[6])kept.macs,
	                     kept.mac_count);
}

/* Adds the device, or gives it what it will be known by. */
static int store_identity(struct csv_import *import, struct csv_row *row)
{
	const uint8_t (*macs)[6] = (const uint8_t (*)[6])row->after.macs;

	describe_macs(row);
	describe_guid(row, "uuid", row->before.device.uuid, row->after.device.uuid);
	describe_guid(row, "isd", row->before.device.isd, row->after.device.isd);
	if (!row->known)
		return device_add(import->store, &row->after.device, macs, row->after.mac_count);
	if (!row->identity_changes)
		return 0;
	return device_change(import->store, &row->after.device, macs, row->after.mac_count);
}

/* --- where it is ----------------------------------------------------------- */

static int store_folder(struct csv_import *import, struct csv_row *row)
{
	uint64_t device = row->after.device.id, before = 0;
	char was[FOLDER_PATH], becomes[FOLDER_PATH];
	int rc = 0;

	if (!row->moves)
		return 0;
	if (row->known)
		rc = device_folder(import->store, device, &before);
	if (rc || before == row->folder)
		return rc;
	rc = folder_path(import->store, before, was);
	if (rc == 0)
		rc = folder_path(import->store, row->folder, becomes);
	if (rc == 0)
		rc = device_move(import->store, device, row->folder);
	if (rc)
		return rc;
	add_field_change(row, "folder", was, becomes);
	return add_event(import, row, "moved", "to ", becomes);
}

/* Adds a group's name to a list of them, as far as it fits. */
static void add_name(char list[GROUPS_SIZE], const char *name)
{
	size_t used = strlen(list);

	snprintf(list + used, GROUPS_SIZE - used, "%s%s", used ? " " : "", name);
}

/* Makes the device leave the groups that it is not to be in. @was: receives those it was in */
static int leave_groups(struct csv_import *import, const struct csv_row *row, char was[GROUPS_SIZE],
                        bool *changed)
{
	struct group_row group;
	json_t *left = json_object(), *id;
	struct store_rows *rows;
	const char *name;
	int rc = group_list(import->store, row->after.device.id, &rows);

	was[0] = '\0';
	while (store_next(rows, &rc)) {
		group_row(rows, &group);
		add_name(was, group.name);
		if (!json_object_get(row->groups, group.name))
			json_object_set_new(left, group.name, json_integer((json_int_t)group.id));
	}
	*changed = json_object_size(left);
	json_object_foreach(left, name, id) {
		if (rc == 0)
			rc = group_leave(import->store, (uint64_t)json_integer_value(id),
			                 row->after.device.id);
		if (rc == 0)
			rc = add_event(import, row, "left", "group ", name);
	}
	json_decref(left);
	return rc;
}

static int store_groups(struct csv_import *import, struct csv_row *row)
{
	char was[GROUPS_SIZE], becomes[GROUPS_SIZE] = "";
	const char *name;
	bool changed;
	json_t *id;
	int rc;

	if (!row->groups)
		return 0;
	rc = leave_groups(import, row, was, &changed);
	json_object_foreach(row->groups, name, id) {
		if (rc)
			return rc;
		add_name(becomes, name);
		rc = group_join(import->store, (uint64_t)json_integer_value(id),
		                row->after.device.id);
		if (rc == ERR_REFUSED) { /* It is a member already. */
			rc = 0;
			continue;
		}
		changed = true;
		if (rc == 0)
			rc = add_event(import, row, "joined", "group ", name);
	}
	if (rc == 0 && changed)
		add_field_change(row, "group", was, becomes);
	return rc;
}

/* --- all ------------------------------------------------------------------- */

static void count_row(struct csv_import *import, struct csv_row *row)
{
	const char *name = row->after.device.name;
	bool changes = json_object_size(row->changes);

	if (!row->known)
		import->csv->added++;
	else if (changes)
		import->csv->changed++;
	else
		import->csv->unchanged++;
	if (!row->known || changes)
		csv_add_change(import, row->known ? "change" : "add", "device", name,
		               json_incref(row->changes));
}

int csv_store_rows(struct csv_import *import)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < import->row_count; i++)
		rc = clear_identity(import, &import->rows[i]);
	for (size_t i = 0; rc == 0 && i < import->row_count; i++) {
		struct csv_row *row = &import->rows[i];

		rc = store_identity(import, row);
		if (rc == 0)
			rc = store_folder(import, row);
		if (rc == 0)
			rc = store_groups(import, row);
		if (rc == 0)
			count_row(import, row);
	}
	return rc;
}
