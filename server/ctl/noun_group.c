/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups of devices across folders. */
#include <stdio.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/noun.h"
#include "server/store/groups.h"

static const struct ctl_option opt_force = { "force", NULL, "also a group with assignments" };

static const struct named named_group = { "group", group_find };

/* A group that a verb works on. */
struct named_group {
	uint64_t id;
	char name[NAME_SIZE];
	unsigned int changed; /* so many devices joined or left */
};

static int find_named(struct ctl *ctl, const char *word, struct named_group *s)
{
	int status = ctl_find_group(ctl, word, &s->id);

	if (status == 0 && group_name(&ctl->store, s->id, s->name))
		status = ctl_store_error(ctl);
	return status;
}

/* --- members --------------------------------------------------------------- */

static int join_device(struct ctl *ctl, const struct device *device, void *data)
{
	struct named_group *s = data;
	int rc = group_join(&ctl->store, s->id, device->id);

	if (rc == ERR_REFUSED)
		return 0; /* it is one already */
	if (rc)
		return ctl_store_error(ctl);
	s->changed++;
	return ctl_add_event(ctl, device->id, "joined", "group %s", s->name);
}

static int leave_device(struct ctl *ctl, const struct device *device, void *data)
{
	struct named_group *s = data;
	int rc = group_leave(&ctl->store, s->id, device->id);

	if (rc == ERR_NOT_FOUND)
		return ctl_error(EXIT_FAULT, "%s is not in group %s", device->name, s->name);
	if (rc)
		return ctl_store_error(ctl);
	s->changed++;
	return ctl_add_event(ctl, device->id, "left", "group %s", s->name);
}

static int join_group(struct ctl *ctl, struct named_group *s)
{
	int status = find_named(ctl, ctl->words[0], s);

	return status ? status : ctl_each_device(ctl, 1, ctl->word_count, join_device, s);
}

static int leave_group(struct ctl *ctl, struct named_group *s)
{
	int status = find_named(ctl, ctl->words[0], s);

	return status ? status : ctl_each_device(ctl, 1, ctl->word_count, leave_device, s);
}

static int change_members(struct ctl *ctl, int (*how)(struct ctl *ctl, struct named_group *),
                          const char *done)
{
	struct named_group s = { 0 };
	int status = CTL_TRANSACTION(ctl, how(ctl, &s));

	return status ? status : ctl_say(ctl, json_pack("{s:s, s:i}", "group", s.name, done,
	                                                (int)s.changed),
	                                 "%u %s group %s", s.changed, done, s.name);
}

static int ctl_group_join(struct ctl *ctl)
{
	return change_members(ctl, join_group, "joined");
}

static int ctl_group_leave(struct ctl *ctl)
{
	return change_members(ctl, leave_group, "left");
}

/* --- add, rename, remove --------------------------------------------------- */

static int add_group(struct ctl *ctl, struct named_group *s)
{
	int status = ctl_check_free_name(ctl, &named_group, ctl->words[0], 0);

	if (status)
		return status;
	text_format(s->name, sizeof(s->name), "%s", ctl->words[0]);
	if (group_add(&ctl->store, s->name, &s->id))
		return ctl_store_error(ctl);
	return ctl_each_device(ctl, 1, ctl->word_count, join_device, s);
}

static int ctl_group_add(struct ctl *ctl)
{
	struct named_group s = { 0 };
	int status = CTL_TRANSACTION(ctl, add_group(ctl, &s));

	return status ? status : ctl_say(ctl, json_pack("{s:s, s:i}", "group", s.name, "joined",
	                                                (int)s.changed),
	                                 "group %s added, with %u device%s", s.name, s.changed,
	                                 ctl_plural(s.changed));
}

static int rename_group(struct ctl *ctl, struct named_group *s)
{
	int status = find_named(ctl, ctl->words[0], s);

	if (status == 0)
		status = ctl_check_free_name(ctl, &named_group, ctl->words[1], s->id);
	if (status == 0 && group_rename(&ctl->store, s->id, ctl->words[1]))
		status = ctl_store_error(ctl);
	return status;
}

static int ctl_group_rename(struct ctl *ctl)
{
	struct named_group s = { 0 };
	int status = CTL_TRANSACTION(ctl, rename_group(ctl, &s));

	return status ? status : ctl_say(ctl, json_pack("{s:s, s:s}", "was", s.name, "group",
	                                                ctl->words[1]),
	                                 "group %s is now %s", s.name, ctl->words[1]);
}

static int remove_group(struct ctl *ctl, const char *word, struct ctl_done *done)
{
	struct assignment_filter filter = { .level = LEVEL_GROUP };
	struct assignment_row assigned;
	struct named_group s = { 0 };
	int rc, status = find_named(ctl, word, &s);

	if (status)
		return status;
	filter.owner = s.id;
	rc = assignment_find(&ctl->store, &filter, &assigned);
	if (rc == 0 && !ctl_given(ctl, &opt_force))
		return ctl_error(EXIT_FAULT, "group %s has bundle %s assigned; remove that with "
		                 "\"prebootctl assignment remove %llu\", or use --force", s.name,
		                 assigned.bundle_name, (unsigned long long)assigned.assignment.id);
	if ((rc && rc != ERR_NOT_FOUND) || group_remove(&ctl->store, s.id))
		return ctl_store_error(ctl);
	return ctl_add_removed(done, "group", s.name);
}

static int ctl_group_remove(struct ctl *ctl)
{
	return ctl_change_each(ctl, ctl->word_count, remove_group);
}

/* --- list and show --------------------------------------------------------- */

static int ctl_group_list(struct ctl *ctl)
{
	struct table table = { .columns = 3 };
	json_t *array = json_array();
	struct group_row row;
	struct store_rows *rows;
	int rc = group_list(&ctl->store, 0, &rows);

	table_add(&table, "GROUP", "DEVICES", "ASSIGNMENTS");
	while (store_next(rows, &rc)) {
		char devices[24], assignments[24];

		group_row(rows, &row);
		text_format(devices, sizeof(devices), "%" PRIu64, row.devices);
		text_format(assignments, sizeof(assignments), "%" PRIu64, row.assignments);
		table_add(&table, row.name, devices, assignments);
		json_array_append_new(array, json_pack("{s:s, s:I, s:I}", "group", row.name,
		                      "devices", (json_int_t)row.devices, "assignments",
		                      (json_int_t)row.assignments));
	}
	return ctl_answer_list(ctl, rc, &table, array);
}

static int show_group(struct ctl *ctl, const char *word, json_t *array)
{
	struct owner owner = { .level = LEVEL_GROUP };
	json_t *object, *devices;
	struct named_group s = { 0 };
	struct device device;
	struct store_rows *rows;
	int rc, status = find_named(ctl, word, &s);

	if (status)
		return status;
	devices = json_array();
	owner.id = s.id;
	rc = group_devices(&ctl->store, s.id, &rows);
	while (store_next(rows, &rc)) {
		device_row(rows, &device);
		json_array_append_new(devices, json_string(device.name));
	}
	object = ctl_json_owned(ctl, &owner);
	json_object_del(object, "settings");
	json_object_set_new(object, "group", json_string(s.name));
	json_object_set_new(object, "devices", devices);
	if (rc == 0 && ctl->json) {
		json_array_append(array, object);
	} else if (rc == 0) {
		printf("group %s\n", s.name);
		ctl_print_names("devices", devices);
		ctl_print_owned(object);
	}
	json_decref(object);
	return rc ? ctl_store_error(ctl) : 0;
}

static int ctl_group_show(struct ctl *ctl)
{
	return ctl_show_each(ctl, show_group);
}

/* --- the noun --------------------------------------------------------------- */

static const struct verb verbs[] = {
	{ .name = "add", .alias = "new", .run = ctl_group_add, .min = 1, .max = NO_LIMIT,
	  .database = DB_CREATE, .usage = "NAME [TARGET]...",
	  .help = "Add a group of devices, which may be in any folders." },
	{ .name = "list", .alias = "ls", .run = ctl_group_list, .help = "List the groups." },
	{ .name = "show", .alias = "info", .run = ctl_group_show, .min = 1, .max = NO_LIMIT,
	  .usage = "GROUP...",
	  .help = "Show the devices in each group, and what is assigned to it." },
	{ .name = "join", .run = ctl_group_join, .min = 2, .max = NO_LIMIT,
	  .usage = "GROUP TARGET...", .help = "Put devices into a group." },
	{ .name = "leave", .run = ctl_group_leave, .min = 2, .max = NO_LIMIT,
	  .usage = "GROUP TARGET...", .help = "Take devices out of a group." },
	{ .name = "rename", .alias = "mv", .run = ctl_group_rename, .min = 2, .max = 2,
	  .usage = "GROUP NEWNAME", .help = "Give a group another name." },
	{ .name = "remove", .alias = "delete", .run = ctl_group_remove, .min = 1, .max = NO_LIMIT,
	  .options = OPTIONS(&opt_force), .usage = "GROUP... [--force]",
	  .help = "Delete groups, all or none; their devices stay. A group that has assignments is "
	          "refused without --force." },
	{ .run = NULL },
};

const struct noun noun_group = {
	.name = "group", .about = "devices across folders", .verbs = verbs,
};
