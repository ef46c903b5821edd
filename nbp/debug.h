/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_DEBUG_H
#define NBP_DEBUG_H

#include "platform.h"

/*
 * Debug output, compiled in by "make DEBUG=module[:level],..." only: the build
 * defines DEBUG_LEVEL for each object, 0 unless its module is named. Level 1
 * tells of decisions, 2 of packets and calls, 3 of their contents.
 */
#define debug(level, p, ...)                              \
	do {                                              \
		if (DEBUG_LEVEL >= (level))               \
			debug_print((p), __VA_ARGS__);    \
	} while (0)

/** Writes a line, formatted by text_format(), after the time in milliseconds. */
void debug_print(struct platform *p, const char *format, ...);

#endif
