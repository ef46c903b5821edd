/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/transfer/device_csv_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/store/events.h"
#include "server/store/folders.h"
#include "server/store/groups.h"
#include "server/store/uuids.h"

static const uint8_t none[16];

/* What each value of a column is checked as. */
static const struct data_field checks[COLUMN_COUNT] = {
	[COLUMN_NAME] = { "name", DATA_NAME, .optional = false },
	[COLUMN_MAC] = { "mac", DATA_MAC, .optional = false },
	[COLUMN_UUID] = { "uuid", DATA_GUID, .optional = false },
	[COLUMN_ISD] = { "isd", DATA_GUID, .optional = false },
	[COLUMN_FOLDER] = { "folder", DATA_PATH, .optional = false },
	[COLUMN_GROUP] = { "group", DATA_LABEL, .optional = false },
};

/* --- fields ---------------------------------------------------------------- */

struct csv_field *csv_field_of(struct csv_import *import, enum column column)
{
	size_t place = import->places[column];
	struct csv_field *fields = import->text.fields;

	return place && fields[place - 1].text[0] ? &fields[place - 1] : NULL;
}

bool csv_is_cleared(const struct csv_field *field)
{
	return strcmp(field->text, CSV_CLEARED) == 0;
}

int csv_check_value(struct csv_import *import, enum column column,
                    const struct csv_field *field, const char *text, struct data_value *value)
{
	json_t *json = json_string(text);
	char message[DATA_MESSAGE];
	int rc = data_check(&checks[column], json, NULL, value, message);

	json_decref(json);
	if (rc)
		csv_add_field_error(import, field, text, message);
	return rc;
}

static void read_mac(struct csv_import *import, const struct csv_field *field, const char *text)
{
	struct csv_device *after = &import->after;
	struct data_value value;

	if (csv_check_value(import, COLUMN_MAC, field, text, &value))
		return;
	for (size_t i = 0; i < after->mac_count; i++)
		if (memcmp(after->macs[i], value.bytes, 6) == 0)
			return; /* It is given twice. */
	if (after->mac_count == DEVICE_MACS_MAX)
		csv_add_field_error(import, field, text, "a device has at most 16");
	else
		memcpy(after->macs[after->mac_count++], value.bytes, 6);
}

/* Several MACs have blanks between them, unless blanks are between the bytes of one. */
static void read_macs(struct csv_import *import)
{
	struct csv_field *field = csv_field_of(import, COLUMN_MAC);
	char *rest, *text, *end, *inner, *one;
	uint8_t unused[6];

	if (!field || csv_is_cleared(field))
		return;
	for (text = strtok_r(field->text, "\t\r\n,;", &rest); text;
	     text = strtok_r(NULL, "\t\r\n,;", &rest)) {
		text += strspn(text, " ");
		for (end = text + strlen(text); end > text && end[-1] == ' ';)
			*--end = '\0';
		if (text_parse_mac(text, unused) == 0) {
			read_mac(import, field, text);
			continue;
		}
		for (one = strtok_r(text, " ", &inner); one; one = strtok_r(NULL, " ", &inner))
			read_mac(import, field, one);
	}
}

static void read_guid(struct csv_import *import, enum column column, uint8_t out[16])
{
	const struct csv_field *field = csv_field_of(import, column);
	struct data_value value;

	if (field && !csv_is_cleared(field) &&
	    csv_check_value(import, column, field, field->text, &value) == 0)
		memcpy(out, value.bytes, 16);
}

/* --- which device it is ---------------------------------------------------- */

/* Returns the line of this file that a device is in; 0: none. */
static size_t line_of(struct csv_import *import, uint64_t device)
{
	char key[24];

	snprintf(key, sizeof(key), "%llu", (unsigned long long)device);
	return (size_t)json_integer_value(json_object_get(import->lines, key));
}

static void keep_line(struct csv_import *import, size_t line)
{
	char key[24];

	snprintf(key, sizeof(key), "%llu", (unsigned long long)import->after.device.id);
	json_object_set_new(import->lines, key, json_integer((json_int_t)line));
}

/* Says that another device has @what. */
static void add_taken_error(struct csv_import *import, const struct csv_field *field,
                            const char *what, const struct device *other)
{
	size_t line = line_of(import, other->id);

	if (line)
		csv_add_error(import, field->line, field->column, "%s: line %zu has it already",
		              what, line);
	else
		csv_add_error(import, field->line, field->column, "%s: device %s has it already",
		              what, other->name);
}

/* Finds the device that has a MAC, UUID or device id of a row without a name. */
static int find_by_identity(struct csv_import *import, struct device *device)
{
	const struct csv_device *after = &import->after;
	int rc = ERR_NOT_FOUND;

	for (size_t i = 0; rc == ERR_NOT_FOUND && i < after->mac_count; i++)
		rc = device_by_mac(import->store, after->macs[i], device);
	if (rc == ERR_NOT_FOUND && memcmp(after->device.uuid, none, 16))
		rc = device_by_uuid(import->store, after->device.uuid, device);
	if (rc == ERR_NOT_FOUND && memcmp(after->device.isd, none, 16))
		rc = device_by_isd(import->store, after->device.isd, device);
	return rc == 0 && line_of(import, device->id) ? ERR_NOT_FOUND : rc;
}

/*
 * Finds the device of the row, or leaves import->known false for one that is to be added. Without
 * a right name it gets one that no device can have, so that the rest is checked.
 */
static int find_device(struct csv_import *import)
{
	const struct csv_field *field = csv_field_of(import, COLUMN_NAME);
	const struct csv_field *first = &import->text.fields[0];
	struct csv_device *before = &import->before;
	struct device *after = &import->after.device;
	struct data_value value;
	int rc;

	snprintf(after->name, sizeof(after->name), "?%zu", first->line);
	if (field && csv_check_value(import, COLUMN_NAME, field, field->text, &value))
		return 0;
	rc = field ? device_by_name(import->store, field->text, &before->device)
	           : find_by_identity(import, &before->device);
	if (rc == ERR_NOT_FOUND && !field)
		csv_add_field_error(import, first, "name", "is missing, and no device has what else "
		                    "the line names");
	else if (rc == ERR_NOT_FOUND)
		text_format(after->name, sizeof(after->name), "%s", field->text);
	else if (rc == 0 && line_of(import, before->device.id))
		add_taken_error(import, field ? field : first, field ? field->text : "name",
		                &before->device);
	else if (rc == 0)
		import->known = true;
	if (!import->known)
		return rc == ERR_NOT_FOUND ? 0 : rc;
	after->id = before->device.id;
	text_format(after->name, sizeof(after->name), "%s", before->device.name);
	return device_macs(import->store, after->id, before->macs, &before->mac_count);
}

/* --- what it is known by --------------------------------------------------- */

/* Returns whether another device than that of the row was found; @rc: of looking for it. */
static bool is_other(const struct csv_import *import, int rc, const struct device *found)
{
	return rc == 0 && !(import->known && found->id == import->before.device.id);
}

/* Takes out the MACs that another device has. */
static int check_macs(struct csv_import *import)
{
	struct csv_device *after = &import->after;
	size_t kept = 0;

	for (size_t i = 0; i < after->mac_count; i++) {
		struct device other;
		char text[20];
		int rc = device_by_mac(import->store, after->macs[i], &other);

		if (rc && rc != ERR_NOT_FOUND)
			return rc;
		text_format(text, sizeof(text), "%pM", after->macs[i]);
		if (is_other(import, rc, &other))
			add_taken_error(import, csv_field_of(import, COLUMN_MAC), text, &other);
		else
			memmove(after->macs[kept++], after->macs[i], 6);
	}
	after->mac_count = kept;
	return 0;
}

/* A UUID that identifies nobody is an error; for one in the other byte order there is a warning. */
static int check_uuid(struct csv_import *import, const struct csv_field *field)
{
	const uint8_t *uuid = import->after.device.uuid;
	struct uuid_record word;
	struct device other;
	uint8_t swapped[16];
	char warning[512];
	int rc = uuid_find(import->store, uuid, &word);

	if (rc)
		return rc;
	if (word.state == UUID_SHARED || word.state == UUID_IGNORED) {
		csv_add_error(import, field->line, field->column, "%s: is %s, so it identifies "
		              "nobody; give a MAC, or, if it is one machine's, \"prebootctl uuid "
		              "allow\" it first", field->text, uuid_state_name(word.state));
		return 0;
	}
	device_uuid_swap(uuid, swapped);
	rc = memcmp(swapped, uuid, 16) ? device_by_uuid(import->store, swapped, &other)
	                               : ERR_NOT_FOUND;
	if (is_other(import, rc, &other)) {
		snprintf(warning, sizeof(warning), "%s:%zu:%zu: warning: device %s: %s is the UUID "
		         "of device %s in the other byte order", import->csv->file, field->line,
		         field->column, import->after.device.name, field->text, other.name);
		import->csv->report(warning);
	}
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

/* Clears @guid if another device has it. */
static int check_guid(struct csv_import *import, enum column column, uint8_t guid[16],
                      int (*find)(struct store *store, const uint8_t guid[16],
                                  struct device *device))
{
	const struct csv_field *field = csv_field_of(import, column);
	struct device other;
	int rc;

	if (memcmp(guid, none, 16) == 0)
		return 0;
	rc = find(import->store, guid, &other);
	if (is_other(import, rc, &other)) {
		add_taken_error(import, field, field->text, &other);
		memset(guid, 0, 16);
		return 0;
	}
	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	/* A device may keep what it has. */
	if (column == COLUMN_UUID && memcmp(guid, import->before.device.uuid, 16))
		return check_uuid(import, field);
	return 0;
}

static void add_identity_error(struct csv_import *import)
{
	const struct csv_field *first = &import->text.fields[0];

	csv_add_error(import, first->line, first->column, "%s: needs a MAC, a UUID or the device id "
	              "(isd) in its image-safe data, or the machine could not be known again",
	              import->after.device.name);
}

static bool has_identity(const struct csv_device *d)
{
	return d->mac_count || memcmp(d->device.uuid, none, 16) || memcmp(d->device.isd, none, 16);
}

/* @wrong: an error of this row has been found already */
static int add_device(struct csv_import *import, bool wrong)
{
	struct csv_device *after = &import->after;
	int rc;

	if (!wrong && !has_identity(after))
		add_identity_error(import);
	rc = device_add(import->store, &after->device, (const uint8_t (*)[6])after->macs,
	                after->mac_count);
	import->csv->added++;
	return rc;
}

/* --- changes --------------------------------------------------------------- */

void csv_add_field_change(struct csv_import *import, const char *key, const char *was,
                          const char *becomes)
{
	json_object_set_new(import->fields, key, json_pack("[s, s]", was, becomes));
}

static void macs_text(const struct csv_device *d, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < d->mac_count; i++)
		used += text_format(out + used, size - used, i ? " %pM" : "%pM", d->macs[i]);
}

static bool has_mac(const struct csv_device *d, const uint8_t mac[6])
{
	for (size_t i = 0; i < d->mac_count; i++)
		if (memcmp(d->macs[i], mac, 6) == 0)
			return true;
	return false;
}

static void compare_macs(struct csv_import *import)
{
	const struct csv_device *before = &import->before, *after = &import->after;
	char was[DEVICE_MACS_MAX * 18 + 1], becomes[DEVICE_MACS_MAX * 18 + 1];
	bool same = before->mac_count == after->mac_count;

	for (size_t i = 0; same && i < after->mac_count; i++)
		same = has_mac(before, after->macs[i]);
	macs_text(before, was, sizeof(was));
	macs_text(after, becomes, sizeof(becomes));
	if (!same)
		csv_add_field_change(import, "mac", was, becomes);
}

static void compare_guids(struct csv_import *import, const char *key, const uint8_t before[16],
                          const uint8_t after[16])
{
	char was[40] = "", becomes[40] = "";

	if (memcmp(before, after, 16) == 0)
		return;
	if (memcmp(before, none, 16))
		text_format(was, sizeof(was), "%pU", before);
	if (memcmp(after, none, 16))
		text_format(becomes, sizeof(becomes), "%pU", after);
	csv_add_field_change(import, key, was, becomes);
}

/* Gives the device of the row what it is known by, where that changes. @wrong: as above */
static int change_identity(struct csv_import *import, bool wrong)
{
	const struct csv_device *before = &import->before;
	struct csv_device *after = &import->after;
	const uint8_t (*macs)[6] = (const uint8_t (*)[6])after->macs;

	if (!csv_field_of(import, COLUMN_MAC)) {
		memcpy(after->macs, before->macs, sizeof(after->macs));
		after->mac_count = before->mac_count;
	}
	if (!csv_field_of(import, COLUMN_UUID))
		memcpy(after->device.uuid, before->device.uuid, 16);
	if (!csv_field_of(import, COLUMN_ISD))
		memcpy(after->device.isd, before->device.isd, 16);
	compare_macs(import);
	compare_guids(import, "uuid", before->device.uuid, after->device.uuid);
	compare_guids(import, "isd", before->device.isd, after->device.isd);
	if (!json_object_size(import->fields))
		return 0;
	if (!has_identity(after)) {
		if (!wrong)
			add_identity_error(import);
		return 0;
	}
	return device_change(import->store, &after->device, macs, after->mac_count);
}

/* --- the row --------------------------------------------------------------- */

/* Reads what the row says its device is known by. */
static int read_identity(struct csv_import *import)
{
	struct device *after = &import->after.device;
	int rc;

	read_macs(import);
	read_guid(import, COLUMN_UUID, after->uuid);
	read_guid(import, COLUMN_ISD, after->isd);
	rc = find_device(import);
	if (rc == 0)
		rc = check_macs(import);
	if (rc == 0)
		rc = check_guid(import, COLUMN_UUID, after->uuid, device_by_uuid);
	if (rc == 0)
		rc = check_guid(import, COLUMN_ISD, after->isd, device_by_isd);
	return rc;
}

static void count_row(struct csv_import *import)
{
	const char *name = import->after.device.name;

	if (!import->known) {
		csv_add_change(import, "add", "device", name, import->fields);
	} else if (json_object_size(import->fields)) {
		csv_add_change(import, "change", "device", name, import->fields);
		import->csv->changed++;
	} else {
		json_decref(import->fields);
		import->csv->unchanged++;
	}
	import->fields = NULL;
}

int csv_put_row(struct csv_import *import)
{
	const struct csv_field *first = &import->text.fields[0];
	size_t errors = import->csv->errors, line = first->line;
	int rc;

	if (import->text.count != import->width) {
		csv_add_error(import, first->line, first->column,
		              "%zu fields, but the first line has %zu", import->text.count,
		              import->width);
		return 0;
	}
	memset(&import->before, 0, sizeof(import->before));
	memset(&import->after, 0, sizeof(import->after));
	import->known = false;
	import->after.device.added = time(NULL);
	import->fields = json_object();
	rc = read_identity(import);
	if (rc == 0)
		rc = import->known ? change_identity(import, errors != import->csv->errors)
		                   : add_device(import, errors != import->csv->errors);
	if (rc == 0)
		keep_line(import, line);
	if (rc == 0)
		rc = csv_put_folder(import);
	if (rc == 0)
		rc = csv_put_groups(import);
	count_row(import);
	return rc;
}
