/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_SERVE_H
#define SERVER_DAEMON_SERVE_H

#include "server/daemon/log.h"
#include "server/daemon/server.h"
#include "server/net/peek.h"
#include "server/policy/identify.h"

/*
 * The serving threads: datagrams in, replies out, in batches, from memory. What
 * needs the database goes to the writer (writer.h), which alone uses that.
 */

/* One serving thread. */
struct serving {
	struct server *server;
	struct counters counters;
	struct request_peek peeks[BATCH]; /* of the batch at work */
	struct index_prefetch prefetch[BATCH];
	/* The rest is of the datagram at work. */
	const struct timestamp *timestamp;
	struct message question;
	struct identification who;
	struct decision decision;
	struct history_entry history;
	char line[LOG_LINE];
	uint64_t suppressed;     /* lines for the log that were not written; of the batch */
};

/** Starts what a serving thread has for itself, before the thread. */
void serving_start(struct serving *serving, struct server *server);

/**
 * Decides on @count datagrams: fills in their replies, or hands them on. What nobody
 * can answer is counted and has none.
 * Returns how many are answered.
 */
uint64_t serve_batch(struct serving *serving, struct datagram *batch, size_t count,
                     const struct timestamp *timestamp);

#endif
