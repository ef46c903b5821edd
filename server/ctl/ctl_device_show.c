/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl_verbs.h"
#include "server/store/groups.h"

#define SHOWN_EVENTS 20

static const uint8_t no_uuid[16];

static void print_guid(const char *label, const uint8_t guid[16])
{
	char text[40];

	text_format(text, sizeof(text), "%pU", guid);
	if (memcmp(guid, no_uuid, 16))
		printf("  %-18s%s\n", label, text);
}

static void print_device(struct ctl *ctl, const struct device *device, const struct seen *seen,
                         const json_t *owned)
{
	const struct request *r = &seen->request.u.request;
	uint8_t macs[DEVICE_MACS_MAX][6];
	char text[64], path[FOLDER_PATH], ago[32];
	size_t count;

	printf("%s\n", device->name);
	ctl_device_path(ctl, device, path);
	printf("  %-18s%s\n", "folder", path);
	if (device_macs(&ctl->store, device->id, macs, &count))
		count = 0;
	for (size_t i = 0; i < count; i++) {
		text_format(text, sizeof(text), "%pM", macs[i]);
		printf("  %-18s%s\n", "MAC", text);
	}
	print_guid("UUID", device->uuid);
	print_guid("image-safe data", device->isd);
	print_guid("claimed by UUID", device->claim_uuid);
	text_format(text, sizeof(text), "%pM", device->claim_mac);
	if (memcmp(device->claim_mac, no_uuid, 6))
		printf("  %-18s%s\n", "claimed by MAC", text);
	ctl_print_names("groups", json_object_get(owned, "groups"));
	ctl_print_owned(owned);
	ctl_time(device->added, text, sizeof(text));
	printf("  %-18s%s\n", "added", text);
	ctl_ago(seen->time, ago, sizeof(ago));
	if (seen->time == 0) {
		printf("  %-18s%s\n", "last seen", "never");
		return;
	}
	printf("  %-18s%s, from %s, by %s\n", "last seen", ago, seen->address,
	       r->version[0] ? r->version : "an unnamed NBP");
	printf("\nlast request\n");
	ctl_print_hardware(r);
}

/* The names of the groups it is in. */
static json_t *json_groups(struct ctl *ctl, const struct device *device)
{
	json_t *array = json_array();
	struct group_row group;
	sqlite3_stmt *rows;
	int rc = group_list(&ctl->store, device->id, &rows);

	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		group_row(rows, &group);
		json_array_append_new(array, json_string(group.name));
		rc = 0;
	}
	return array;
}

/* Adds groups, settings and assignments of its own to @object. */
static void add_owned(struct ctl *ctl, const struct device *device, json_t *object)
{
	struct owner owner = { LEVEL_DEVICE, device->id };
	json_t *owned = ctl_json_owned(ctl, &owner);

	json_object_set_new(object, "groups", json_groups(ctl, device));
	json_object_update(object, owned);
	json_decref(owned);
}

int ctl_device_show(struct ctl *ctl)
{
	struct device device;
	struct seen seen;
	struct job job;
	json_t *object, *events;
	int status = ctl_find_device(ctl, ctl->words[0], &device);

	if (status)
		return status;
	if (ctl_gather_device(ctl, &device, &seen, &job))
		return ctl_store_error(ctl);
	if (ctl->json) {
		events = ctl_json_events(ctl, &device, SHOWN_EVENTS);
		if (!events)
			return ctl_store_error(ctl);
		object = ctl_json_full(ctl, &device, &seen, &job);
		add_owned(ctl, &device, object);
		json_object_set_new(object, "events", events);
		ctl_print_json(object);
		return 0;
	}
	object = json_object();
	add_owned(ctl, &device, object);
	print_device(ctl, &device, &seen, object);
	json_decref(object);
	if (job.number == 0)
		printf("\nwork: none\n");
	else
		status = printf("\nwork %llu\n", (unsigned long long)job.number) < 0 ||
		         ctl_print_job(ctl, &job, "  ");
	if (status)
		return EXIT_FAULT;
	printf("\nevents\n");
	return ctl_print_events(ctl, &device, SHOWN_EVENTS);
}

