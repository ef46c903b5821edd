/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/transfer/csv.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "nbp/proto/error.h"
#include "server/transfer/encoding.h"

#define TEXT_END 0x1a /* Ctrl+Z */

static int fail_at(struct csv *csv, size_t line, size_t column, const char *message)
{
	csv->message = message;
	csv->error_line = line;
	csv->error_column = column;
	return ERR_MALFORMED;
}

/* Says whether @text is well-formed as far as lead and following bytes go. */
static bool is_utf8(const char *text, size_t length)
{
	for (size_t i = 0, more; i < length; i += 1 + more) {
		uint8_t byte = (uint8_t)text[i];

		more = byte < 0x80 ? 0 : byte < 0xc2 ? 9 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 :
		       byte < 0xf5 ? 3 : 9;
		if (byte == 0 || more == 9 || i + more >= length)
			return false;
		for (size_t j = 1; j <= more; j++)
			if (((uint8_t)text[i + j] & 0xc0) != 0x80)
				return false;
	}
	return true;
}

/* Takes one byte off, and keeps count. */
static char take_character(struct csv *csv)
{
	char c = csv->text[csv->at++];

	if (c == '\n') {
		csv->line++;
		csv->column = 1;
	} else if (((uint8_t)c & 0xc0) != 0x80) {
		csv->column++;
	}
	return c;
}

static bool at_line_end(const struct csv *csv)
{
	const char *text = csv->text + csv->at;

	return csv->at == csv->length || text[0] == '\n' || (text[0] == '\r' && text[1] == '\n');
}

static void take_line(struct csv *csv)
{
	while (csv->at < csv->length && take_character(csv) != '\n')
		continue;
}

/* The first of these in the first line that names columns; a comma, if there is none. */
static char separator_of(const char *line)
{
	static const char all[] = ",;\t";
	size_t length = strcspn(line, "\r\n");

	for (const char *c = all; *c; c++)
		if (memchr(line, *c, length))
			return *c;
	return ',';
}

/* Some spreadsheets write a first line "sep=;", which names the separator. */
static void find_separator(struct csv *csv)
{
	char *line = csv->text + csv->at;
	bool quoted = line[0] == '"';
	char *end;

	line += quoted;
	if (strncasecmp(line, "sep=", 4) != 0 || line[4] == '\0' || !strchr(",;\t", line[4])) {
		csv->separator = separator_of(csv->text + csv->at);
		return;
	}
	end = line + 5;
	if (quoted && *end++ != '"') {
		csv->separator = separator_of(csv->text + csv->at);
		return;
	}
	csv->separator = line[4];
	/* The program that wrote it may have put its separators after it, as in any line. */
	end += strspn(end, ",;\t");
	if (*end == '\0' || *end == '\r' || *end == '\n')
		take_line(csv);
}

int csv_start(struct csv *csv, char *text, size_t length)
{
	size_t last;

	memset(csv, 0, sizeof(*csv));
	csv->text = text;
	csv->length = length;
	csv->line = csv->column = 1;
	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		csv->at = 3; /* the byte order mark of some programs */
	if (encoding_wrong(text, length))
		return fail_at(csv, 1, 1, encoding_wrong(text, length));
	if (!is_utf8(text, length))
		return fail_at(csv, 1, 1, "is not text in UTF-8; save it as such");
	/* Old editors end a text by Ctrl+Z, newer ones then end that line, too. */
	for (last = length; last > csv->at && strchr("\x1a\r\n", text[last - 1]); last--)
		if (text[last - 1] == TEXT_END)
			text[csv->length = last - 1] = '\0';
	find_separator(csv);
	return 0;
}

/* Takes a field in quotes. It is written over itself, as it gets shorter. */
static int take_quoted(struct csv *csv, char **end)
{
	size_t line = csv->line, column = csv->column;
	char *out = csv->text + csv->at;

	take_character(csv);
	while (csv->at < csv->length) {
		char c = take_character(csv);

		if (c == '"') {
			if (csv->text[csv->at] != '"') {
				*end = out;
				return 0;
			}
			take_character(csv);
		}
		*out++ = c;
	}
	return fail_at(csv, line, column, "the quote is not closed");
}

static int take_field(struct csv *csv, struct csv_field *field, char **end)
{
	field->line = csv->line;
	field->column = csv->column;
	field->text = csv->text + csv->at;
	if (*field->text == '"') {
		if (take_quoted(csv, end))
			return ERR_MALFORMED;
		if (!at_line_end(csv) && csv->text[csv->at] != csv->separator)
			return fail_at(csv, csv->line, csv->column,
			             "expected the end of the field after the quote");
		return 0;
	}
	while (!at_line_end(csv) && csv->text[csv->at] != csv->separator) {
		if (csv->text[csv->at] == '"')
			return fail_at(csv, csv->line, csv->column, "a quote within a field: the "
			             "whole field must be in quotes, and this one twice");
		take_character(csv);
	}
	*end = csv->text + csv->at;
	return 0;
}

static int take_row(struct csv *csv)
{
	csv->count = 0;
	for (;;) {
		char *end, separator;

		if (csv->count == CSV_FIELDS_MAX)
			return fail_at(csv, csv->line, csv->column, "too many fields");
		if (take_field(csv, &csv->fields[csv->count++], &end))
			return ERR_MALFORMED;
		separator = csv->at < csv->length && !at_line_end(csv);
		if (separator)
			take_character(csv);
		else
			take_line(csv);
		*end = '\0';
		if (!separator)
			return 1;
	}
}

/* Says whether there is nothing in the line but what separates: spreadsheets leave such rows. */
static bool line_is_blank(const struct csv *csv)
{
	const char *at = csv->text + csv->at;

	while (*at == csv->separator || *at == ' ' || *at == '\t')
		at++;
	return at == csv->text + csv->length || *at == '\n' || (*at == '\r' && at[1] == '\n');
}

int csv_next(struct csv *csv)
{
	int rc;

	while (csv->at < csv->length && line_is_blank(csv))
		take_line(csv);
	if (csv->at == csv->length)
		return 0;
	rc = take_row(csv);
	if (rc < 0)
		take_line(csv);
	return rc;
}
