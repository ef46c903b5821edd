/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_FILTER_FILTER_H
#define SERVER_FILTER_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "nbp/proto/message.h"
#include "server/model/rule.h"

/*
 * What a rule says of the machines it is for, as in
 *
 *   manufacturer = "Dell Inc." and memory >= 8G and not (product starts-with Latitude)
 *
 * server/rules.md gives the grammar and the facts that can be compared.
 */

/* What a filter looks at. */
struct subject {
	const struct request *request;
	const char *address; /* the IP address that it asks from, as text */
	const char *name;    /* the device's; "" if unknown */
};

struct filter; /* read-only once parsed: threads may share it */

struct filter_error {
	size_t column;     /* from 1 */
	char message[160]; /* "expected ..." and what is there instead */
};

/**
 * Parses @text; an empty one matches every machine.
 * Returns the filter, to be freed with filter_free(), or NULL with *@error set.
 */
struct filter *filter_parse(const char *text, struct filter_error *error);

void filter_free(struct filter *filter);

/**
 * Says whether @filter matches.
 * @because: NULL, or receives a phrase that says which comparison decided it
 */
bool filter_match(const struct filter *filter, const struct subject *subject,
                  char because[REASON_SIZE]);

/* One comparison of a filter, as "memory >= 8G". */
struct filter_comparison {
	char text[FILTER_TEXT];
	bool known, matches;         /* what it compares is known; and it matches */
	char found[TEXT_SIZE + 24];  /* "it is 4096 MiB" */
};

/** Calls @see for each comparison of @filter, in their order; one after "not" as it stands. */
void filter_compare_each(const struct filter *filter, const struct subject *subject,
                         void (*see)(void *data, const struct filter_comparison *comparison),
                         void *data);

/** Returns the name of the fact at @index, from 0, or NULL past the last. */
const char *filter_fact(size_t index);
/** Says, in static memory, what that fact is, with its kind: number or text. */
const char *filter_fact_help(size_t index);

#endif
