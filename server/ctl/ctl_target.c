/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding folders, groups and bundles, and the devices that a word stands for. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl.h"
#include "server/store/groups.h"

#define GROUP_PREFIX "group:"

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
static int collect(struct ctl *ctl, int rc, sqlite3_stmt *rows, struct device **devices,
                   size_t *count)
{
	*devices = NULL;
	*count = 0;
	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		if ((*count & (*count - 1)) == 0) {
			size_t room = *count ? 2 * *count : 1;
			void *more = realloc(*devices, room * sizeof(**devices));

			if (!more) {
				store_end(rows);
				return ctl_error(EXIT_FAULT, "no memory");
			}
			*devices = more;
		}
		device_row(rows, *devices + (*count)++);
		rc = 0;
	}
	return rc ? ctl_store_error(ctl) : 0;
}

/* Calls @each for the devices that @rows has. @name: of where they are; NULL: there may be none */
static int for_all(struct ctl *ctl, int rc, sqlite3_stmt *rows, const char *name,
                   int (*each)(struct ctl *ctl, const struct device *device, void *data),
                   void *data)
{
	struct device *devices;
	size_t count;
	int status = collect(ctl, rc, rows, &devices, &count);

	if (status == 0 && count == 0 && name)
		status = ctl_error(EXIT_FAULT, "%s: there are no devices in it", name);
	for (size_t i = 0; status == 0 && i < count; i++)
		status = each(ctl, &devices[i], data);
	free(devices);
	return status;
}

static int for_word(struct ctl *ctl, const char *word,
                    int (*each)(struct ctl *ctl, const struct device *device, void *data),
                    void *data)
{
	struct owner owner;
	struct device device;
	sqlite3_stmt *rows = NULL;
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
	return for_all(ctl, rc, rows, word, each, data);
}

int ctl_each_device(struct ctl *ctl, int first, int end,
                    int (*each)(struct ctl *ctl, const struct device *device, void *data),
                    void *data)
{
	int status = 0;

	for (int i = first; status == 0 && i < end; i++)
		status = for_word(ctl, ctl->words[i], each, data);
	return status;
}

int ctl_each_member(struct ctl *ctl, uint64_t session,
                    int (*each)(struct ctl *ctl, const struct device *device, void *data),
                    void *data)
{
	sqlite3_stmt *rows = NULL;
	int rc = multicast_members(&ctl->store, session, &rows);

	return for_all(ctl, rc, rows, NULL, each, data);
}

/* --- changing -------------------------------------------------------------- */

int ctl_check_name(struct ctl *ctl, int rc, const char *name, const char *what)
{
	if (!device_name_ok(name))
		return ctl_error(EXIT_USAGE, "%s: not a name for a %s; expected 1 to %d letters, "
		                 "digits, \".\", \"_\" and \"-\", beginning with a letter or "
		                 "digit, and not all digits", name, what, NAME_SIZE - 1);
	if (rc == ERR_NOT_FOUND)
		return 0;
	return rc ? ctl_store_error(ctl)
	          : ctl_error(EXIT_FAULT, "there is a %s called %s already", what, name);
}

int ctl_transaction(struct ctl *ctl, int (*change)(struct ctl *ctl, void *data), void *data)
{
	int status;

	if (store_begin(&ctl->store))
		return ctl_store_error(ctl);
	status = change(ctl, data);
	if (status == 0 && store_commit(&ctl->store))
		status = ctl_store_error(ctl);
	store_rollback(&ctl->store);
	return status;
}

int ctl_happened(struct ctl *ctl, uint64_t device, const char *step, const char *format, ...)
{
	struct event_record event = { .device = device, .time = time(NULL) };
	va_list args;

	text_format(event.step, sizeof(event.step), "%s", step);
	va_start(args, format);
	vsnprintf(event.reason, sizeof(event.reason), format, args);
	va_end(args);
	return event_add(&ctl->store, &event) ? ctl_store_error(ctl) : 0;
}

int ctl_say(struct ctl *ctl, json_t *value, const char *format, ...)
{
	va_list args;

	if (ctl->json) {
		ctl_print_json(value);
		return 0;
	}
	json_decref(value);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	puts("");
	return 0;
}

void ctl_line(const char *label, const char *format, ...)
{
	va_list args;

	printf("  %-18s", label);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	puts("");
}
