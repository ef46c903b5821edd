/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/filter/filter.h"
#include "server/index/index.h"
#include "server/store/devices.h"
#include "server/store/folders.h"
#include "server/store/settings.h"
#include "server/transfer/data.h"

#define FILE_EXPECTED \
	"expected 1 to 127 of the characters A-Z a-z 0-9 . _ - /, without a \"..\""

static int expected(char message[DATA_MESSAGE], const char *what)
{
	snprintf(message, DATA_MESSAGE, "%s", what);
	return ERR_MALFORMED;
}

/* --- texts ----------------------------------------------------------------- */

static int check_word(const struct data_field *field, const char *text, char message[DATA_MESSAGE])
{
	size_t used = (size_t)snprintf(message, DATA_MESSAGE, "expected one of");

	for (size_t i = 0; field->words[i]; i++) {
		if (strcmp(field->words[i], text) == 0)
			return 0;
		used += (size_t)snprintf(message + used, DATA_MESSAGE - used, "%s %s", i ? "," : "",
		                         field->words[i]);
	}
	return ERR_MALFORMED;
}

static int check_filter(const char *text, char message[DATA_MESSAGE])
{
	struct filter_error error;
	struct filter *filter = filter_parse(text, &error);

	if (!filter) {
		snprintf(message, DATA_MESSAGE, "column %zu of the filter: %s", error.column,
		         error.message);
		return ERR_MALFORMED;
	}
	filter_free(filter);
	return 0;
}

static int check_setting(const char *key, const char *text, char message[DATA_MESSAGE])
{
	struct settings unused;
	int index = setting_find(key);

	if (index < 0 || setting_parse((size_t)index, text, &unused) == 0)
		return 0; /* The key has been reported already. */
	snprintf(message, DATA_MESSAGE, "expected %s", setting_takes((size_t)index));
	return ERR_MALFORMED;
}

/* Each component of a path is a label, and there is at least one. */
static int check_path(const char *text, char message[DATA_MESSAGE])
{
	char name[NAME_SIZE];
	size_t length;

	for (int depth = 0; *text == '/' && depth < FOLDER_DEPTH; text += length, depth++) {
		length = strcspn(++text, "/");
		if (length >= sizeof(name))
			break;
		text_format(name, length + 1, "%s", text);
		if (!folder_name_ok(name))
			break;
		if (!text[length])
			return 0;
	}
	return expected(message, "expected the path of a folder, as in /site/lab, at most 16 deep");
}

static int check_text(const struct data_field *field, const char *text, const char *setting,
                      char message[DATA_MESSAGE])
{
	uint8_t unused[16];

	if (field->optional && !text[0])
		return 0;
	switch (field->kind) {
	case DATA_NAME:
		if (device_name_ok(text) && text_parse_mac(text, unused) &&
		    text_parse_uuid(text, unused))
			return 0;
		return expected(message, "expected a device's name: 1 to 63 letters, digits, "
		                "\".\", \"_\" and \"-\", beginning with a letter or digit, not "
		                "all digits, and not a MAC or UUID");
	case DATA_LABEL:
		return device_name_ok(text) ? 0 :
		       expected(message, "expected a name: 1 to 63 letters, digits, \".\", \"_\" "
		                "and \"-\", beginning with a letter or digit, not all digits");
	case DATA_LOADER:
		if (strcmp(text, LOADER_OF_SETTINGS) == 0)
			return 0;
		/* fall through */
	case DATA_FILE: return message_file_name_ok(text) ? 0 : expected(message, FILE_EXPECTED);
	case DATA_PATH: return check_path(text, message);
	case DATA_WORD: return check_word(field, text, message);
	case DATA_FILTER: return check_filter(text, message);
	case DATA_KEY:
		return setting_find(text) >= 0 ? 0 :
		       expected(message, "no such setting; \"prebootctl settings show\" lists "
		                "them");
	case DATA_VALUE: return check_setting(setting, text, message);
	case DATA_FOLDER:
	case DATA_OWNER:
	case DATA_SOURCE: return 0; /* what it refers to is looked up */
	default:
		return text_ok(text) && strlen(text) < REASON_SIZE ? 0 :
		       expected(message, "expected up to 127 characters of printable ASCII");
	}
}

/* --- what is not text in the database -------------------------------------- */

static int check_time(const char *text, struct data_value *value)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	char again[32];
	time_t t;

	if (!end || *end)
		return ERR_MALFORMED;
	t = timegm(&tm);
	/* There must be such a day, and only one way to write it. */
	if (!gmtime_r(&t, &tm) || !strftime(again, sizeof(again), "%Y-%m-%dT%H:%M:%SZ", &tm) ||
	    strcmp(again, text) != 0 || t <= 0)
		return ERR_MALFORMED;
	value->type = DATA_INTEGER;
	value->number = t;
	return 0;
}

static int check_bytes(enum data_kind kind, const char *text, struct data_value *value)
{
	static const uint8_t none[6];

	value->type = DATA_BYTES;
	value->length = kind == DATA_MAC || kind == DATA_SEEN_MAC ? 6 : 16;
	if (value->length == 6)
		return text_parse_mac(text, value->bytes) || memcmp(value->bytes, none, 6) == 0 ||
		       (kind == DATA_MAC && value->bytes[0] & 1);
	return text_parse_uuid(text, value->bytes) ||
	       (kind == DATA_GUID && !device_uuid_ok(value->bytes));
}

static int check_details(const json_t *json, struct data_value *value, char message[DATA_MESSAGE])
{
	struct details details = { 0 };
	const char *key;
	json_t *text;

	json_object_foreach((json_t *)json, key, text) {
		int rc = json_is_string(text)
		         ? details_add(&details, key, json_string_value(text)) : ERR_MALFORMED;

		if (rc == ERR_SPACE)
			return expected(message, "too much; all details must fit one datagram, "
			                "with about 900 characters");
		if (rc) {
			snprintf(message, DATA_MESSAGE, "%.40s: a key has 1 to 32 letters, digits "
			         "and \"_\" and begins with no digit, a value is a string of "
			         "printable ASCII", key);
			return rc;
		}
	}
	value->type = DATA_BYTES;
	value->length = details.details_length;
	memcpy(value->bytes, details.details, details.details_length);
	return 0;
}

static int check_string(const struct data_field *field, const char *text, const char *setting,
                        struct data_value *value, char message[DATA_MESSAGE])
{
	switch (field->kind) {
	case DATA_TIME:
		return check_time(text, value) == 0 ? 0 :
		       expected(message, "expected a UTC time as in \"2026-11-21T17:05:09Z\"");
	case DATA_UUID:
		return check_bytes(field->kind, text, value) == 0 ? 0 :
		       expected(message, "not a UUID; expected 32 hexadecimal digits, as in "
		                "\"4c4c4544-0034-4d10-8052-b4c04f4a3232\"");
	case DATA_GUID:
		if (check_bytes(DATA_UUID, text, value) == 0 && !device_uuid_ok(value->bytes))
			return expected(message, "a placeholder that many machines have, so it "
			                "identifies nobody; leave it out, and give a MAC");
		/* fall through */
	case DATA_NONCE:
		return check_bytes(field->kind, text, value) == 0 ? 0 :
		       expected(message, "not a UUID; expected 32 hexadecimal digits, as in "
		                "\"4c4c4544-0034-4d10-8052-b4c04f4a3232\"");
	case DATA_MAC:
	case DATA_SEEN_MAC:
		return check_bytes(field->kind, text, value) == 0 ? 0 :
		       expected(message, "expected a machine's MAC address, as in "
		                "\"52:54:00:12:34:56\"");
	default:
		value->type = DATA_STRING;
		value->text = text;
		return check_text(field, text, setting, message);
	}
}

/* --- any value ------------------------------------------------------------- */

/* What the database has where nothing is given. */
static void put_nothing(const struct data_field *field, struct data_value *value)
{
	switch (field->kind) {
	case DATA_NUMBER:
	case DATA_BOOL:
	case DATA_TIME: value->type = DATA_INTEGER; break;
	case DATA_DETAILS: value->type = DATA_BYTES; break;
	case DATA_FILE:
	case DATA_LOADER:
	case DATA_FILTER:
	case DATA_TEXT:
		value->type = DATA_STRING;
		value->text = "";
		break;
	default: break;
	}
}

int data_check(const struct data_field *field, const json_t *json, const char *setting,
               struct data_value *value, char message[DATA_MESSAGE])
{
	bool given = json && !json_is_null(json);

	memset(value, 0, sizeof(*value));
	if (!given) {
		if (json || !field->newer)
			put_nothing(field, value);
		if (field->now && !json)
			value->number = time(NULL);
		return field->optional ? 0 : expected(message, json ? "must not be null" :
		                                                      "is missing");
	}
	switch (field->kind) {
	case DATA_NUMBER:
		value->type = DATA_INTEGER;
		value->number = json_integer_value(json);
		if (json_is_integer(json) && value->number >= field->min &&
		    value->number <= field->max)
			return 0;
		snprintf(message, DATA_MESSAGE, "expected a number from %lld to %lld",
		         (long long)field->min, (long long)field->max);
		return ERR_MALFORMED;
	case DATA_BOOL:
		value->type = DATA_INTEGER;
		value->number = json_is_true(json);
		return json_is_boolean(json) ? 0 : expected(message, "expected true or false");
	case DATA_DETAILS:
		return json_is_object(json) ? check_details(json, value, message) :
		       expected(message, "expected an object of strings");
	default:
		return json_is_string(json)
		       ? check_string(field, json_string_value(json), setting, value, message)
		       : expected(message, field->optional ? "expected a string or null" :
		                                             "expected a string");
	}
}

/* --- from the database ------------------------------------------------------ */

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
	if (!bytes || length != (kind == DATA_MAC || kind == DATA_SEEN_MAC ? 6 : 16))
		return NULL;
	text_format(text, sizeof(text), length == 6 ? "%pM" : "%pU", bytes);
	/* Elsewhere nonces are written without dashes. */
	for (size_t from = 0, to = 0; kind == DATA_NONCE && to <= 32; from++)
		if (text[from] != '-')
			text[to++] = text[from];
	return json_string(text);
}

json_t *data_column(const struct data_field *field, struct store_rows *row, int column)
{
	const void *bytes;
	size_t length;

	if (store_is_null(row, column))
		return json_null();
	switch (field->kind) {
	case DATA_NUMBER: return json_integer(store_number(row, column));
	case DATA_BOOL: return json_boolean(store_number(row, column) != 0);
	case DATA_TIME: return time_column(store_number(row, column));
	case DATA_GUID:
	case DATA_UUID:
	case DATA_NONCE:
	case DATA_MAC:
	case DATA_SEEN_MAC:
	case DATA_DETAILS:
		bytes = store_blob(row, column, &length);
		return bytes_column(field->kind, bytes, length);
	default: return json_string(store_string(row, column));
	}
}
