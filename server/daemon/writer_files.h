/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_WRITER_FILES_H
#define SERVER_DAEMON_WRITER_FILES_H

#include "server/daemon/writer_internal.h"

/** Remembers which files the database is, once it has been read. */
void writer_remember_files(struct writer *writer);

/**
 * Says whether another file has the database's name by now, or none, or that of a file that SQLite
 * has beside it, or whether one of them was emptied: what others change there is not seen here,
 * and what is stored here is lost. This is logged once.
 */
bool writer_replaced(struct writer *writer);

/** Logs that a file, the database with @suffix, is lost, and sets writer->replaced. @how: what has
 *  become of it, such as "removed or moved away" */
void writer_lose_files(struct writer *writer, const char *suffix, const char *how);

#endif
