/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_FOLDER_H
#define NBP_FOLDER_H

#include <stddef.h>

/* The folder in a file's name. TFTP itself knows only names. */

/** Returns the length of the folder in @name: up to the last '/' or, from Windows, '\\'. */
size_t folder_length(const char *name);

/**
 * Returns the length of what PXELINUX takes for the folder in its boot file's @name: up
 * to the last character that is no letter, digit, '.' or '-'; of "a/b_c" that is "a/b_".
 */
size_t folder_by_pxelinux(const char *name);

#endif
