/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_REAL_PATH_H
#define SERVER_DAEMON_REAL_PATH_H

/**
 * Finds the one name of the file at @path, which need not be there yet: absolute and without
 * symbolic links.
 * Returns @out, of PATH_MAX bytes; or a path that leads nowhere, as who opens it will say:
 * @path, or where its links end.
 */
const char *real_path(const char *path, char *out);

/** Copies the folder of @path, "." if it names none, to @out of PATH_MAX bytes. */
void path_folder(const char *path, char *out);

#endif
