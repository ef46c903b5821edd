/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl_verbs.h"
#include "server/store/groups.h"

/* A group that a verb works on. */
struct named {
	uint64_t id;
	char name[NAME_SIZE];
	unsigned int changed; /* so many devices joined or left */
};

static int find_subject(struct ctl *ctl, struct named *s)
{
	int status = ctl_find_group(ctl, ctl->words[0], &s->id);

	if (status == 0 && group_name(&ctl->store, s->id, s->name))
		status = ctl_store_error(ctl);
	return status;
}

/* Refuses a name that may not be, or that another group than @id has. */
static int check_name(struct ctl *ctl, const char *name, uint64_t id)
{
	uint64_t other;
	int rc = group_find(&ctl->store, name, &other);

	if (rc == 0 && other == id)
		rc = ERR_NOT_FOUND;
	return ctl_check_name(ctl, rc, name, "group");
}

/* --- members --------------------------------------------------------------- */

static int join_one(struct ctl *ctl, const struct device *device, void *data)
{
	struct named *s = data;
	int rc = group_join(&ctl->store, s->id, device->id);

	if (rc == ERR_REFUSED)
		return 0; /* it is one already */
	if (rc)
		return ctl_store_error(ctl);
	s->changed++;
	return ctl_happened(ctl, device->id, "joined", "group %s", s->name);
}

static int leave_one(struct ctl *ctl, const struct device *device, void *data)
{
	struct named *s = data;
	int rc = group_leave(&ctl->store, s->id, device->id);

	if (rc == ERR_NOT_FOUND)
		return ctl_error(EXIT_FAULT, "%s is not in group %s", device->name, s->name);
	if (rc)
		return ctl_store_error(ctl);
	s->changed++;
	return ctl_happened(ctl, device->id, "left", "group %s", s->name);
}

static int joining(struct ctl *ctl, void *data)
{
	int status = find_subject(ctl, data);

	return status ? status : ctl_each_device(ctl, 1, ctl->word_count, join_one, data);
}

static int leaving(struct ctl *ctl, void *data)
{
	int status = find_subject(ctl, data);

	return status ? status : ctl_each_device(ctl, 1, ctl->word_count, leave_one, data);
}

static int change_members(struct ctl *ctl, int (*how)(struct ctl *ctl, void *data),
                          const char *done)
{
	struct named s = { 0 };
	int status = ctl_transaction(ctl, how, &s);

	return status ? status : ctl_say(ctl, json_pack("{s:s, s:i}", "group", s.name, done,
	                                                (int)s.changed),
	                                 "%u %s group %s", s.changed, done, s.name);
}

int ctl_group_join(struct ctl *ctl)
{
	return change_members(ctl, joining, "joined");
}

int ctl_group_leave(struct ctl *ctl)
{
	return change_members(ctl, leaving, "left");
}

/* --- add, rename, remove --------------------------------------------------- */

static int adding(struct ctl *ctl, void *data)
{
	struct named *s = data;
	int status = check_name(ctl, ctl->words[0], 0);

	if (status)
		return status;
	text_format(s->name, sizeof(s->name), "%s", ctl->words[0]);
	if (group_add(&ctl->store, s->name, &s->id))
		return ctl_store_error(ctl);
	return ctl_each_device(ctl, 1, ctl->word_count, join_one, s);
}

int ctl_group_add(struct ctl *ctl)
{
	struct named s = { 0 };
	int status = ctl_transaction(ctl, adding, &s);

	return status ? status : ctl_say(ctl, json_pack("{s:s, s:i}", "group", s.name, "joined",
	                                                (int)s.changed),
	                                 "group %s added, with %u devices", s.name, s.changed);
}

static int renaming(struct ctl *ctl, void *data)
{
	struct named *s = data;
	int status = find_subject(ctl, s);

	if (status == 0)
		status = check_name(ctl, ctl->words[1], s->id);
	if (status == 0 && group_rename(&ctl->store, s->id, ctl->words[1]))
		status = ctl_store_error(ctl);
	return status;
}

int ctl_group_rename(struct ctl *ctl)
{
	struct named s = { 0 };
	int status = ctl_transaction(ctl, renaming, &s);

	return status ? status : ctl_say(ctl, json_pack("{s:s, s:s}", "was", s.name, "group",
	                                                ctl->words[1]),
	                                 "group %s is now %s", s.name, ctl->words[1]);
}

static int removing(struct ctl *ctl, void *data)
{
	struct named *s = data;
	struct assignment_filter filter = { .level = LEVEL_GROUP };
	struct assignment_row assigned;
	int rc, status = find_subject(ctl, s);

	if (status)
		return status;
	filter.owner = s->id;
	rc = assignment_find(&ctl->store, &filter, &assigned);
	if (rc == 0 && !ctl_given(ctl, OPT_FORCE))
		return ctl_error(EXIT_FAULT, "group %s has bundle %s assigned; remove that with "
		                 "\"prebootctl assignment remove %llu\", or use --force", s->name,
		                 assigned.bundle_name, (unsigned long long)assigned.assignment.id);
	if ((rc && rc != ERR_NOT_FOUND) || group_remove(&ctl->store, s->id))
		return ctl_store_error(ctl);
	return 0;
}

int ctl_group_remove(struct ctl *ctl)
{
	struct named s = { 0 };
	int status = ctl_transaction(ctl, removing, &s);

	return status ? status : ctl_say(ctl, json_pack("{s:s}", "removed", s.name),
	                                 "group %s removed", s.name);
}

/* --- list and show --------------------------------------------------------- */

int ctl_group_list(struct ctl *ctl)
{
	struct table table = { .columns = 3 };
	json_t *array = json_array();
	struct group_row row;
	sqlite3_stmt *rows;
	int rc = group_list(&ctl->store, 0, &rows);

	table_add(&table, "GROUP", "DEVICES", "ASSIGNMENTS");
	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		char devices[24], assignments[24];

		group_row(rows, &row);
		text_format(devices, sizeof(devices), "%" PRIu64, row.devices);
		text_format(assignments, sizeof(assignments), "%" PRIu64, row.assignments);
		table_add(&table, row.name, devices, assignments);
		json_array_append_new(array, json_pack("{s:s, s:I, s:I}", "group", row.name,
		                      "devices", (json_int_t)row.devices, "assignments",
		                      (json_int_t)row.assignments));
		rc = 0;
	}
	return ctl_answer_list(ctl, rc, &table, array);
}

int ctl_group_show(struct ctl *ctl)
{
	struct owner owner = { .level = LEVEL_GROUP };
	json_t *object, *devices;
	struct named s = { 0 };
	struct device device;
	sqlite3_stmt *rows;
	int rc, status = find_subject(ctl, &s);

	if (status)
		return status;
	devices = json_array();
	owner.id = s.id;
	rc = group_devices(&ctl->store, s.id, &rows);
	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		device_row(rows, &device);
		json_array_append_new(devices, json_string(device.name));
		rc = 0;
	}
	object = ctl_json_owned(ctl, &owner);
	json_object_del(object, "settings");
	json_object_set_new(object, "group", json_string(s.name));
	json_object_set_new(object, "devices", devices);
	if (rc == 0 && ctl->json) {
		ctl_print_json(json_incref(object));
	} else if (rc == 0) {
		printf("group %s\n", s.name);
		ctl_print_names("devices", devices);
		ctl_print_owned(object);
	}
	json_decref(object);
	return rc ? ctl_store_error(ctl) : 0;
}
