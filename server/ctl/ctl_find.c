/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding what words name, devices, folders and so on, and the devices that targets stand for. */
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl.h"
#include "server/store/groups.h"
#include "server/store/jobs.h"

#define GROUP_PREFIX "group:"

const struct ctl_option opt_group = { "group", "GROUP", "only the devices in this group" };
const struct ctl_option opt_seen = {
	"seen", NULL, "only the devices that have ever asked, the last one first"
};

bool ctl_is_job_number(const char *word)
{
	/* Twelve digits may be a MAC; job numbers do not get that long. */
	return word[0] && strspn(word, "0123456789") == strlen(word) && strlen(word) < 12;
}

bool ctl_is_set(const char *word)
{
	return word[0] == '/' || strncmp(word, GROUP_PREFIX, strlen(GROUP_PREFIX)) == 0;
}

int ctl_found(struct ctl *ctl, int rc, const char *word, const char *what, const char *noun)
{
	if (rc == ERR_NOT_FOUND)
		return ctl_error(EXIT_FAULT, "unknown %s \"%s\"; see \"prebootctl %s list\"", what,
		                 word, noun);
	return rc ? ctl_store_error(ctl) : 0;
}

static int find_by_guid(struct ctl *ctl, const uint8_t guid[16], struct device *device)
{
	int rc = device_by_uuid(&ctl->store, guid, device);

	return rc == ERR_NOT_FOUND ? device_by_isd(&ctl->store, guid, device) : rc;
}

/* A word that names no device may name what else there is: a group, or an unknown machine. */
static int unknown_device(struct ctl *ctl, const char *word)
{
	uint8_t bytes[16];
	uint64_t group;

	if (text_parse_mac(word, bytes) == 0 || text_parse_uuid(word, bytes) == 0)
		return ctl_error(EXIT_FAULT, "unknown device \"%s\"; see \"prebootctl device "
		                 "list\", and \"prebootctl unknown list\" for machines that are no "
		                 "devices",
		                 word);
	if (group_find(&ctl->store, word, &group) == 0)
		return ctl_error(EXIT_FAULT,
		                 "unknown device \"%s\"; did you mean " GROUP_PREFIX "%s?",
		                 word, word);
	return ctl_found(ctl, ERR_NOT_FOUND, word, "device", "device");
}

int ctl_find_device(struct ctl *ctl, const char *word, struct device *device)
{
	uint8_t mac[6], uuid[16];
	int rc;

	if (text_parse_mac(word, mac) == 0)
		rc = device_by_mac(&ctl->store, mac, device);
	else if (text_parse_uuid(word, uuid) == 0)
		rc = find_by_guid(ctl, uuid, device);
	else if (device_name_ok(word))
		rc = device_by_name(&ctl->store, word, device);
	else
		return ctl_error(EXIT_USAGE, "%s: expected a device's name, MAC (as in "
		                 "52:54:00:12:34:56) or UUID", word);
	if (rc == ERR_NOT_FOUND)
		return unknown_device(ctl, word);
	return rc ? ctl_store_error(ctl) : 0;
}

int ctl_find_job(struct ctl *ctl, const char *word, struct device *device, struct job *job)
{
	int rc, status;

	if (ctl_is_job_number(word)) {
		rc = job_by_number(&ctl->store, strtoull(word, NULL, 10), job);
		if (rc == 0 && device_by_id(&ctl->store, job->device, device))
			return ctl_store_error(ctl);
		return ctl_found(ctl, rc, word, "job", "job");
	}
	status = ctl_find_device(ctl, word, device);
	if (status)
		return status;
	rc = job_newest(&ctl->store, device->id, job);
	if (rc == ERR_NOT_FOUND)
		return ctl_error(EXIT_FAULT, "device %s has no job", device->name);
	return rc ? ctl_store_error(ctl) : 0;
}

int ctl_find_folder(struct ctl *ctl, const char *path, uint64_t *id)
{
	int rc = folder_find(&ctl->store, path, id);

	if (rc == ERR_MALFORMED)
		return ctl_error(EXIT_USAGE, "%s: expected a folder's path, as in /site/lab", path);
	return ctl_found(ctl, rc, path, "folder", "folder");
}

int ctl_find_group(struct ctl *ctl, const char *name, uint64_t *id)
{
	int rc;

	if (strncmp(name, GROUP_PREFIX, strlen(GROUP_PREFIX)) == 0)
		name += strlen(GROUP_PREFIX);
	rc = group_find(&ctl->store, name, id);
	return ctl_found(ctl, rc, name, "group", "group");
}

int ctl_find_bundle(struct ctl *ctl, const char *name, struct bundle_whole *bundle)
{
	int rc = bundle_find(&ctl->store, name, bundle);

	return ctl_found(ctl, rc, name, "bundle", "bundle");
}

int ctl_find_rule(struct ctl *ctl, const char *name, struct rule_row *row)
{
	int rc = rule_find(&ctl->store, name, row);

	return ctl_found(ctl, rc, name, "rule", "rule");
}

int ctl_find_session(struct ctl *ctl, const char *name, struct multicast_row *row)
{
	int rc = multicast_find(&ctl->store, name, row);

	return ctl_found(ctl, rc, name, "session", "multicast");
}

int ctl_find_owner(struct ctl *ctl, const char *word, struct owner *owner)
{
	struct device device;
	int status;

	if (word[0] == '/') {
		status = ctl_find_folder(ctl, word, &owner->id);
		owner->level = owner->id ? LEVEL_FOLDER : LEVEL_GLOBAL;
		return status;
	}
	if (strncmp(word, GROUP_PREFIX, strlen(GROUP_PREFIX)) == 0) {
		owner->level = LEVEL_GROUP;
		return ctl_find_group(ctl, word, &owner->id);
	}
	owner->level = LEVEL_DEVICE;
	status = ctl_find_device(ctl, word, &device);
	owner->id = status ? 0 : device.id;
	return status;
}

void ctl_owner_text(struct ctl *ctl, const struct owner *owner, char out[CTL_OWNER])
{
	struct device device;
	char path[FOLDER_PATH], name[NAME_SIZE];

	text_format(out, CTL_OWNER, "/");
	if (owner->level == LEVEL_DEVICE && device_by_id(&ctl->store, owner->id, &device) == 0)
		text_format(out, CTL_OWNER, "%s", device.name);
	if (owner->level == LEVEL_FOLDER && folder_path(&ctl->store, owner->id, path) == 0)
		text_format(out, CTL_OWNER, "%s", path);
	if (owner->level == LEVEL_GROUP && group_name(&ctl->store, owner->id, name) == 0)
		text_format(out, CTL_OWNER, GROUP_PREFIX "%s", name);
}

/* --- the devices that a word stands for ------------------------------------ */

/*
 * Reads all devices that @rows has: what is done to them then may change that list.
 * @rc: of the function that started it
 */
static int collect_devices(struct ctl *ctl, int rc, struct store_rows *rows,
                           struct device **devices, size_t *count)
{
	*devices = NULL;
	*count = 0;
	while (store_next(rows, &rc)) {
		if ((*count & (*count - 1)) == 0) {
			size_t capacity = *count ? 2 * *count : 1;
			void *more = realloc(*devices, capacity * sizeof(**devices));

			if (!more) {
				store_end(rows);
				return ctl_error(EXIT_FAULT, "no memory");
			}
			*devices = more;
		}
		device_row(rows, *devices + (*count)++);
	}
	return rc ? ctl_store_error(ctl) : 0;
}

/* Calls @each for the devices that @rows has. @name: of where they are; NULL: there may be none */
static int call_for_rows(struct ctl *ctl, int rc, struct store_rows *rows, const char *name,
                         int (*each)(struct ctl *ctl, const struct device *device, void *data),
                         void *data)
{
	struct device *devices;
	size_t count;
	int status = collect_devices(ctl, rc, rows, &devices, &count);

	if (status == 0 && count == 0 && name)
		status = ctl_error(EXIT_FAULT, "%s has no devices", name);
	for (size_t i = 0; status == 0 && i < count; i++)
		status = each(ctl, &devices[i], data);
	free(devices);
	return status;
}

static int call_for_word(struct ctl *ctl, const char *word,
                         int (*each)(struct ctl *ctl, const struct device *device, void *data),
                         void *data)
{
	struct owner owner;
	struct device device;
	struct store_rows *rows = NULL;
	int rc, status = ctl_find_owner(ctl, word, &owner);

	if (status)
		return status;
	if (owner.level == LEVEL_DEVICE) {
		if (device_by_id(&ctl->store, owner.id, &device))
			return ctl_store_error(ctl);
		return each(ctl, &device, data);
	}
	rc = owner.level == LEVEL_GROUP ? group_devices(&ctl->store, owner.id, &rows)
	                                : folder_devices(&ctl->store, owner.id, &rows);
	return call_for_rows(ctl, rc, rows, word, each, data);
}

/* The devices that several words stand for, each once. */
struct device_list {
	struct device *devices; /* in the order of the words */
	uint64_t *ids;          /* theirs, in order */
	size_t count;
};

static int add_once(struct ctl *ctl, const struct device *device, void *data)
{
	struct device_list *list = data;
	size_t at = list->count;

	(void)ctl;
	/* Most lists are in the order of their ids, or nearly. */
	while (at && list->ids[at - 1] > device->id)
		at--;
	if (at && list->ids[at - 1] == device->id)
		return 0;
	if ((list->count & (list->count - 1)) == 0) {
		size_t size = list->count ? 2 * list->count : 1;
		void *ids = realloc(list->ids, size * sizeof(*list->ids));
		void *devices = realloc(list->devices, size * sizeof(*list->devices));

		list->ids = ids ? ids : list->ids;
		list->devices = devices ? devices : list->devices;
		if (!ids || !devices)
			return ctl_error(EXIT_FAULT, "not enough memory");
	}
	memmove(list->ids + at + 1, list->ids + at, (list->count - at) * sizeof(*list->ids));
	list->ids[at] = device->id;
	list->devices[list->count++] = *device;
	return 0;
}

int ctl_each_device(struct ctl *ctl, int first, int end,
                    int (*each)(struct ctl *ctl, const struct device *device, void *data),
                    void *data)
{
	struct device_list list = { .count = 0 };
	int status = 0;

	if (end - first == 1)
		return call_for_word(ctl, ctl->words[first], each, data);
	/* What is done to a device may change what the words after it stand for. */
	for (int i = first; status == 0 && i < end; i++)
		status = call_for_word(ctl, ctl->words[i], add_once, &list);
	for (size_t i = 0; status == 0 && i < list.count; i++)
		status = each(ctl, &list.devices[i], data);
	free(list.devices);
	free(list.ids);
	return status;
}

bool ctl_names_one(const struct ctl *ctl)
{
	return ctl->word_count == 1 && !ctl_is_set(ctl->words[0]);
}

int ctl_each_member(struct ctl *ctl, uint64_t session,
                    int (*each)(struct ctl *ctl, const struct device *device, void *data),
                    void *data)
{
	struct store_rows *rows = NULL;
	int rc = multicast_members(&ctl->store, session, &rows);

	return call_for_rows(ctl, rc, rows, NULL, each, data);
}

/* Reads which devices a list is to have: of one folder or group, or all. */
static int read_device_filter(struct ctl *ctl, struct device_filter *filter)
{
	struct owner owner = { .level = LEVEL_GLOBAL };
	int status = ctl->word_count ? ctl_find_owner(ctl, ctl->words[0], &owner) : 0;

	filter->seen = ctl_given(ctl, &opt_seen);
	if (status == 0 && owner.level == LEVEL_DEVICE)
		status = ctl_error(EXIT_USAGE, "%s: expected a folder or a group", ctl->words[0]);
	if (status == 0 && owner.level == LEVEL_GROUP && ctl_given(ctl, &opt_group))
		status = ctl_error(EXIT_USAGE, "--group and %s: expected one group", ctl->words[0]);
	if (status == 0 && owner.level == LEVEL_GROUP)
		filter->group = owner.id;
	if (status == 0 && owner.level == LEVEL_FOLDER)
		filter->folder = owner.id;
	if (status == 0 && ctl_given(ctl, &opt_group))
		status = ctl_find_group(ctl, ctl_option(ctl, &opt_group), &filter->group);
	return status;
}

/* Starts the list of all devices, or of those in the folder or group that the one word names. */
static int start_devices(struct ctl *ctl, struct store_rows **rows)
{
	struct device_filter filter = { 0 };
	int status = read_device_filter(ctl, &filter);

	if (status)
		return status;
	return device_select(&ctl->store, &filter, rows) ? ctl_store_error(ctl) : 0;
}

/* Calls @each for devices that have ever asked. */
struct seen_only {
	int (*each)(struct ctl *ctl, const struct device *device, void *data);
	void *data;
};

static int do_if_seen(struct ctl *ctl, const struct device *device, void *data)
{
	struct seen_only *only = data;
	struct seen seen;

	if (device_last_seen(&ctl->store, device->id, &seen))
		return ctl_store_error(ctl);
	return seen.time ? only->each(ctl, device, only->data) : 0;
}

int ctl_each_listed(struct ctl *ctl,
                    int (*each)(struct ctl *ctl, const struct device *device, void *data),
                    void *data)
{
	struct seen_only only = { each, data };
	bool one = ctl->word_count < 2 && (!ctl->word_count || ctl_is_set(ctl->words[0]));
	struct store_rows *rows = NULL;
	int status;

	if (one) {
		status = start_devices(ctl, &rows);
		return status ? status : call_for_rows(ctl, 0, rows, NULL, each, data);
	}
	if (ctl_given(ctl, &opt_group))
		return ctl_error(EXIT_USAGE, "--group is for all devices or a folder; name the "
		                 "group among the others, as in group:%s",
		                 ctl_option(ctl, &opt_group));
	return ctl_given(ctl, &opt_seen)
	       ? ctl_each_device(ctl, 0, ctl->word_count, do_if_seen, &only)
	       : ctl_each_device(ctl, 0, ctl->word_count, each, data);
}
