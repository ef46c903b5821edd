/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_INDEX_WARNINGS_H
#define SERVER_INDEX_WARNINGS_H

#include <stddef.h>

/* Text for people, with a line for each thing that is wrong. */
struct warnings {
	char text[4096];
	size_t length;
};

/** Adds a line; when there are too many, says so and drops it. */
void warnings_add(struct warnings *warnings, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/** Adds all lines of @more. */
void warnings_add_all(struct warnings *warnings, const struct warnings *more);

#endif
