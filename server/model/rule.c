/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/model/rule.h"

#include "nbp/proto/error.h"
#include "server/model/names.h"

/* The database holds these, so they must not change. */
static const char *const names[] = {
	[RULE_KNOWN] = "known", [RULE_UNKNOWN] = "unknown", [RULE_BOTH] = "both",
};

const char *rule_applies_name(enum rule_applies applies)
{
	return names[applies];
}

int rule_applies_parse(const char *name, enum rule_applies *applies)
{
	int value = NAMES_FIND(names, name);

	if (value < 0)
		return ERR_NOT_FOUND;
	*applies = (enum rule_applies)value;
	return 0;
}
