/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_TOOL_WHOLE_FILE_H
#define SERVER_TOOL_WHOLE_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* A file that appears under its name whole, or not at all. */
struct whole_file {
	const char *path;          /* the caller's */
	char fresh[PATH_MAX];      /* the unfinished file; empty: there is none */
	char message[PATH_MAX + 200]; /* for people: the last failure */
};

/**
 * Makes an empty file of mode 0600 beside @path, which must outlive @file.
 * Returns 0 or ERR_IO, and then file->message explains.
 */
int whole_file_start(struct whole_file *file, const char *path);

/**
 * Makes what was written durable and gives it its name.
 * @replace: an older file of that name is replaced
 * Returns 0, ERR_REFUSED (there is a file of this name) or ERR_IO; the fresh file
 * is gone then.
 */
int whole_file_finish(struct whole_file *file, bool replace);

/** Removes the unfinished file; harmless where none is under way. */
void whole_file_drop(struct whole_file *file);

#endif
