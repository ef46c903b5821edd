/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_THREADS_H
#define SERVER_DAEMON_THREADS_H

#include <pthread.h>

#include "server/daemon/keeper.h"
#include "server/daemon/options.h"

/* The daemon's threads: those that serve, and the keeper. */

/* Where to listen. */
struct listen {
	union address address;
	int sockets[SERVE_THREADS_MAX]; /* one for each thread */
};

struct threads {
	struct server *server;
	struct keeper *keeper;
	struct listen *listen;
	size_t listen_count, count; /* of addresses, of serving threads */
	int stop[2];                /* eventfds: for those that serve, then for the keeper */
	unsigned watchdog_ms;       /* how often to tell that all threads live; 0: never */
	int reload;                 /* not 0: the keeper is to read the database anew */
	pthread_t main_thread, keeper_thread;
	struct worker *workers;
};

/**
 * Starts all threads, with all signals blocked. Where the database is replaced, they send the
 * caller SIGTERM, and keeper->replaced says why.
 * @threads: what is not the threads' own filled in
 * Returns 0 or ERR_SPACE.
 */
int threads_start(struct threads *threads);

/** Makes the keeper read the database anew. */
void threads_reload(struct threads *threads);

/**
 * Lets those that serve end what they are at, and the keeper all that waits; returns then.
 * @sum: receives what all have counted
 */
void threads_stop(struct threads *threads, struct counters *sum);

#endif
