/* SPDX-License-Identifier: BSD-2-Clause */
/* Work for machines that look like those of a rule. */
#include <strings.h>

#include "nbp/proto/text.h"
#include "server/policy/choosing.h"

/* Says whether the rule's bundle has been on the machine, and how that is known. */
static bool repeats(struct choosing *c, const struct rule *rule)
{
	const struct chooser *who = c->who;
	const struct request *r = who->request;
	enum past past = who->entry ? entry_past(who->entry, PAST_OF_BUNDLE,
	                                         rule->bundle->id) : PAST_NONE;

	/* What fails again and again must end in local boot, whatever the rule says. */
	if (past == PAST_FAILED || (past != PAST_NONE && !rule->repeat))
		choosing_had(c, past, "it has had it already");
	else if (rule->repeat)
		return false;
	else if (r->isd_state == ISD_VALID && r->isd_image[0] &&
	         strcasecmp(r->isd_image, rule->bundle->image) == 0)
		choosing_pass(c, "its image-safe data say that it has image %s", r->isd_image);
	else
		return false;
	return true;
}

/* Says whether the rule speaks of the machine. Its bundle must be for the firmware, too. */
static bool matches(struct choosing *c, const struct rule *rule, bool *noted)
{
	const struct chooser *who = c->who;
	const struct subject subject = {
		.request = who->request,
		.address = who->address,
		.name = who->entry ? entry_name(who->entry) : "",
	};
	char why[REASON_SIZE];

	/* Why it does not match takes long to write, and is for explanations only. */
	if (!filter_match(rule->filter, &subject, c->tell ? why : NULL))
		return c->tell && choosing_pass(c, "no match: %s", why);
	*noted = true;
	if (!choosing_loader(c))
		return false;
	filter_match(rule->filter, &subject, why);
	choosing_pass(c, "%s", why);
	return true;
}

/* *@noted: it is worth telling that it is not taken */
static bool take_rule(struct choosing *c, const struct rule *rule, bool *noted)
{
	const struct chooser *who = c->who;

	*noted = false;
	if (!(rule->applies & (who->entry ? RULE_KNOWN : RULE_UNKNOWN)))
		return choosing_pass(c, "it is for %s machines", who->entry ? "unknown" : "known");
	if (c->had_count)
		return choosing_pass(c, "it is for machines without an assignment");
	if (c->matched)
		return choosing_pass(c, "rule %s before it matches", c->matched->name);
	if (!who->request) {
		*noted = true;
		return choosing_pass(c, "nothing is known of the machine's hardware");
	}
	if (!matches(c, rule, noted))
		return false;
	c->matched = rule;
	return !repeats(c, rule);
}

void choose_rules(struct choosing *c)
{
	bool any = c->who->entry ? c->policy->rules_for_known : c->policy->rules_for_unknown;

	if (!any && !c->tell)
		return;
	for (size_t i = 0; i < c->policy->rule_count && !choosing_over(c); i++) {
		const struct rule *rule = &c->policy->rules[i];
		bool take, noted = false;

		if (!rule->enabled && !c->tell)
			continue;
		choosing_begin(c, SOURCE_RULE, rule->id, rule->bundle);
		take = rule->enabled ? !choosing_late(c) && take_rule(c, rule, &noted)
		                     : choosing_pass(c, "it is disabled");
		if (c->tell || take)
			text_format(c->candidate.origin, sizeof(c->candidate.origin), "rule %s",
			            rule->name);
		choosing_end(c, take, noted);
	}
}
