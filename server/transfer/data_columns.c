/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "nbp/proto/text.h"
#include "server/transfer/data.h"

static json_t *time_column(int64_t time)
{
	time_t t = (time_t)time;
	struct tm utc;
	char text[32];

	if (time == 0)
		return json_null();
	if (time < 0 || !gmtime_r(&t, &utc) || utc.tm_year > 9999 - 1900 ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		return NULL;
	return json_string(text);
}

static json_t *details_column(const char *bytes, size_t length)
{
	json_t *object = json_object();

	for (size_t at = 0; at < length;) {
		const char *end = memchr(bytes + at, '\0', length - at);
		const char *equals = end ? strchr(bytes + at, '=') : NULL;
		size_t size = equals ? (size_t)(equals - bytes) - at : 0;
		char key[64];

		if (!equals || size >= sizeof(key))
			goto damaged;
		snprintf(key, sizeof(key), "%.*s", (int)size, bytes + at);
		if (json_object_get(object, key) ||
		    json_object_set_new(object, key, json_string(equals + 1)))
			goto damaged;
		at = (size_t)(end - bytes) + 1;
	}
	return object;
damaged:
	json_decref(object);
	return NULL;
}

static json_t *bytes_column(enum data_kind kind, const uint8_t *bytes, size_t length)
{
	char text[40];

	if (kind == DATA_DETAILS)
		return details_column((const char *)bytes, length);
	if (!bytes || length != (kind == DATA_MAC || kind == DATA_TOLD ? 6 : 16))
		return NULL;
	text_format(text, sizeof(text), length == 6 ? "%pM" : "%pU", bytes);
	/* Elsewhere nonces are told without dashes. */
	for (size_t from = 0, to = 0; kind == DATA_NONCE && to <= 32; from++)
		if (text[from] != '-')
			text[to++] = text[from];
	return json_string(text);
}

json_t *data_column(const struct data_field *field, sqlite3_stmt *row, int column)
{
	if (sqlite3_column_type(row, column) == SQLITE_NULL)
		return json_null();
	switch (field->kind) {
	case DATA_NUMBER: return json_integer(sqlite3_column_int64(row, column));
	case DATA_BOOL: return json_boolean(sqlite3_column_int(row, column));
	case DATA_TIME: return time_column(sqlite3_column_int64(row, column));
	case DATA_GUID:
	case DATA_UUID:
	case DATA_NONCE:
	case DATA_MAC:
	case DATA_TOLD:
	case DATA_DETAILS:
		return bytes_column(field->kind, sqlite3_column_blob(row, column),
		                    (size_t)sqlite3_column_bytes(row, column));
	default: return json_string((const char *)sqlite3_column_text(row, column));
	}
}
