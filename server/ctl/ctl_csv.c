/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/ctl/ctl_csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/store/folders.h"
#include "server/store/groups.h"
#include "server/store/uuids.h"
#include "server/tool/output.h"

/* Tells that another device has a value already; and its line, where it is of this file. */
static void tell_other(struct adding *a, const struct csv_field *field, const char *what,
                       const struct device *other)
{
	if (other->id >= a->first_id && other->id - a->first_id < a->line_count)
		csv_tell(a, field->line, field->column, "%s: line %zu has it already", what,
		     a->lines[other->id - a->first_id]);
	else
		csv_tell(a, field->line, field->column, "%s: device %s has it already", what,
		     other->name);
}

/* One that identifies nobody is refused; one in the other byte order is only told of. */
static int look_at_uuid(struct adding *a, const struct csv_field *field, const uint8_t uuid[16])
{
	struct uuid_record word;
	struct device other;
	uint8_t swapped[16];
	int rc = uuid_find(&a->ctl->store, uuid, &word);

	if (rc)
		return rc;
	if (word.state == UUID_SHARED || word.state == UUID_IGNORED) {
		csv_tell(a, field->line, field->column, "%s: is %s, so it tells nothing; give a "
		         "MAC, or, if it is one machine's, \"prebootctl uuid allow\" it first",
		         field->text, uuid_state_name(word.state));
		return 0;
	}
	device_uuid_swap(uuid, swapped);
	rc = memcmp(swapped, uuid, 16) ? device_by_uuid(&a->ctl->store, swapped, &other)
	                               : ERR_NOT_FOUND;
	if (rc == 0)
		output_line(NULL, "%s:%zu:%zu: warning: device %s: %s is the UUID of device %s in "
		            "the other byte order", a->file, field->line, field->column,
		            a->device.name, field->text, other.name);
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

/* The field of a column, NULL where it is empty or there is none. */
static struct csv_field *field_of(struct adding *a, enum column column)
{
	size_t place = a->places[column];

	return place && a->csv.fields[place - 1].text[0] ? &a->csv.fields[place - 1] : NULL;
}

static int check(struct adding *a, enum column column, const struct csv_field *field,
                 const char *text, struct data_value *value)
{
	json_t *json = json_string(text);
	char message[DATA_MESSAGE];
	int rc = data_check(&csv_columns[column], json, NULL, value, message);

	json_decref(json);
	if (rc)
		csv_tell_field(a, field, text, message);
	return rc;
}

/* Calls @one for each of the values in a field, which are between blanks, "," or ";". */
static int each(struct adding *a, const struct csv_field *field, char *values,
                int (*one)(struct adding *a, const struct csv_field *field, const char *text))
{
	char *rest, *text;
	int rc = 0;

	for (text = strtok_r(values, " \t\r\n,;", &rest); rc == 0 && text;
	     text = strtok_r(NULL, " \t\r\n,;", &rest))
		rc = one(a, field, text);
	return rc;
}

static int take_mac(struct adding *a, const struct csv_field *field, const char *text)
{
	struct data_value value;
	struct device other;
	int rc;

	if (check(a, COLUMN_MAC, field, text, &value))
		return 0;
	for (size_t i = 0; i < a->mac_count; i++)
		if (memcmp(a->macs[i], value.bytes, 6) == 0)
			return 0; /* given twice */
	rc = device_by_mac(&a->ctl->store, value.bytes, &other);
	if (rc == 0) {
		tell_other(a, field, text, &other);
		return 0;
	}
	if (rc != ERR_NOT_FOUND)
		return rc;
	if (a->mac_count == DEVICE_MACS_MAX)
		csv_tell_field(a, field, text, "a device has at most 16");
	else
		memcpy(a->macs[a->mac_count++], value.bytes, 6);
	return 0;
}

/* Several in a field; with blanks between them, unless they are between the bytes of one. */
static int take_macs(struct adding *a)
{
	struct csv_field *field = field_of(a, COLUMN_MAC);
	char *rest, *text, *end;
	uint8_t unused[6];
	int rc = 0;

	if (!field)
		return 0;
	for (text = strtok_r(field->text, "\t\r\n,;", &rest); rc == 0 && text;
	     text = strtok_r(NULL, "\t\r\n,;", &rest)) {
		text += strspn(text, " ");
		for (end = text + strlen(text); end > text && end[-1] == ' ';)
			*--end = '\0';
		rc = text_parse_mac(text, unused) == 0 ? take_mac(a, field, text)
		                                       : each(a, field, text, take_mac);
	}
	return rc;
}

static int take_guid(struct adding *a, enum column column, uint8_t out[16],
                     int (*find)(struct store *store, const uint8_t guid[16],
                                 struct device *device))
{
	const struct csv_field *field = field_of(a, column);
	struct data_value value;
	struct device other;
	int rc;

	if (!field || check(a, column, field, field->text, &value))
		return 0;
	rc = find(&a->ctl->store, value.bytes, &other);
	if (rc == 0)
		tell_other(a, field, field->text, &other);
	else if (rc == ERR_NOT_FOUND)
		memcpy(out, value.bytes, 16);
	if (rc == ERR_NOT_FOUND && column == COLUMN_UUID)
		rc = look_at_uuid(a, field, value.bytes);
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

/* A device without a right name gets one that none can have, so that the rest is checked. */
static int take_name(struct adding *a)
{
	const struct csv_field *field = field_of(a, COLUMN_NAME), *first = &a->csv.fields[0];
	struct data_value value;
	struct device other;
	int rc;

	snprintf(a->device.name, sizeof(a->device.name), "?%zu", first->line);
	if (!field)
		csv_tell_field(a, first, "name", "is missing");
	if (!field || check(a, COLUMN_NAME, field, field->text, &value))
		return 0;
	rc = device_by_name(&a->ctl->store, field->text, &other);
	if (rc == 0)
		tell_other(a, field, field->text, &other);
	else
		text_format(a->device.name, sizeof(a->device.name), "%s", field->text);
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

/* Makes what is missing of a path, which has been checked. */
static int make_folders(struct adding *a, const char *path, uint64_t *id)
{
	char name[NAME_SIZE];
	int rc = 0;

	for (*id = 0; rc == 0 && *path == '/';) {
		size_t length = strcspn(++path, "/");
		uint64_t parent = *id;

		text_format(name, length + 1, "%s", path);
		rc = folder_child(&a->ctl->store, parent, name, id);
		if (rc == ERR_NOT_FOUND) {
			rc = folder_add(&a->ctl->store, parent, name, id);
			a->folders++;
		}
		path += length;
	}
	return rc;
}

static int put_folder(struct adding *a)
{
	const struct csv_field *field = field_of(a, COLUMN_FOLDER);
	struct data_value value;
	uint64_t id;
	int rc;

	if (!field || strcmp(field->text, "/") == 0 ||
	    check(a, COLUMN_FOLDER, field, field->text, &value))
		return 0;
	if (ctl_given(a->ctl, OPT_CREATE_FOLDERS))
		rc = make_folders(a, field->text, &id);
	else
		rc = folder_find(&a->ctl->store, field->text, &id);
	if (rc == ERR_NOT_FOUND) {
		csv_tell_field(a, field, field->text, "there is no such folder; make it with "
		           "\"prebootctl folder add\", or all with --create-folders");
		return 0;
	}
	return rc ? rc : device_move(&a->ctl->store, a->device.id, id);
}

static int put_group(struct adding *a, const struct csv_field *field, const char *text)
{
	struct data_value value;
	uint64_t id;
	int rc;

	if (check(a, COLUMN_GROUP, field, text, &value))
		return 0;
	rc = group_find(&a->ctl->store, text, &id);
	if (rc == ERR_NOT_FOUND)
		csv_tell_field(a, field, text,
		               "there is no such group; make it with \"prebootctl group add\"");
	if (rc == 0)
		rc = group_join(&a->ctl->store, id, a->device.id);
	/* Given twice, it is a member already. */
	return rc == ERR_NOT_FOUND || rc == ERR_REFUSED ? 0 : rc;
}

static int keep_line(struct adding *a, size_t line)
{
	size_t *more;

	/* Grows at each power of two. */
	if ((a->line_count & (a->line_count - 1)) == 0) {
		more = realloc(a->lines, sizeof(*more) * (a->line_count ? 2 * a->line_count : 1));
		if (!more)
			return ERR_SPACE;
		a->lines = more;
	}
	if (a->line_count == 0)
		a->first_id = a->device.id;
	a->lines[a->line_count++] = line;
	return 0;
}

int csv_take_row(struct adding *a)
{
	static const uint8_t none[16];
	const struct csv_field *first = &a->csv.fields[0];
	struct csv_field *groups;
	size_t errors = a->errors, line = first->line;
	int rc;

	if (a->csv.count != a->width) {
		csv_tell(a, first->line, first->column, "%zu fields, but the first line has %zu",
		     a->csv.count, a->width);
		return 0;
	}
	memset(&a->device, 0, sizeof(a->device));
	a->mac_count = 0;
	a->device.added = time(NULL);
	rc = take_name(a);
	if (rc == 0)
		rc = take_macs(a);
	if (rc == 0)
		rc = take_guid(a, COLUMN_UUID, a->device.uuid, device_by_uuid);
	if (rc == 0)
		rc = take_guid(a, COLUMN_ISD, a->device.isd, device_by_isd);
	if (rc == 0 && errors == a->errors && a->mac_count == 0 &&
	    memcmp(a->device.uuid, none, 16) == 0 && memcmp(a->device.isd, none, 16) == 0)
		csv_tell(a, first->line, first->column,
		         "%s: needs a MAC, a UUID or the device id (isd) in its image-safe data, "
		         "or the machine could not be known again", a->device.name);
	if (rc == 0)
		rc = device_add(&a->ctl->store, &a->device, a->macs, a->mac_count);
	if (rc == 0)
		rc = keep_line(a, line);
	if (rc == 0)
		rc = put_folder(a);
	groups = field_of(a, COLUMN_GROUP);
	return rc || !groups ? rc : each(a, groups, groups->text, put_group);
}
