/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/index/warnings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MORE "and more\n"

void warnings_add(struct warnings *warnings, const char *format, ...)
{
	size_t left = sizeof(warnings->text) - warnings->length;
	va_list args;
	int length;

	/* Space is reserved for the last line, MORE, after which nothing is added. */
	if (left <= sizeof(MORE))
		return;
	va_start(args, format);
	length = vsnprintf(warnings->text + warnings->length, left, format, args);
	va_end(args);
	if (length < 0 || (size_t)length + 1 + sizeof(MORE) > left) {
		memcpy(warnings->text + warnings->length, MORE, sizeof(MORE));
		warnings->length = sizeof(warnings->text);
		return;
	}
	warnings->length += (size_t)length + 1;
	memcpy(warnings->text + warnings->length - 1, "\n", 2);
}

void warnings_add_all(struct warnings *warnings, const struct warnings *more)
{
	for (const char *line = more->text; *line; line = strchr(line, '\n') + 1)
		warnings_add(warnings, "%.*s", (int)strcspn(line, "\n"), line);
}
