/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_SERVE_H
#define SERVER_SERVE_H

#include "counters.h"
#include "datagram.h"
#include "journal.h"
#include "limit.h"
#include "notes.h"
#include "queue.h"

/*
 * The serving threads: datagrams in, datagrams out, in batches, from memory. What
 * needs the database goes to the keeper (keeper.h), which alone uses that.
 */

#define SERVE_THREADS_MAX 64

/* What all threads share. */
struct server {
	struct journal journal;
	struct limit limit;
	struct queue questions;  /* struct datagram: for the keeper to answer */
	struct queue notes;      /* struct note: for it to keep */
	int wake;                /* eventfd of both */
	/* Of each thread, the keeper's last. */
	const struct counters *counters[SERVE_THREADS_MAX + 1];
	size_t counters_count;
};

/* One serving thread. */
struct serving {
	struct server *server;
	struct counters counters;
	struct message question; /* the one at work */
};

/** Reads the clocks. */
struct moment moment_now(void);

/**
 * Starts what threads share.
 * @rate: as of limit_start()
 * Returns 0, ERR_SPACE without memory, or ERR_IO.
 */
int server_start(struct server *server, uint32_t rate);
void server_end(struct server *server);

/** Adds what all threads have counted. */
void server_counters(const struct server *server, struct counters *sum);

/** Starts a serving thread's part of it, before the thread. */
void serving_start(struct serving *serving, struct server *server);

/**
 * Decides on @count datagrams: fills in their replies, or hands them on. What nobody
 * can answer is counted and has none.
 * Returns how many are answered.
 */
uint64_t serve_batch(struct serving *serving, struct datagram *batch, size_t count,
                 const struct moment *moment);

#endif
