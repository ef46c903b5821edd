/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_LOCKFILE_H
#define SERVER_DAEMON_LOCKFILE_H

#include <stddef.h>

/**
 * Takes the lock that says that a daemon serves the database at @path; it lasts as
 * long as the descriptor is open, and ends with the process.
 * @message: receives what is wrong, for people
 * Returns the descriptor, or -1.
 */
int lockfile_take(const char *path, char *message, size_t size);

#endif
