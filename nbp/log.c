/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/log.h"

#include "nbp/proto/text.h"

void log_line(struct platform *p, const char *format, ...)
{
	char line[160];
	size_t length = text_format(line, sizeof(line), "[%5u] ", p->now(p));
	va_list args;

	va_start(args, format);
	length += text_vformat(line + length, sizeof(line) - 1 - length, format, args);
	va_end(args);
	line[length++] = '\n';
	p->write(p, line, length);
}
