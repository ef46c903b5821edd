/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_WRITER_INDEX_H
#define SERVER_DAEMON_WRITER_INDEX_H

#include "server/daemon/writer_internal.h"

/**
 * Brings the index up to what is in the database. A transaction that is open must not have
 * written. Returns 0 or the ERR_ values of store.h.
 */
int writer_follow(struct writer *writer);

/** Reads the whole database into a new index, whatever has changed, and logs how that went. */
void writer_reload(struct writer *writer, const struct timestamp *timestamp);

/** Logs what the index could not make sense of. */
void writer_log_warnings(struct writer *writer);

#endif
