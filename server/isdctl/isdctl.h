/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_ISDCTL_ISDCTL_H
#define SERVER_ISDCTL_ISDCTL_H

#include <jansson.h>

#include "server/isdctl/isd_file.h"

/* What the parts of isdctl share. */

enum { EXIT_FAULT = 1, EXIT_USAGE = 2 };

struct isdctl {
	bool json, force;
	struct isd_file_options open;
	struct isd_file file;
	struct isd_place place;
	char **words;
	int word_count;
};

/** Prints "isdctl: ..." to standard error; returns @status. */
int fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Names what isd_decode() says of a copy. */
const char *isdctl_state(int state);

/** The verb "show": prints all fields, or those that are named. Returns an exit status. */
int isdctl_show(struct isdctl *c);

/** The verb "save": writes the copy that counts to a new file. Returns an exit status. */
int isdctl_save(struct isdctl *c);

/**
 * Reads what isdctl_save() wrote, and decodes it.
 * Returns 0, or an exit status after having told why.
 */
int isdctl_read_saved(const char *path, struct isd *isd, uint8_t copy[ISD_COPY_SIZE]);

/** Prints @value, and frees it. Returns an exit status. */
int isdctl_print_json(json_t *value);

/** All fields but the secret ones as JSON. */
json_t *isdctl_json(const struct isdctl *c);

#endif
