/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_STORE_WHERE_H
#define SERVER_STORE_STORE_WHERE_H

#include <stddef.h>

/* Where the database lies: whether what SQLite relies on is so there. */

/**
 * Looks whether @path, which may be missing, is or would be on a local file system, has one name
 * only, and nothing but plain files beside it.
 * @message: receives, on failure, a sentence for people that names the file
 * Returns 0 or ERR_MALFORMED.
 */
int store_where_check(const char *path, char *message, size_t size);

/** Returns the name of a file system that hosts share, by statfs(2)'s number; NULL: it is none. */
const char *store_where_remote(unsigned long type);

#endif
