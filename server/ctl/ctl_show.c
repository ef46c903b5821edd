/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "nbp/proto/error.h"
#include "server/ctl/ctl.h"

/* Running out of memory for a line of text: there is nothing better to do. */
static void *check_memory(void *memory)
{
	if (!memory) {
		fputs("prebootctl: no memory\n", stderr);
		exit(EXIT_FAULT);
	}
	return memory;
}

/* --- tables ---------------------------------------------------------------- */

void table_add(struct table *table, ...)
{
	size_t cells = table->rows * table->columns;
	va_list args;

	/* Grows at each power of two. */
	if ((table->rows & (table->rows - 1)) == 0)
		table->cells = check_memory(realloc(table->cells, sizeof(char *) * table->columns *
		                            (table->rows ? 2 * table->rows : 1)));
	va_start(args, table);
	for (size_t i = 0; i < table->columns; i++)
		table->cells[cells + i] = check_memory(strdup(va_arg(args, const char *)));
	va_end(args);
	table->rows++;
}

/*
 * The columns, by their heads, that a narrow terminal may cut. All others stay whole: half a
 * time, MAC, address, state or number is of no use.
 */
static const struct {
	const char *head;
	size_t least; /* characters; 0: as few as any */
} texts[] = {
	{ "DEVICE", 0 }, { "FOLDER", 0 }, { "GROUP", 0 }, { "BUNDLE", 0 }, { "RULE", 0 },
	{ "SESSION", 0 }, { "MEMBER", 0 }, { "TO", 0 }, { "FROM", 0 }, { "WORK", 0 },
	{ "REASON", 0 }, { "FILTER", 0 }, { "BECAUSE", 0 }, { "WHY, OR WHY NOT", 0 },
	{ "CONFIG", 0 }, { "BIOS", 0 }, { "UEFI", 0 }, { "PRODUCT", 0 }, { "SERIAL", 0 },
	{ "PROCESSOR", 0 }, { "VALUE", 0 }, { "WHAT", 0 }, { "STARTS AT", 0 }, { "NOTE", 0 },
	{ "CHANGE", 0 }, { "NAME", 0 },
	{ "MACHINE", 17 }, /* it may be a MAC */
};
#define TEXT_LEAST 8 /* characters */
#define TEXT_FEWEST 5 /* where the line would not fit otherwise */

/* The columns to fit into; 0: there is no terminal, and no reason to cut. */
static size_t terminal_width(void)
{
	const char *given = getenv("COLUMNS");
	struct winsize size;
	char *end;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		return size.ws_col;
	if (given && given[0] >= '1' && given[0] <= '9') {
		size_t width = strtoul(given, &end, 10);

		if (!*end)
			return width;
	}
	return isatty(STDOUT_FILENO) ? 80 : 0;
}

/* Says to how many characters a column may be cut, at best to @least. */
static size_t least_of(const char *head, size_t least)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(texts[i].head, head) == 0)
			return texts[i].least > least ? texts[i].least : least;
	return SIZE_MAX;
}

/* Makes the widest columns of text smaller, none below @least, until the line fits. */
static void narrow_columns(const struct table *table, size_t *widths, size_t room, size_t least)
{
	for (;;) {
		size_t total = 2 * (table->columns - 1), widest = table->columns;

		for (size_t i = 0; i < table->columns; i++) {
			total += widths[i];
			if (widths[i] > least_of(table->cells[i], least) &&
			    (widest == table->columns || widths[i] >= widths[widest]))
				widest = i;
		}
		if (total <= room || widest == table->columns)
			return;
		widths[widest]--;
	}
}

void table_print(struct table *table)
{
	size_t widths[CTL_COLUMNS_MAX] = { 0 }, room = terminal_width();

	for (size_t i = 0; i < table->rows * table->columns; i++)
		if (strlen(table->cells[i]) > widths[i % table->columns])
			widths[i % table->columns] = strlen(table->cells[i]);
	if (room && table->rows) {
		narrow_columns(table, widths, room, TEXT_LEAST);
		narrow_columns(table, widths, room, TEXT_FEWEST);
	}
	for (size_t i = 0; i < table->rows * table->columns; i++) {
		size_t column = i % table->columns, length = strlen(table->cells[i]);
		bool last = column == table->columns - 1;

		if (length > widths[column])
			table->cells[i][widths[column] - 1] = '~'; /* something was cut off */
		printf("%-*.*s%s", last ? 0 : (int)widths[column], (int)widths[column],
		       table->cells[i], last ? "\n" : "  ");
	}
	table_free(table);
}

void table_free(struct table *table)
{
	for (size_t i = 0; i < table->rows * table->columns; i++)
		free(table->cells[i]);
	free(table->cells);
	memset(table, 0, sizeof(*table));
}

int ctl_answer_list(struct ctl *ctl, int rc, struct table *table, json_t *array)
{
	if (rc == 0 && ctl->json)
		ctl_print_json(json_incref(array));
	else if (rc == 0)
		table_print(table);
	table_free(table);
	json_decref(array);
	return rc ? ctl_store_error(ctl) : 0;
}

/* --- lines ----------------------------------------------------------------- */

int ctl_say(struct ctl *ctl, json_t *value, const char *format, ...)
{
	va_list args;

	if (ctl->json) {
		ctl_print_json(value);
		return 0;
	}
	json_decref(value);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	puts("");
	return 0;
}

int ctl_show_each(struct ctl *ctl, int (*show)(struct ctl *ctl, const char *word, json_t *array))
{
	json_t *array = json_array();
	int status = 0;

	for (int i = 0; status == 0 && i < ctl->word_count; i++) {
		if (i && !ctl->json)
			puts("");
		status = show(ctl, ctl->words[i], array);
	}
	if (status == 0 && ctl->json)
		ctl_print_json(json_incref(ctl->word_count == 1 ? json_array_get(array, 0)
		                                                : array));
	json_decref(array);
	return status;
}

void ctl_line(const char *label, const char *format, ...)
{
	va_list args;

	printf("  %-20s", label);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	puts("");
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
			printf("  %-20s%s", i ? "" : label, text);
		else
			printf(", %s", text);
		column += strlen(text) + 2;
	}
	if (json_array_size(names))
		puts("");
}

/* --- times ----------------------------------------------------------------- */

void ctl_time(int64_t time, char *out, size_t size)
{
	time_t t = (time_t)time;
	struct tm local;

	if (time == 0 || !localtime_r(&t, &local) ||
	    strftime(out, size, "%Y-%m-%d %H:%M:%S", &local) == 0)
		snprintf(out, size, "-");
}

void ctl_ago(int64_t time_then, char *out, size_t size)
{
	int64_t ago = time(NULL) - time_then;

	if (time_then == 0)
		snprintf(out, size, "never");
	else if (ago < 120)
		snprintf(out, size, "%d s ago", ago < 0 ? 0 : (int)ago);
	else if (ago < 7200)
		snprintf(out, size, "%d min ago", (int)(ago / 60));
	else if (ago < 2 * 86400)
		snprintf(out, size, "%d h ago", (int)(ago / 3600));
	else
		snprintf(out, size, "%lld days ago", (long long)(ago / 86400));
}

json_t *ctl_json_time(int64_t time)
{
	time_t t = (time_t)time;
	struct tm utc;
	char text[32];

	if (time == 0 || !gmtime_r(&t, &utc) ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		return json_null();
	return json_string(text);
}

/* --- JSON ------------------------------------------------------------------ */

void ctl_print_json(json_t *value)
{
	check_memory(value);
	json_dumpf(value, stdout, JSON_INDENT(2));
	puts("");
	json_decref(value);
}

json_t *ctl_json_details(const struct details *details)
{
	json_t *object = check_memory(json_object());
	char key[64];

	for (size_t at = 0; at < details->details_length;) {
		const char *text = details->details + at, *equals = strchr(text, '=');

		at += strlen(text) + 1;
		if (!equals)
			continue;
		snprintf(key, sizeof(key), "%.*s", (int)(equals - text), text);
		json_object_set_new(object, key, json_string(equals + 1));
	}
	return object;
}
