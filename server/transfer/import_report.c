/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/transfer/import_rows.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/transfer/scan.h"

static bool key_is(const char *text, size_t length, size_t at, const char *key)
{
	size_t size = strlen(key);

	return at + size + 2 <= length && memcmp(text + at + 1, key, size) == 0 &&
	       text[at + size + 1] == '"';
}

/* Writes the path to @place, and returns its position in the text. */
static size_t locate(const struct import_run *run, const struct place *place, char *path,
                     size_t size)
{
	const char *text = run->import->text;
	size_t length = run->import->length, used, at, key, index = 0;
	bool first = true;

	if (!place->up) {
		text_format(path, size, place->index == PLACE_WHOLE ? "%s" : "%s[%u]", place->key,
		            (uint32_t)place->index);
		return run->at;
	}
	at = locate(run, place->up, path, size);
	used = strlen(path);
	if (place->key)
		text_format(path + used, size - used, ".%s", place->key);
	else
		text_format(path + used, size - used, "[%u]", (uint32_t)place->index);
	for (size_t i = at; scan_next(text, length, &i, first, place->key ? &key : NULL) == 1;
	     first = false)
		if (place->key ? key_is(text, length, key, place->key) : index++ == place->index)
			return i;
	return at; /* it is not there: that is the error */
}

/* Writes the path without the numbers of rows: errors of the same field are of one kind. */
static void write_kind(const struct place *place, char *out, size_t size)
{
	size_t used;

	out[0] = '\0';
	if (place->up)
		write_kind(place->up, out, size);
	used = strlen(out);
	if (place->key)
		text_format(out + used, size - used, ".%s", place->key);
}

static void keep_at(struct import_run *run, size_t at, const char *format, va_list args)
{
	import_errors_keep(&run->import->errors, scan_line(run->import->text, at), 0, format, args);
}

int import_fail_at(struct import_run *run, size_t at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (import_errors_count(&run->import->errors, false, format, IMPORT_ERRORS_ALIKE))
		keep_at(run, at, format, args);
	va_end(args);
	return ERR_MALFORMED;
}

void import_warn_at(struct import_run *run, size_t at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (import_errors_count(&run->import->errors, true, format, IMPORT_ERRORS_ALIKE))
		keep_at(run, at, format, args);
	va_end(args);
}

/* Keeps an error that has been counted. */
__attribute__((format(printf, 3, 4)))
static void keep_error(struct import_run *run, size_t at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	keep_at(run, at, format, args);
	va_end(args);
}

int import_fail(struct import_run *run, const struct place *place, const char *message)
{
	char path[200], kind[200 + DATA_MESSAGE];
	size_t at, used;

	write_kind(place, kind, sizeof(path));
	used = strlen(kind);
	snprintf(kind + used, sizeof(kind) - used, ": %s", message);
	if (!import_errors_count(&run->import->errors, false, kind, IMPORT_ERRORS_ALIKE))
		return ERR_MALFORMED;
	at = locate(run, place, path, sizeof(path));
	keep_error(run, at, "%s: %s", path, message);
	return ERR_MALFORMED;
}

json_t *import_parse(struct import_run *run, size_t at)
{
	json_error_t error;
	json_t *value = json_loadb(run->import->text + at, run->import->length - at,
	                           JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY |
	                           JSON_REJECT_DUPLICATES, &error);

	if (value)
		return value;
	/* Its line counts from where it began. */
	for (int line = 1; line < error.line; line++) {
		const char *end = memchr(run->import->text + at, '\n', run->import->length - at);

		if (!end)
			break;
		at = (size_t)(end + 1 - run->import->text);
	}
	import_fail_at(run, at, "not valid JSON: %s", error.text);
	return NULL;
}
