/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/isdctl/partition_disk.h"

#include <stdarg.h>
#include <stdio.h>

int partition_reason(struct partition_answer *answer, int rc, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(answer->message, sizeof(answer->message), format, args);
	va_end(args);
	return rc;
}
