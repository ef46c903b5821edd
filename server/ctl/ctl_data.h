/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_CTL_CTL_DATA_H
#define SERVER_CTL_CTL_DATA_H

#include "server/ctl/ctl.h"

/* What the verbs that move data share. */

/**
 * Reads a whole file, "-": standard input, into memory that the caller frees; it
 * has a NUL after it. Returns NULL after saying why.
 */
char *ctl_read_file(const char *path, size_t *length);

/** Prints the devices that a list is to have as comma-separated values. Returns an exit status. */
int ctl_put_csv(struct ctl *ctl);

#endif
