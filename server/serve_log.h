/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_SERVE_LOG_H
#define SERVER_SERVE_LOG_H

#include "decide.h"
#include "serve.h"

/* The log's lines: key=value pairs that scripts may rely on; README.md lists them. */

/**
 * Writes the line of a decision into @d->line.
 * @device: its name, NULL if unknown
 */
void serve_log_answer(struct datagram *d, const char *device, const struct verdict *verdict);

/** Writes the line of an NBP's event into @d->line. */
void serve_log_event(struct datagram *d, const char *device);

#endif
