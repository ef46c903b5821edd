/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_CTL_NOUN_EXPLAIN_RULE_H
#define SERVER_CTL_NOUN_EXPLAIN_RULE_H

#include "server/ctl/ctl.h"
#include "server/filter/filter.h"

/**
 * Compares a machine with the rule that made its open job, as the rule is now.
 * Returns {"rule": ..., "filter": ..., "comparisons": [{"comparison": ..., "matches": ...,
 * "because": ...}, ...]}, where matches is null of what is unknown; null if there is no such rule
 * any more; NULL after a failure of the store.
 */
json_t *explain_rule_compare(struct ctl *ctl, uint64_t rule, const struct subject *subject);

/** Prints that as lines of text, nothing if it is null. */
void explain_rule_print(const json_t *made_by);

#endif
