/* SPDX-License-Identifier: BSD-2-Clause */
/* What the rule that made a job compares, one comparison a line. */
#include "server/ctl/noun_explain_rule.h"

#include <stdio.h>

#include "nbp/proto/error.h"
#include "server/store/rules.h"

static void add_comparison(void *data, const struct filter_comparison *c)
{
	json_array_append_new(data, json_pack(
		"{s:s, s:o, s:s}", "comparison", c->text,
		"matches", c->known ? json_boolean(c->matches) : json_null(), "because", c->found));
}

static json_t *compare_rule(const struct rule_row *row, const struct subject *subject)
{
	json_t *comparisons = json_array();
	struct filter_error error;
	struct filter *filter = filter_parse(row->filter, &error);

	if (filter)
		filter_compare_each(filter, subject, add_comparison, comparisons);
	filter_free(filter);
	return json_pack("{s:s, s:s, s:o}", "rule", row->rule.name, "filter", row->filter,
	                 "comparisons", comparisons);
}

json_t *explain_rule_compare(struct ctl *ctl, uint64_t rule, const struct subject *subject)
{
	json_t *made_by = NULL;
	struct rule_row row;
	struct store_rows *rows;
	int rc = rule_list(&ctl->store, &rows);

	while (store_next(rows, &rc)) {
		rule_row(rows, &row);
		if (row.rule.id == rule && !made_by)
			made_by = compare_rule(&row, subject);
	}
	if (rc == 0)
		return made_by ? made_by : json_null();
	json_decref(made_by);
	return NULL;
}

void explain_rule_print(const json_t *made_by)
{
	const json_t *comparisons = json_object_get(made_by, "comparisons"), *one;
	size_t i;

	if (!made_by || json_is_null(made_by))
		return;
	printf("\nwhen the job was made by rule %s, it compared, here by the last request:\n",
	       json_string_value(json_object_get(made_by, "rule")));
	if (json_array_size(comparisons) == 0)
		puts("    nothing: it is for every machine");
	json_array_foreach(comparisons, i, one) {
		const json_t *matches = json_object_get(one, "matches");

		printf("    %-7s  %s (%s)\n", json_is_null(matches) ? "unknown"
		       : json_is_true(matches) ? "yes" : "no",
		       json_string_value(json_object_get(one, "comparison")),
		       json_string_value(json_object_get(one, "because")));
	}
}
