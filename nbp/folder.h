/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_FOLDER_H
#define NBP_FOLDER_H

#include <stddef.h>

/* Folders in the names of files, of which TFTP knows nothing. */

/** Returns how much of @name is its folder: all to the last '/' or, on Windows, '\\'. */
size_t folder_length(const char *name);

/**
 * Returns how much of its boot file's @name PXELINUX puts before all others: all to
 * the last character that is no letter, digit, '.' or '-', so of "a/b_c" it is "a/b_".
 */
size_t folder_by_pxelinux(const char *name);

#endif
