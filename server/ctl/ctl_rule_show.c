/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "nbp/proto/text.h"
#include "server/ctl/ctl_verbs.h"
#include "server/store/rules.h"

json_t *ctl_json_rule(const struct rule_row *row)
{
	return json_pack("{s:i, s:s, s:s, s:s, s:s, s:b, s:b}", "position", (int)row->position,
	                 "rule", row->rule.name, "bundle", row->bundle_name, "applies",
	                 rule_applies_name(row->rule.applies), "filter", row->filter, "repeat",
	                 row->rule.repeat, "enabled", row->enabled);
}

static const char *state_text(const struct rule_row *row)
{
	if (!row->enabled)
		return "off";
	return row->rule.repeat ? "repeats" : "on";
}

int ctl_rule_list(struct ctl *ctl)
{
	struct table table = { .columns = 6 };
	json_t *array = json_array();
	struct rule_row row;
	sqlite3_stmt *rows;
	int rc = rule_list(&ctl->store, &rows);

	table_add(&table, "NO", "RULE", "FOR", "BUNDLE", "STATE", "FILTER");
	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		char position[16];

		rule_row(rows, &row);
		text_format(position, sizeof(position), "%u", row.position);
		table_add(&table, position, row.rule.name, rule_applies_name(row.rule.applies),
		          row.bundle_name, state_text(&row),
		          row.filter[0] ? row.filter : "(every machine)");
		json_array_append_new(array, ctl_json_rule(&row));
		rc = 0;
	}
	return ctl_answer_list(ctl, rc, &table, array);
}

int ctl_rule_show(struct ctl *ctl)
{
	struct rule_row row;
	int status = ctl_find_rule(ctl, ctl->words[0], &row);

	if (status)
		return status;
	if (ctl->json) {
		ctl_print_json(ctl_json_rule(&row));
		return 0;
	}
	printf("rule %s\n", row.rule.name);
	ctl_line("position", "%u", row.position);
	ctl_line("state", "%s", row.enabled ? "enabled" : "disabled");
	ctl_line("for", "%s machines", row.rule.applies == RULE_BOTH
	                               ? "known and unknown" : rule_applies_name(row.rule.applies));
	ctl_line("bundle", "%s", row.bundle_name);
	ctl_line("repeat", "%s", row.rule.repeat ? "yes" : "no: not where a machine has had it");
	ctl_line("filter", "%s", row.filter[0] ? row.filter : "(every machine)");
	return 0;
}
