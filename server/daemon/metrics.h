/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_METRICS_H
#define SERVER_DAEMON_METRICS_H

#include "server/daemon/journal.h"
#include "server/store/store.h"

#define METRICS_SECONDS 10 /* how often they are written */

/* The counters as a file for Prometheus. */
struct metrics {
	const char *path; /* the caller's; NULL: none is wanted */
	struct store store;
	struct journal *journal;
};

/** Opens the database, which this process has open, at @database once more, if there is a path.
 *  Returns as store_open() does; metrics->store.message explains. */
int metrics_open(struct metrics *metrics, const char *database);
void metrics_close(struct metrics *metrics);

/** Writes the file anew, if one is wanted; logs failures. */
void metrics_write(struct metrics *metrics);

#endif
