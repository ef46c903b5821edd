/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/transfer/device_csv.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/store/folders.h"
#include "server/store/groups.h"
#include "server/transfer/device_csv_row.h"

#define MESSAGE_SIZE 4096

static const char *const column_names[COLUMN_COUNT] = {
	"name", "mac", "uuid", "isd", "folder", "group",
};
#define COLUMN_NAMES "name, mac, uuid, isd, folder, group"

/* --- errors ---------------------------------------------------------------- */

/* Returns a new error; NULL without memory. */
static struct csv_error *new_error(struct csv_import *import, const char *text)
{
	size_t count = import->error_count;
	struct csv_error *more;

	/* The list grows at each power of two. */
	if ((count & (count - 1)) == 0) {
		more = realloc(import->errors, sizeof(*more) * (count ? 2 * count : 1));
		if (!more)
			return NULL;
		import->errors = more;
	}
	import->errors[count] = (struct csv_error){ .number = count, .text = strdup(text) };
	import->error_count++;
	return &import->errors[count];
}

void csv_add_error(struct csv_import *import, size_t line, size_t column, const char *format, ...)
{
	struct csv_error *error;
	char text[MESSAGE_SIZE];
	va_list args;

	import->csv->errors++;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	error = new_error(import, text);
	if (!error)
		return;
	error->count = 1;
	error->line = line;
	error->column = column;
}

void csv_add_field_error(struct csv_import *import, const struct csv_field *field,
                         const char *what, const char *message)
{
	csv_add_error(import, field->line, field->column, "%s: %s", what, message);
}

void csv_add_missing_error(struct csv_import *import, const struct csv_field *field,
                           const char *what, const char *message)
{
	json_t *place = json_object_get(import->missing, what);

	if (place) {
		import->csv->errors++;
		import->errors[json_integer_value(place)].count++;
		return;
	}
	json_object_set_new(import->missing, what, json_integer((json_int_t)import->error_count));
	csv_add_field_error(import, field, what, message);
}

static int compare_errors(const void *left, const void *right)
{
	const struct csv_error *a = left, *b = right;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	return a->number < b->number ? -1 : 1;
}

/* Reports them in the order of their places. */
static void report_errors(struct csv_import *import)
{
	char text[MESSAGE_SIZE + 100], times[40];

	if (import->error_count)
		qsort(import->errors, import->error_count, sizeof(import->errors[0]),
		      compare_errors);
	for (size_t i = 0; i < import->error_count; i++) {
		const struct csv_error *e = &import->errors[i];

		times[0] = '\0';
		if (e->count > 1)
			snprintf(times, sizeof(times), " (%zu lines)", e->count);
		snprintf(text, sizeof(text), "%s:%zu:%zu: %s%s", import->csv->file, e->line,
		         e->column, e->text ? e->text : "", times);
		import->csv->report(text);
	}
}

void csv_add_change(struct csv_import *import, const char *change, const char *kind,
                    const char *name, json_t *fields)
{
	json_t *entry;

	if (!import->csv->changes) {
		json_decref(fields);
		return;
	}
	entry = json_pack("{s:s, s:s}", "change", change, kind, name);
	if (fields)
		json_object_set_new(entry, "fields", fields);
	json_array_append_new(import->csv->changes, entry);
}

/* --- the first line -------------------------------------------------------- */

/* Returns COLUMN_COUNT if no column has this name. */
static size_t find_column(const char *name)
{
	size_t column = 0;

	if (strcasecmp(name, "groups") == 0)
		return COLUMN_GROUP;
	while (column < COLUMN_COUNT && strcasecmp(name, column_names[column]) != 0)
		column++;
	return column;
}

static int read_columns(struct csv_import *import)
{
	size_t *places = import->places;
	int rc = csv_next(&import->text);

	if (rc < 0)
		csv_add_error(import, import->text.error_line, import->text.error_column, "%s",
		              import->text.message);
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

/* --- all rows -------------------------------------------------------------- */

static int put_rows(struct csv_import *import)
{
	int rc = read_columns(import);

	if (rc == 0)
		csv_add_error(import, 1, 1, "is empty; the first line names the columns: "
		              COLUMN_NAMES);
	/* Without the columns every row would be wrong. */
	if (rc <= 0 || import->csv->errors)
		return 0;
	while ((rc = csv_next(&import->text)) != 0) {
		if (rc < 0)
			csv_add_error(import, import->text.error_line, import->text.error_column,
			              "%s", import->text.message);
		else if ((rc = csv_put_row(import)) != 0)
			return rc;
	}
	return 0;
}

int device_csv_import(struct device_csv *csv, char *text, size_t length)
{
	struct csv_import import = { .csv = csv, .store = csv->store };
	int rc;

	if (csv_start(&import.text, text, length)) {
		csv->message = import.text.message;
		return ERR_MALFORMED;
	}
	import.lines = json_object();
	import.missing = json_object();
	rc = store_begin(csv->store);
	if (rc == 0)
		rc = put_rows(&import);
	if (rc == 0 && csv->errors)
		rc = ERR_MALFORMED;
	if (rc == 0 && !csv->dry_run)
		rc = store_commit(csv->store);
	store_rollback(csv->store);
	report_errors(&import);
	for (size_t i = 0; i < import.error_count; i++)
		free(import.errors[i].text);
	free(import.errors);
	json_decref(import.missing);
	json_decref(import.lines);
	return rc;
}

/* --- export ---------------------------------------------------------------- */

/* Names, paths and addresses need no quotes; what another program wrote may. */
static void write_field(FILE *out, const char *text)
{
	if (!strpbrk(text, "\",;\r\n")) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++)
		fputs(*text == '"' ? "\"\"" : (char[]){ *text, '\0' }, out);
	fputc('"', out);
}

static void write_guid(FILE *out, const uint8_t guid[16])
{
	static const uint8_t none[16];
	char text[40];

	text_format(text, sizeof(text), "%pU", guid);
	fputc(',', out);
	if (memcmp(guid, none, 16))
		write_field(out, text);
}

static int write_macs(struct store *store, uint64_t device, FILE *out)
{
	uint8_t macs[DEVICE_MACS_MAX][6];
	char text[DEVICE_MACS_MAX * 18 + 1] = "";
	size_t count, used = 0;
	int rc = device_macs(store, device, macs, &count);

	for (size_t i = 0; rc == 0 && i < count; i++)
		used += text_format(text + used, sizeof(text) - used, i ? " %pM" : "%pM", macs[i]);
	fputc(',', out);
	write_field(out, text);
	return rc;
}

static int write_folder(struct store *store, uint64_t device, FILE *out)
{
	char path[FOLDER_PATH] = "";
	uint64_t folder;
	int rc = device_folder(store, device, &folder);

	if (rc == 0 && folder)
		rc = folder_path(store, folder, path);
	fputc(',', out);
	write_field(out, path);
	return rc;
}

static int write_groups(struct store *store, uint64_t device, FILE *out)
{
	struct group_row group;
	struct store_rows *rows;
	size_t count = 0;
	int rc = group_list(store, device, &rows);

	fputc(',', out);
	while (store_next(rows, &rc)) {
		group_row(rows, &group);
		fprintf(out, "%s%s", count++ ? " " : "", group.name);
	}
	return rc;
}

void device_csv_head(FILE *out)
{
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		fprintf(out, "%s%s", i ? "," : "", column_names[i]);
	fputc('\n', out);
}

int device_csv_row(struct store *store, const struct device *device, FILE *out)
{
	int rc;

	write_field(out, device->name);
	rc = write_macs(store, device->id, out);
	write_guid(out, device->uuid);
	write_guid(out, device->isd);
	if (rc == 0)
		rc = write_folder(store, device->id, out);
	if (rc == 0)
		rc = write_groups(store, device->id, out);
	fputc('\n', out);
	return rc;
}
