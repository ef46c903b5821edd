/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_SERVER_H
#define SERVER_DAEMON_SERVER_H

#include "server/daemon/counters.h"
#include "server/daemon/history.h"
#include "server/daemon/journal.h"
#include "server/daemon/lanes.h"
#include "server/daemon/limit.h"
#include "server/daemon/queue.h"
#include "server/index/index.h"
#include "server/net/datagram.h"

/* What the serving threads and the writer share. */

#define SERVER_THREADS_MAX 64
#define SERVER_UNKNOWNS    4096

struct server {
	struct journal journal;
	struct limit limit, regions; /* of networks, and of what many of them share */
	_Atomic int64_t unknown_full; /* bounds the answers to unknown machines, wherever they
	                                 are */
	int64_t unknown_cost;
	struct lanes questions;  /* struct datagram: messages for the writer to answer */
	struct queue history;    /* struct history_entry: for the writer to store when it can */
	int wake;                /* eventfd of both */
	/* The database in memory: the writer changes it, with the lock held for writing. */
	struct index *index;
	pthread_rwlock_t lock;
	uint64_t generation;     /* of the policy in it */
	uint64_t seed;           /* of hashes */
	/* Bounds of history: all requests, unknown machines', and each device's events. */
	_Atomic int64_t requests_full, unknowns_full;
	struct limit events;
	struct limit kept;       /* what a device, or a network of unknown machines, has of it */
	_Atomic uint64_t unknowns[SERVER_UNKNOWNS]; /* hashes of unknown machines seen lately */
	/* Bounds of admission: all, a network's, and whether there are as many as may be. */
	_Atomic int64_t admissions_full;
	struct limit admissions;
	_Atomic bool admits_no_more;
	/* Of each thread, the writer's last. */
	const struct counters *counters[SERVER_THREADS_MAX + 1];
	size_t counters_count;
};

/** Reads the clocks. */
struct timestamp timestamp_now(void);

/**
 * Starts what threads share.
 * @rate: as of limit_start()
 * Returns 0, ERR_SPACE without memory, or ERR_IO.
 */
int server_start(struct server *server, uint32_t rate);
void server_end(struct server *server);

/** Says whether history of @d may be kept: nobody has more than a share of all.
 *  @device: 0: an unknown machine, which counts by its network; @now: monotonic ns */
bool server_may_keep(struct server *server, uint64_t device, const struct datagram *d, int64_t now);

/** Says whether no more requests can be kept at @now, monotonic ns. */
bool server_history_full(const struct server *server, int64_t now);

/** Says whether a request may be kept at @now, monotonic ns, and counts it if so.
 *  @known: it is a device's */
bool server_keep_request(struct server *server, bool known, int64_t now);

/**
 * Says whether the unknown machine that sent @datagram may be admitted at @now, monotonic ns, and
 * counts it if so.
 */
bool server_may_admit(struct server *server, const struct datagram *datagram, int64_t now);

/** Adds what all threads have counted. */
void server_counters(const struct server *server, struct counters *sum);

#endif
