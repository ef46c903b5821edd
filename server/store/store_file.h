/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_STORE_FILE_H
#define SERVER_STORE_STORE_FILE_H

#include <stddef.h>

/* The database as a file: may it be opened, and how it comes to be. */

/**
 * Checks, without writing anything, that @path is a sound database of ours.
 * @message: receives, on failure, a sentence for people that names the file
 * Returns 0, ERR_NOT_FOUND (missing or empty), ERR_MALFORMED (not ours, or
 * damaged), ERR_VERSION (newer than this program) or ERR_IO.
 */
int store_file_check(const char *path, char *message, size_t size);

/**
 * The same, but of a file that takes long to go through, of more than a few MiB, only
 * the header is looked at.
 */
int store_file_glance(const char *path, char *message, size_t size);

/**
 * Makes a new database at @path, which is missing or empty. It appears whole or
 * not at all; if another program made one meanwhile, that one stays.
 * Returns 0 or ERR_IO, with @message as above.
 */
int store_file_create(const char *path, char *message, size_t size);

#endif
