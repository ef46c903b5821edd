/* SPDX-License-Identifier: BSD-2-Clause */
/* What was assigned to and set for a device, folder or group. */
#include "nbp/proto/text.h"
#include "server/ctl/ctl.h"
#include "server/store/settings.h"

void ctl_assignment_when(const struct assignment *assignment, char *out, size_t size)
{
	char until[32];

	ctl_time(assignment->until, until, sizeof(until));
	if (assignment->mode == ASSIGN_UNTIL)
		text_format(out, size, "until %s", until);
	else
		text_format(out, size, "%s", assignment_mode_name(assignment->mode));
}

void ctl_assignment_target(struct ctl *ctl, const struct assignment *a, char out[CTL_OWNER])
{
	struct owner owner = { a->level, a->owner };

	ctl_owner_text(ctl, &owner, out);
}

json_t *ctl_json_assignment(struct ctl *ctl, const struct assignment_row *row)
{
	const struct assignment *a = &row->assignment;
	char target[CTL_OWNER], when[64];

	ctl_assignment_target(ctl, a, target);
	ctl_assignment_when(a, when, sizeof(when));
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:o, s:s, s:o}", "id", (json_int_t)a->id,
	                 "bundle", row->bundle_name, "level", level_name(a->level),
	                 "to", target, "mode", assignment_mode_name(a->mode), "until",
	                 ctl_json_time(a->until), "when", when, "added", ctl_json_time(a->added));
}

json_t *ctl_json_owned(struct ctl *ctl, const struct owner *owner)
{
	struct assignment_filter filter = { .level = owner->level, .owner = owner->id };
	json_t *settings = json_object(), *assignments = json_array();
	struct assignment_row row;
	char value[SETTING_TEXT];
	struct owner from;
	struct store_rows *rows;
	int rc = assignment_list(&ctl->store, &filter, &rows);

	while (store_next(rows, &rc)) {
		assignment_row(rows, &row);
		json_array_append_new(assignments, ctl_json_assignment(ctl, &row));
	}
	for (size_t i = 0; owner->level != LEVEL_GROUP && setting_key(i); i++)
		if (setting_read(&ctl->store, owner, i, value, &from) == 0 &&
		    from.level == owner->level && from.id == owner->id)
			json_object_set_new(settings, setting_key(i), json_string(value));
	return json_pack("{s:o, s:o}", "settings", settings, "assignments", assignments);
}

void ctl_print_owned(const json_t *owned)
{
	json_t *settings = json_object_get(owned, "settings"), *value;
	json_t *assignments = json_object_get(owned, "assignments");
	const char *key;
	size_t i;

	json_object_foreach(settings, key, value)
		ctl_line(key, "%s", json_string_value(value));
	json_array_foreach(assignments, i, value)
		ctl_line("assigned", "%s, %s", json_string_value(json_object_get(value, "bundle")),
		         json_string_value(json_object_get(value, "when")));
}
