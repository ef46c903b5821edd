/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_THREADS_H
#define SERVER_DAEMON_THREADS_H

#include <pthread.h>

#include "server/daemon/writer.h"
#include "server/daemon/options.h"

/* The daemon's threads: those that serve, and the writer. */

/* Where to listen. */
struct listen {
	union address address;
	int sockets[SERVER_THREADS_MAX]; /* one for each thread */
};

struct threads {
	struct server *server;
	struct writer *writer;
	struct listen *listen;
	size_t listen_count, count; /* of addresses, of serving threads */
	int stop[2];                /* eventfds: for those that serve, then for the writer */
	unsigned watchdog_ms;       /* how often to report that all threads live; 0: never */
	int reload;                 /* not 0: the writer is to read the database anew */
	pthread_t main_thread, writer_thread;
	struct worker *workers;
};

/**
 * Starts all threads, with all signals blocked. Where the database is replaced, they send the
 * caller SIGTERM, and writer->replaced says why.
 * @threads: what is not the threads' own filled in
 * Returns 0 or ERR_SPACE.
 */
int threads_start(struct threads *threads);

/** Makes the writer read the database anew. */
void threads_reload(struct threads *threads);

/**
 * Lets those that serve end what they are at, and the writer all that waits; returns then.
 * @sum: receives what all have counted
 */
void threads_stop(struct threads *threads, struct counters *sum);

#endif
