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
static size_t locate(const struct putting *w, const struct place *place, char *path,
                     size_t size)
{
	const char *text = w->import->text;
	size_t length = w->import->length, used, at, key, index = 0;
	bool first = true;

	if (!place->up) {
		text_format(path, size, place->index == PLACE_WHOLE ? "%s" : "%s[%u]", place->key,
		            (uint32_t)place->index);
		return w->at;
	}
	at = locate(w, place->up, path, size);
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

static void tell_at(struct putting *w, size_t at, const char *format, va_list args)
{
	char message[1024];
	int used = snprintf(message, sizeof(message), "%s:%zu: ", w->import->name,
	                    scan_line(w->import->text, at));

	if (used < 0 || (size_t)used >= sizeof(message))
		used = 0;
	vsnprintf(message + used, sizeof(message) - (size_t)used, format, args);
	w->import->report(message);
}

int put_fail_at(struct putting *w, size_t at, const char *format, ...)
{
	va_list args;

	w->errors++;
	if (w->errors > DATA_ERRORS_MAX)
		return ERR_MALFORMED;
	va_start(args, format);
	tell_at(w, at, format, args);
	va_end(args);
	return ERR_MALFORMED;
}

void put_warn_at(struct putting *w, size_t at, const char *format, ...)
{
	va_list args;

	w->warnings++;
	if (w->warnings > DATA_ERRORS_MAX)
		return;
	va_start(args, format);
	tell_at(w, at, format, args);
	va_end(args);
}

int put_fail(struct putting *w, const struct place *place, const char *message)
{
	char path[200];
	size_t at = locate(w, place, path, sizeof(path));

	return put_fail_at(w, at, "%s: %s", path, message);
}

json_t *put_parse(struct putting *w, size_t at)
{
	json_error_t error;
	json_t *value = json_loadb(w->import->text + at, w->import->length - at,
	                           JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY |
	                           JSON_REJECT_DUPLICATES, &error);

	if (value)
		return value;
	/* Its line counts from where it began. */
	for (int line = 1; line < error.line; line++) {
		const char *end = memchr(w->import->text + at, '\n', w->import->length - at);

		if (!end)
			break;
		at = (size_t)(end + 1 - w->import->text);
	}
	put_fail_at(w, at, "not valid JSON: %s", error.text);
	return NULL;
}

void put_tell_rest(const struct putting *w)
{
	char message[100];

	if (w->errors <= DATA_ERRORS_MAX)
		return;
	snprintf(message, sizeof(message), "and %u more errors", w->errors - DATA_ERRORS_MAX);
	w->import->report(message);
}
