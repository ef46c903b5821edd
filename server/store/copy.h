/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_COPY_H
#define SERVER_STORE_COPY_H

#include "server/store/store.h"

#define STORE_COPY_MESSAGE 600

/**
 * Copies all of the database as it is at one moment to @path, an empty file that is there. In WAL
 * mode nobody waits for that. The copy is one file, to be kept like any other.
 * @message: receives, on failure, a sentence for people that names the file
 * Returns 0 or ERR_IO.
 */
int store_copy(struct store *store, const char *path, char message[STORE_COPY_MESSAGE]);

/**
 * Reads the copy as a program would that does not know it.
 * @devices, @jobs: receive how many it has
 * Returns 0, ERR_MALFORMED if it is not sound, or ERR_IO; @message as above.
 */
int store_copy_check(const char *path, int64_t *devices, int64_t *jobs,
                     char message[STORE_COPY_MESSAGE]);

#endif
