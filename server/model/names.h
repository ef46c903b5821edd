/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_MODEL_NAMES_H
#define SERVER_MODEL_NAMES_H

#include <stddef.h>

/*
 * The names of an enum's values, by value: what the database, exported data and people call
 * them. A value without a name has NULL.
 */

/** Returns the value called @name of @count @names, or -1 where none is. */
int names_find(const char *const *names, size_t count, const char *name);

#define NAMES_COUNT(names) (sizeof(names) / sizeof((names)[0]))
#define NAMES_FIND(names, name) names_find(names, NAMES_COUNT(names), name)

#endif
