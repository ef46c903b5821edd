/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "server/ctl/ctl_csv.h"
#include "server/ctl/ctl_data.h"
#include "server/ctl/ctl_verbs.h"
#include "server/tool/output.h"

#define COLUMN_NAMES "name, mac, uuid, isd, folder, group"

const struct data_field csv_columns[COLUMN_COUNT] = {
	[COLUMN_NAME] = { "name", DATA_NAME, .optional = false },
	[COLUMN_MAC] = { "mac", DATA_MAC, .optional = false },
	[COLUMN_UUID] = { "uuid", DATA_GUID, .optional = false },
	[COLUMN_ISD] = { "isd", DATA_GUID, .optional = false },
	[COLUMN_FOLDER] = { "folder", DATA_PATH, .optional = false },
	[COLUMN_GROUP] = { "group", DATA_LABEL, .optional = false },
};

void csv_tell(struct adding *a, size_t line, size_t column, const char *format, ...)
{
	char text[4096];
	va_list args;

	a->errors++;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	output_line(NULL, "%s:%zu:%zu: %s", a->file, line, column, text);
}

void csv_tell_field(struct adding *a, const struct csv_field *field, const char *what,
                    const char *message)
{
	csv_tell(a, field->line, field->column, "%s: %s", what, message);
}

/* --- the first line -------------------------------------------------------- */

static int take_head(struct adding *a)
{
	int rc = csv_next(&a->csv);

	if (rc < 0)
		csv_tell(a, a->csv.error_line, a->csv.error_column, "%s", a->csv.message);
	if (rc <= 0)
		return rc;
	a->width = a->csv.count;
	for (size_t i = 0; i < a->width; i++) {
		const struct csv_field *field = &a->csv.fields[i];
		size_t column = 0;

		while (column < COLUMN_COUNT &&
		       strcasecmp(field->text, csv_columns[column].key) != 0)
			column++;
		if (column == COLUMN_COUNT)
			csv_tell_field(a, field, field->text,
			               "no such column; expected " COLUMN_NAMES);
		else if (a->places[column])
			csv_tell_field(a, field, field->text, "this column is there twice");
		else
			a->places[column] = i + 1;
	}
	if (!a->places[COLUMN_NAME])
		csv_tell(a, 1, 1, "there is no column \"name\"; the first line names the columns: "
		         COLUMN_NAMES);
	return 1;
}

/* --- all rows -------------------------------------------------------------- */

static int take_rows(struct adding *a)
{
	int rc = take_head(a);

	if (rc == 0)
		csv_tell(a, 1, 1, "is empty; the first line names the columns: " COLUMN_NAMES);
	/* Without the columns every row would be wrong. */
	if (rc <= 0 || a->errors)
		return 0;
	while ((rc = csv_next(&a->csv)) != 0) {
		a->rows++;
		if (rc < 0)
			csv_tell(a, a->csv.error_line, a->csv.error_column, "%s", a->csv.message);
		else if ((rc = csv_take_row(a)) != 0)
			return rc;
	}
	return 0;
}

static int add_all(struct adding *a)
{
	if (store_begin(&a->ctl->store) || take_rows(a))
		return ctl_store_error(a->ctl);
	if (a->errors)
		return ctl_error(EXIT_FAULT, "%s: %zu error%s; no device has been added", a->file,
		                 a->errors, a->errors == 1 ? "" : "s");
	return store_commit(&a->ctl->store) ? ctl_store_error(a->ctl) : 0;
}

int ctl_device_import(struct ctl *ctl)
{
	struct adding a = { .ctl = ctl };
	size_t length;
	char *text = ctl_read_file(ctl->words[0], &length);
	int status;

	if (!text)
		return EXIT_FAULT;
	a.file = strcmp(ctl->words[0], "-") == 0 ? "standard input" : ctl->words[0];
	if (csv_start(&a.csv, text, length))
		status = ctl_error(EXIT_FAULT, "%s: %s", a.file, a.csv.message);
	else
		status = add_all(&a);
	store_rollback(&ctl->store);
	free(a.lines);
	free(text);
	if (status)
		return status;
	if (ctl->json)
		ctl_print_json(json_pack("{s:I, s:I}", "devices", (json_int_t)a.rows, "folders",
		                         (json_int_t)a.folders));
	else
		printf("%zu device%s added, %zu folder%s made\n", a.rows, a.rows == 1 ? "" : "s",
		       a.folders, a.folders == 1 ? "" : "s");
	return 0;
}
