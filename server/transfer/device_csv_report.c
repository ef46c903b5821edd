/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the steps of an import of devices keep: errors, changes, and where devices are in the file.
 */
#include "server/transfer/device_csv_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define KIND_SIZE 1024
#define KEY_SIZE  (NAME_SIZE + 16)

static void add_error(struct csv_import *import, size_t line, size_t column, const char *kind,
                      size_t alike, const char *format, va_list args)
{
	if (import_errors_count(&import->csv->errors, false, kind, alike))
		import_errors_keep(&import->csv->errors, line, column, format, args);
}

/* Turns its arguments into a va_list for add_error(). */
__attribute__((format(printf, 5, 6)))
static void add_error_of_kind(struct csv_import *import, const struct csv_field *field,
                              const char *kind, size_t alike, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_error(import, field->line, field->column, kind, alike, format, args);
	va_end(args);
}

void csv_add_error(struct csv_import *import, size_t line, size_t column, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_error(import, line, column, format, IMPORT_ERRORS_ALIKE, format, args);
	va_end(args);
}

void csv_add_syntax_error(struct csv_import *import)
{
	const struct csv *text = &import->text;
	const struct csv_field field = { .line = text->error_line, .column = text->error_column };

	add_error_of_kind(import, &field, text->message, IMPORT_ERRORS_ALIKE, "%s", text->message);
}

void csv_add_field_error(struct csv_import *import, const struct csv_field *field,
                         const char *what, const char *message)
{
	add_error_of_kind(import, field, message, IMPORT_ERRORS_ALIKE, "%s: %s", what, message);
}

void csv_add_missing_error(struct csv_import *import, const struct csv_field *field,
                           const char *what, const char *message)
{
	char kind[KIND_SIZE];

	snprintf(kind, sizeof(kind), "%s: %s", what, message);
	add_error_of_kind(import, field, kind, 1, "%s: %s", what, message);
}

void csv_add_warning(struct csv_import *import, const struct csv_field *field,
                     const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (import_errors_count(&import->csv->errors, true, format, IMPORT_ERRORS_ALIKE))
		import_errors_keep(&import->csv->errors, field->line, field->column, format, args);
	va_end(args);
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

struct csv_row *csv_find_row(const struct csv_import *import, const char *kind, const char *text)
{
	const json_t *place;
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "%s %s", kind, text);
	place = json_object_get(import->found, key);
	return place ? &import->rows[json_integer_value(place)] : NULL;
}

void csv_keep_row(struct csv_import *import, const struct csv_row *row, const char *kind,
                  const char *text)
{
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "%s %s", kind, text);
	json_object_set_new(import->found, key, json_integer(row - import->rows));
}
