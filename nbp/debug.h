/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_DEBUG_H
#define NBP_DEBUG_H

#include "nbp/log.h"

/*
 * Debug output, compiled in by "make DEBUG=module[:level],..." only: the build
 * defines DEBUG_LEVEL for each object, 0 unless its module is named. Level 1
 * shows decisions, 2 packets and calls, 3 their contents. Each line begins with
 * the file that prints it. The format is a string literal.
 */
#define debug(level, p, ...)                                            \
	do {                                                            \
		if (DEBUG_LEVEL >= (level))                             \
			log_line((p), __FILE_NAME__ ": " __VA_ARGS__);  \
	} while (0)

#endif
