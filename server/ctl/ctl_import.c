/* SPDX-License-Identifier: BSD-2-Clause */
/* How the errors of an imported file are reported. */
#include <stdio.h>

#include "server/ctl/ctl_data.h"
#include "server/tool/output.h"

#define ESCAPED_SIZE (4 * 4096)

/* Prints "FILE:LINE:COLUMN: text (and 29 more like this)". */
static void print_line(const char *file, const struct import_error *error)
{
	char column[24] = "", more[60] = "";

	if (error->column)
		snprintf(column, sizeof(column), ":%zu", error->column);
	if (error->more)
		snprintf(more, sizeof(more), " (and %zu more like this)", error->more);
	output_line(NULL, "%s:%zu%s: %s%s", file, error->line, column,
	            error->text ? error->text : "", more);
}

/* An error as JSON; "column" and "more" only where there are any. */
static json_t *json_line(const char *file, const struct import_error *error)
{
	char text[ESCAPED_SIZE], name[ESCAPED_SIZE];
	json_t *object;

	output_escape(error->text ? error->text : "", text, sizeof(text));
	output_escape(file, name, sizeof(name));
	object = json_pack("{s:s, s:I, s:s}", "file", name, "line", (json_int_t)error->line, "text",
	                   text);
	if (error->column)
		json_object_set_new(object, "column", json_integer((json_int_t)error->column));
	if (error->more)
		json_object_set_new(object, "more", json_integer((json_int_t)error->more));
	return object;
}

/* Reports errors or warnings as lines, or appends them to @array. */
static void report_lines(const char *file, const struct import_errors *errors, bool warnings,
                         json_t *array)
{
	for (size_t i = 0; i < errors->count; i++) {
		const struct import_error *error = &errors->list[i];

		if (error->warning != warnings)
			continue;
		if (array)
			json_array_append_new(array, json_line(file, error));
		else
			print_line(file, error);
	}
}

int ctl_import_refused(struct ctl *ctl, const char *file, const struct import_errors *errors,
                       const char *nothing)
{
	json_t *array = ctl->json ? json_array() : NULL;

	report_lines(file, errors, true, array);
	report_lines(file, errors, false, array);
	if (errors->dropped && !array)
		output_line(NULL, "%s: and %zu more errors", file, errors->dropped);
	return ctl_error_with(EXIT_FAULT, array, "%s: %zu error%s; %s", file, errors->errors,
	                      ctl_plural(errors->errors), nothing);
}

void ctl_import_warnings(struct ctl *ctl, const char *file, const struct import_errors *errors,
                         json_t *object)
{
	json_t *array = ctl->json ? json_array() : NULL;

	report_lines(file, errors, true, array);
	if (array && json_array_size(array))
		json_object_set(object, "warnings", array);
	json_decref(array);
}
