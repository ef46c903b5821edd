/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_LOG_H
#define NBP_LOG_H

#include "nbp/platform.h"
#include "nbp/proto/text.h"

/**
 * Writes one line to the console: the milliseconds since the NBP's start in
 * brackets, then @format filled in by text_format(). Cut at 160 characters.
 */
void log_line(struct platform *p, const char *format, ...) TEXT_FORMAT(2, 3);

#endif
