/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_CTL_CTL_DATA_H
#define SERVER_CTL_CTL_DATA_H

#include "server/ctl/ctl.h"
#include "server/transfer/import_errors.h"

/* What the verbs that move data share. */

/**
 * Reads a whole file, "-": standard input, into memory that the caller frees; it
 * has a NUL after it. Returns NULL after saying why.
 */
char *ctl_read_file(const char *path, size_t *length);

/**
 * Ends an import that is refused: reports @errors, of @file, each as "FILE:LINE:COLUMN: text", or
 * in the JSON that reports that @nothing was done. Returns EXIT_FAULT.
 */
int ctl_import_refused(struct ctl *ctl, const char *file, const struct import_errors *errors,
                       const char *nothing);
/** Reports the warnings of an import that was done: as lines, or in @object as "warnings". */
void ctl_import_warnings(struct ctl *ctl, const char *file, const struct import_errors *errors,
                         json_t *object);

/** Prints the devices that a list is to have as comma-separated values. Returns an exit status. */
int ctl_put_csv(struct ctl *ctl);

#endif
