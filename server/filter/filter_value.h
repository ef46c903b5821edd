/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_FILTER_FILTER_VALUE_H
#define SERVER_FILTER_FILTER_VALUE_H

#include "server/filter/filter_facts.h"

/* What a fact is compared with, and how. */

/** Says whether @fact can be compared by @operator. */
bool filter_takes(const struct fact *fact, enum operator operator);

/** Names the operators that @fact takes, in static memory: "one of = <>". */
const char *filter_operators(const struct fact *fact);

/**
 * Reads the value of @node, a comparison of @fact in @text.
 * Returns 0, or ERR_MALFORMED with @expected saying what it must be.
 */
int filter_value(const struct fact *fact, const char *text, struct node *node, char *expected,
                 size_t size);

/** Says whether a word is a unit of sizes, as GB is in "8 GB". */
bool filter_is_unit(const char *word, size_t length);

#endif
