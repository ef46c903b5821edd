/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_DEBUG_H
#define NBP_DEBUG_H

#include "nbp/log.h"

/*
 * Debug output, compiled in by "make DEBUG=module[:level],..." only: the build
 * defines DEBUG_LEVEL for each object, 0 unless its module is named. Level 1
 * tells of decisions, 2 of packets and calls, 3 of their contents.
 */
#define debug(level, p, ...)                        \
	do {                                        \
		if (DEBUG_LEVEL >= (level))         \
			log_line((p), __VA_ARGS__); \
	} while (0)

#endif
