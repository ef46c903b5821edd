/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_MODEL_RULE_H
#define SERVER_MODEL_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "server/model/bundle.h"

/* Which machines without an assignment get a bundle. */

struct filter;

#define FILTER_TEXT 1024 /* bytes of a filter as text, with the NUL */

enum rule_applies { RULE_KNOWN = 1, RULE_UNKNOWN = 2, RULE_BOTH = 3 };

struct rule {
	uint64_t id;
	const struct bundle *bundle;
	char name[NAME_SIZE];
	enum rule_applies applies; /* to devices, to unknown machines */
	bool repeat;               /* also where the machine has had the bundle */
	bool enabled;              /* no: it is skipped */
	struct filter *filter;     /* NULL, where it is not */
};

/* The names of what rules apply to, by value; none has the value 0; NULL past the last. */
extern const char *const rule_applies_names[];

/** Returns the name of what a rule applies to, in static memory. */
const char *rule_applies_name(enum rule_applies applies);
/** Finds it by that name. Returns 0 or ERR_NOT_FOUND. */
int rule_applies_parse(const char *name, enum rule_applies *applies);

#endif
