/* SPDX-License-Identifier: BSD-2-Clause */
/* The first step of an import of devices: what its lines say. */
#include "server/transfer/device_csv_internal.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/store/folders.h"
#include "server/store/groups.h"

#define CLEARED "-"            /* what a field has that clears what the device has */
#define BLANKS  " \t\r\n,;"    /* what is between the values of one field */

const char *const csv_column_names[COLUMN_COUNT] = {
	"name", "mac", "uuid", "isd", "folder", "group",
};
#define COLUMN_NAMES "name, mac, uuid, isd, folder, group"

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

/* --- the first line -------------------------------------------------------- */

/* Returns COLUMN_COUNT if no column has this name. */
static size_t find_column(const char *name)
{
	size_t column = 0;

	if (strcasecmp(name, "groups") == 0)
		return COLUMN_GROUP;
	while (column < COLUMN_COUNT && strcasecmp(name, csv_column_names[column]) != 0)
		column++;
	return column;
}

/* Returns 1, 0 if there is no line, or ERR_MALFORMED after having kept an error. */
static int read_columns(struct csv_import *import)
{
	size_t *places = import->places;
	int rc = csv_next(&import->text);

	if (rc < 0)
		csv_add_syntax_error(import);
	if (rc <= 0)
		return rc;
	import->width = import->text.count;
	for (size_t i = 0; i < import->width; i++) {
		const struct csv_field *field = &import->text.fields[i];
		size_t column = find_column(field->text);

		if (column == COLUMN_COUNT)
			csv_add_field_error(import, field, field->text,
			                    "no such column; expected " COLUMN_NAMES);
		else if (places[column])
			csv_add_field_error(import, field, field->text,
			                    "this column is there twice");
		else
			places[column] = i + 1;
	}
	if (!places[COLUMN_NAME] && !places[COLUMN_MAC] && !places[COLUMN_UUID] &&
	    !places[COLUMN_ISD])
		csv_add_error(import, 1, 1, "there is no column \"name\"; the first line names the "
		              "columns: " COLUMN_NAMES);
	return 1;
}

/* --- values ---------------------------------------------------------------- */

static bool clears(const struct csv_field *field)
{
	return strcmp(field->text, CLEARED) == 0;
}

/* Checks a value as exported data's are. Returns 0, or ERR_MALFORMED after having kept an error. */
static int check_value(struct csv_import *import, struct csv_row *row, enum column column,
                       const char *text, struct data_value *value)
{
	json_t *json = json_string(text);
	char message[DATA_MESSAGE];
	int rc = data_check(&checks[column], json, NULL, value, message);

	json_decref(json);
	if (rc)
		csv_add_field_error(import, &row->fields[column], text, message);
	row->wrong |= rc != 0;
	return rc;
}

static void read_mac(struct csv_import *import, struct csv_row *row, const char *text)
{
	struct csv_device *after = &row->after;
	struct data_value value;

	if (check_value(import, row, COLUMN_MAC, text, &value))
		return;
	for (size_t i = 0; i < after->mac_count; i++)
		if (memcmp(after->macs[i], value.bytes, 6) == 0)
			return; /* It is given twice. */
	if (after->mac_count < DEVICE_MACS_MAX) {
		memcpy(after->macs[after->mac_count++], value.bytes, 6);
		return;
	}
	csv_add_field_error(import, &row->fields[COLUMN_MAC], text, "a device has at most 16");
	row->wrong = true;
}

/* Several MACs have blanks between them, unless blanks are between the bytes of one. */
static void read_macs(struct csv_import *import, struct csv_row *row)
{
	struct csv_field *field = &row->fields[COLUMN_MAC];
	char *rest, *text, *end, *inner, *one;
	uint8_t unused[6];

	if (!field->text || clears(field))
		return;
	for (text = strtok_r(field->text, "\t\r\n,;", &rest); text;
	     text = strtok_r(NULL, "\t\r\n,;", &rest)) {
		text += strspn(text, " ");
		for (end = text + strlen(text); end > text && end[-1] == ' ';)
			*--end = '\0';
		if (text_parse_mac(text, unused) == 0) {
			read_mac(import, row, text);
			continue;
		}
		for (one = strtok_r(text, " ", &inner); one; one = strtok_r(NULL, " ", &inner))
			read_mac(import, row, one);
	}
}

static void read_guid(struct csv_import *import, struct csv_row *row, enum column column,
                      uint8_t out[16])
{
	const struct csv_field *field = &row->fields[column];
	struct data_value value;

	if (field->text && !clears(field) &&
	    check_value(import, row, column, field->text, &value) == 0)
		memcpy(out, value.bytes, 16);
}

/* --- which device it is ---------------------------------------------------- */

/* Finds the device that has a MAC, UUID or device id of a row without a name. */
static int find_by_identity(struct csv_import *import, const struct csv_row *row,
                            struct device *device)
{
	const struct csv_device *after = &row->after;
	int rc = ERR_NOT_FOUND;

	for (size_t i = 0; rc == ERR_NOT_FOUND && i < after->mac_count; i++)
		rc = device_by_mac(import->store, after->macs[i], device);
	if (rc == ERR_NOT_FOUND && memcmp(after->device.uuid, none, 16))
		rc = device_by_uuid(import->store, after->device.uuid, device);
	if (rc == ERR_NOT_FOUND && memcmp(after->device.isd, none, 16))
		rc = device_by_isd(import->store, after->device.isd, device);
	return rc;
}

/* A device must not be in the file twice. Names differ by more than small and capital letters. */
static void check_name(struct csv_import *import, struct csv_row *row, const char *name)
{
	const struct csv_row *other;
	char small[NAME_SIZE];
	size_t i = 0;

	for (; name[i] && i < sizeof(small) - 1; i++)
		small[i] = (char)tolower((unsigned char)name[i]);
	small[i] = '\0';
	other = csv_find_row(import, "name", small);
	if (!other) {
		csv_keep_row(import, row, "name", small);
		return;
	}
	csv_add_error(import, row->line, row->fields[COLUMN_NAME].text ?
	              row->fields[COLUMN_NAME].column : row->column,
	              "%s: line %zu has it already", name, other->line);
	row->wrong = true;
	row->known = false;
}

/* Finds the device of the row, or leaves row->known false for one that is to be added. */
static int find_device(struct csv_import *import, struct csv_row *row)
{
	const struct csv_field *field = &row->fields[COLUMN_NAME];
	const struct csv_field first = { .line = row->line, .column = row->column };
	struct csv_device *before = &row->before;
	struct device *after = &row->after.device;
	char number[24];
	struct data_value value;
	int rc;

	if (field->text && check_value(import, row, COLUMN_NAME, field->text, &value))
		return 0;
	rc = field->text ? device_by_name(import->store, field->text, &before->device)
	                 : find_by_identity(import, row, &before->device);
	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	if (rc && !field->text) {
		csv_add_field_error(import, &first, "name",
		                    "is missing, and no device has what else "
		                    "the line names");
		row->wrong = true;
		return 0;
	}
	row->known = rc == 0;
	text_format(after->name, sizeof(after->name), "%s",
	            row->known ? before->device.name : field->text);
	check_name(import, row, field->text ? field->text : after->name);
	if (!row->known) {
		memset(before, 0, sizeof(*before));
		return 0;
	}
	after->id = before->device.id;
	snprintf(number, sizeof(number), "%" PRIu64, after->id);
	csv_keep_row(import, row, "id", number);
	return device_macs(import->store, after->id, before->macs, &before->mac_count);
}

/* --- where it is ----------------------------------------------------------- */

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

static int read_folder(struct csv_import *import, struct csv_row *row)
{
	const struct csv_field *field = &row->fields[COLUMN_FOLDER];
	struct data_value value;
	int rc = 0;

	if (!field->text)
		return 0;
	row->moves = true;
	if (strcmp(field->text, "/") == 0 || clears(field))
		return 0;
	if (check_value(import, row, COLUMN_FOLDER, field->text, &value))
		return 0;
	rc = import->csv->create_folders ? make_folders(import, field->text, &row->folder)
	                                 : folder_find(import->store, field->text, &row->folder);
	if (rc != ERR_NOT_FOUND)
		return rc;
	csv_add_missing_error(import, field, field->text, "no such folder; make it with "
	                      "\"prebootctl folder add\", or all with --create-folders");
	row->wrong = true;
	return 0;
}

/* Adds the group that a row names to its groups; makes it where that is wanted. */
static int read_group(struct csv_import *import, struct csv_row *row, const char *text)
{
	struct data_value value;
	char name[NAME_SIZE];
	uint64_t id;
	int rc;

	if (check_value(import, row, COLUMN_GROUP, text, &value))
		return 0;
	rc = group_find(import->store, text, &id);
	if (rc == ERR_NOT_FOUND && !import->csv->create_groups) {
		csv_add_missing_error(import, &row->fields[COLUMN_GROUP], text,
		                      "no such group; make "
		                      "it with \"prebootctl group add\", or all with "
		                      "--create-groups");
		row->wrong = true;
		return 0;
	}
	if (rc == ERR_NOT_FOUND) {
		import->csv->groups++;
		csv_add_change(import, "add", "group", text, NULL);
		rc = group_add(import->store, text, &id);
	}
	/* Its spelling is the group's. */
	if (rc == 0)
		rc = group_name(import->store, id, name);
	if (rc == 0)
		json_object_set_new(row->groups, name, json_integer((json_int_t)id));
	return rc;
}

static int read_groups(struct csv_import *import, struct csv_row *row)
{
	struct csv_field *field = &row->fields[COLUMN_GROUP];
	char *rest, *text;
	int rc = 0;

	if (!field->text)
		return 0;
	row->groups = json_object();
	for (text = clears(field) ? NULL : strtok_r(field->text, BLANKS, &rest); rc == 0 && text;
	     text = strtok_r(NULL, BLANKS, &rest))
		rc = read_group(import, row, text);
	return rc;
}

/* --- rows ------------------------------------------------------------------ */

/* Returns a new row for the line at hand; NULL without memory. */
static struct csv_row *new_row(struct csv_import *import)
{
	size_t count = import->row_count;
	const struct csv_field *fields = import->text.fields;
	struct csv_row *row;

	/* The list grows at each power of two. */
	if ((count & (count - 1)) == 0) {
		row = realloc(import->rows, sizeof(*row) * (count ? 2 * count : 1));
		if (!row)
			return NULL;
		import->rows = row;
	}
	row = &import->rows[import->row_count++];
	memset(row, 0, sizeof(*row));
	row->line = fields[0].line;
	row->column = fields[0].column;
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		if (import->places[i] && fields[import->places[i] - 1].text[0])
			row->fields[i] = fields[import->places[i] - 1];
	row->after.device.added = time(NULL);
	row->changes = json_object();
	return row;
}

static int read_row(struct csv_import *import)
{
	const struct csv_field *first = &import->text.fields[0];
	struct csv_row *row;
	int rc;

	if (import->text.count != import->width) {
		csv_add_error(import, first->line, first->column,
		              "%zu fields, but the first line has %zu", import->text.count,
		              import->width);
		return 0;
	}
	row = new_row(import);
	if (!row)
		return ERR_SPACE;
	read_macs(import, row);
	read_guid(import, row, COLUMN_UUID, row->after.device.uuid);
	read_guid(import, row, COLUMN_ISD, row->after.device.isd);
	rc = find_device(import, row);
	if (rc == 0)
		rc = read_folder(import, row);
	return rc ? rc : read_groups(import, row);
}

int csv_read_rows(struct csv_import *import)
{
	int rc = read_columns(import);

	if (rc == 0)
		csv_add_error(import, 1, 1, "is empty; the first line names the columns: "
		              COLUMN_NAMES);
	/* Without the columns every row would be wrong. */
	if (rc <= 0 || import->csv->errors.errors)
		return 0;
	while ((rc = csv_next(&import->text)) != 0) {
		if (rc < 0)
			csv_add_syntax_error(import);
		else if ((rc = read_row(import)) != 0)
			return rc;
	}
	return 0;
}
