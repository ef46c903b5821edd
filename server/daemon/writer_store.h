/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_WRITER_STORE_H
#define SERVER_DAEMON_WRITER_STORE_H

#include "server/daemon/writer_internal.h"

/**
 * Stores all that the evaluation of @pending changes, in the transaction that is open, and adds
 * that to writer->part. The reply is encoded before, and again if a new job gets its number here.
 * Returns 0; WRITER_CUT if an unknown machine has become a device and is to be evaluated as that;
 * or the ERR_ values of store.h.
 */
int writer_store(struct writer *writer, struct pending *pending);

/**
 * Stores the job that @decision changes, and the event of that, in the transaction that is open.
 * @question: what led to it; NULL: nothing did
 */
int writer_store_decision(struct writer *writer, const struct message *question,
                          const struct decision *decision);

/**
 * Begin and end a transaction whose commit does not wait for the disk: for what may be lost
 * in a power cut. The end rolls back what was not committed. A connection of its own would make
 * each forget what the other has read.
 */
int writer_begin_relaxed(struct writer *writer);
void writer_end_relaxed(struct writer *writer);

/**
 * Reads the tokens' secret from the database, and makes one if there is none.
 * Returns 0 or the ERR_ values of store.h.
 */
int writer_read_secret(struct writer *writer);

#endif
