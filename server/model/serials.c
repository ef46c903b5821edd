/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/model/serials.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "nbp/proto/text.h"

/* Letters and digits alone, small: manufacturers write the same with blanks, dots and lines. */
static void squeeze(const char *text, char out[TEXT_SIZE])
{
	size_t length = 0;

	for (; *text && length < TEXT_SIZE - 1; text++)
		if (isalnum((unsigned char)*text))
			out[length++] = (char)tolower((unsigned char)*text);
	out[length] = '\0';
}

/* Says whether it is what a manufacturer left in, rather than a number. */
static bool is_left_in(const char *squeezed)
{
	static const char *const whole[] = {
		"none", "na", "null", "nil", "oem", "empty", "unknown", "undefined", "unspecified",
		"invalid", "default", "tbd", "todo", "test", "example", "sernum0", "mbserial",
		"serial", "serialno", "sn", "standard", "123456", "1234567", "12345678",
		"123456789",
		"1234567890", "0123456789", "012345678", "01234567", "123456789abc",
		"0123456789abcdef", "abcdef", "asset", "assettag", "noassettag",
	};
	static const char *const parts[] = {
		"tobefilled", "filledby", "defaultstring", "serialnumber", "notspecified",
		"notavailable", "notapplicable", "notprovided", "notset", "nodata", "noserial",
		"systemserial", "boardserial", "chassisserial",
	};

	/* Nothing, or one character again and again. */
	if (strspn(squeezed, (char[]){ squeezed[0], '\0' }) == strlen(squeezed))
		return true;
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		if (strcmp(squeezed, whole[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strstr(squeezed, parts[i]))
			return true;
	return false;
}

/* Copies a number without the blanks around it; nothing where it is none. */
static void keep_text(const char *text, char out[TEXT_SIZE])
{
	char squeezed[TEXT_SIZE];
	size_t length;

	squeeze(text, squeezed);
	out[0] = '\0';
	if (is_left_in(squeezed))
		return;
	text += strspn(text, " ");
	text_format(out, TEXT_SIZE, "%s", text);
	length = strlen(out);
	while (length && out[length - 1] == ' ')
		out[--length] = '\0';
}

void serials_of(const struct request *request, struct serials *serials)
{
	text_format(serials->model, sizeof(serials->model), "%s %s", request->manufacturer,
	            request->product);
	keep_text(request->serial, serials->serial);
	keep_text(request->board_serial, serials->board);
}

static enum likeness compare(const char *one, const char *other)
{
	if (!one[0] || !other[0])
		return LIKENESS_UNKNOWN;
	return strcasecmp(one, other) == 0 ? LIKENESS_SAME : LIKENESS_DIFFERENT;
}

enum likeness serials_compare(const struct serials *one, const struct serials *other)
{
	enum likeness system = compare(one->serial, other->serial);
	enum likeness board = compare(one->board, other->board);

	if (system == LIKENESS_DIFFERENT || board == LIKENESS_DIFFERENT)
		return LIKENESS_DIFFERENT;
	/* Two manufacturers may count from the same number. */
	if (strcasecmp(one->model, other->model) != 0)
		return LIKENESS_UNKNOWN;
	return system == LIKENESS_SAME ? system : board;
}

uint32_t serials_hash(const struct serials *serials)
{
	const char *const texts[] = { serials->serial, serials->board };
	uint32_t hash = 2166136261; /* FNV-1a */

	if (!serials->serial[0] && !serials->board[0])
		return 0;
	for (size_t i = 0; i < 2; i++) {
		for (const char *at = texts[i]; *at; at++)
			hash = (hash ^ (uint32_t)tolower((unsigned char)*at)) * 16777619;
		hash = (hash ^ 0x100) * 16777619;
	}
	return hash ? hash : 1;
}
