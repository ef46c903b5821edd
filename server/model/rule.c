/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/model/rule.h"

#include "nbp/proto/error.h"
#include "server/model/names.h"

/* The database holds these, so they must not change. */
const char *const rule_applies_names[] = {
	[RULE_KNOWN] = "known", [RULE_UNKNOWN] = "unknown", [RULE_BOTH] = "both", NULL,
};

const char *rule_applies_name(enum rule_applies applies)
{
	return rule_applies_names[applies];
}

int rule_applies_parse(const char *name, enum rule_applies *applies)
{
	int value = NAMES_FIND(rule_applies_names, name);

	if (value < 0)
		return ERR_NOT_FOUND;
	*applies = (enum rule_applies)value;
	return 0;
}
