/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_WRITER_H
#define SERVER_DAEMON_WRITER_H

#include "server/daemon/writer_internal.h"

/*
 * The writer is the one thread that uses the database. It takes the messages that wait in batches,
 * and commits all that they change before any reply that depends on it leaves.
 *
 * A batch is answered in order, in parts of one transaction each (writer.c). The parts of the
 * module: writer_evaluate.c decides on one message, writer_store.c stores what that changes,
 * writer_index.c brings the index up to the database, writer_files.c watches the database's files,
 * and writer_sweep.c does the periodic tasks.
 */

/** Opens the database at @path, which must outlive @writer.
 *  Returns as store_open() does; writer->store.message explains. */
int writer_open(struct writer *writer, struct server *server, const char *path);
void writer_close(struct writer *writer);

/**
 * Answers a batch of the messages that wait, after history. It waits for no other program:
 * messages that would take its lock are deferred to later turns, and the others are answered.
 * Once writer->replaced is set, nothing that depends on a write is answered: it is time to stop.
 * Returns how many messages were handled.
 */
size_t writer_turn(struct writer *writer, const struct timestamp *timestamp);

/** Says whether messages are deferred, so that a turn is due soon. */
bool writer_waits(const struct writer *writer);

/** Makes all writes from now on wait for the lock, as there are no turns to come. */
void writer_last(struct writer *writer);

/** Stores a batch of the history that waits, in one transaction. Returns how many entries were
 *  handled. */
size_t writer_history(struct writer *writer);

#endif
