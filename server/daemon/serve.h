/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_SERVE_H
#define SERVER_DAEMON_SERVE_H

#include "server/daemon/serving.h"

/*
 * The serving threads: datagrams in, replies out, in batches, from memory. What
 * needs the database goes to the writer (writer.h), which alone uses that.
 */

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
