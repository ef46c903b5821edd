/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/transfer/scan.h"

#include <string.h>

size_t scan_blanks(const char *text, size_t length, size_t at)
{
	while (at < length && text[at] && strchr(" \t\r\n", text[at]))
		at++;
	return at;
}

/* @at: after the opening quote. Returns the position after the closing one. */
static size_t skip_string(const char *text, size_t length, size_t at)
{
	while (at < length && text[at] != '"')
		at += text[at] == '\\' ? 2 : 1;
	return at < length ? at + 1 : length;
}

size_t scan_skip(const char *text, size_t length, size_t at)
{
	size_t depth = 0;

	do {
		at = scan_blanks(text, length, at);
		if (at == length)
			return length;
		switch (text[at++]) {
		case '{':
		case '[': depth++; break;
		case '}':
		case ']':
			if (depth == 0)
				return at - 1;
			depth--;
			break;
		case '"': at = skip_string(text, length, at); break;
		case ',':
		case ':':
			if (depth == 0)
				return at - 1;
			break;
		default:
			while (at < length && text[at] && !strchr(" \t\r\n,:{}[]\"", text[at]))
				at++;
		}
	} while (depth && at < length);
	return at;
}

int scan_next(const char *text, size_t length, size_t *at, bool first, size_t *key)
{
	size_t i = *at;

	i = scan_blanks(text, length, first ? i + 1 : scan_skip(text, length, i));
	*at = i;
	if (i < length && text[i] == (key ? '}' : ']'))
		return *at = i + 1, 0;
	if (!first && i < length && text[i] == ',')
		i = scan_blanks(text, length, i + 1);
	else if (!first)
		return -1;
	if (key) {
		*at = *key = i;
		if (i >= length || text[i] != '"')
			return -1;
		i = scan_blanks(text, length, skip_string(text, length, i + 1));
		if (i >= length || text[i] != ':')
			return -1;
		i = scan_blanks(text, length, i + 1);
	}
	*at = i;
	/* A comma or a bracket here is no value, and parsing it fails. */
	return i < length ? 1 : -1;
}

size_t scan_line(const char *text, size_t at)
{
	size_t line = 1;

	for (const char *end; at && (end = memchr(text, '\n', at)); line++) {
		at -= (size_t)(end + 1 - text);
		text = end + 1;
	}
	return line;
}
