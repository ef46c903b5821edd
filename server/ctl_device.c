/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "ctl_verbs.h"
#include "error.h"
#include "text.h"
#include "work.h"

#define SHOWN_EVENTS 20

static const uint8_t no_uuid[16];

static json_t *json_guid(const uint8_t guid[16])
{
	char text[40];

	text_format(text, sizeof(text), "%G", guid);
	return memcmp(guid, no_uuid, 16) ? json_string(text) : json_null();
}

json_t *ctl_json_device(struct ctl *ctl, const struct device *device)
{
	uint8_t macs[DEVICE_MACS_MAX][6];
	json_t *list = json_array();
	size_t count;
	char text[40];

	if (device_macs(&ctl->store, device->id, macs, &count))
		count = 0;
	for (size_t i = 0; i < count; i++) {
		text_format(text, sizeof(text), "%M", macs[i]);
		json_array_append_new(list, json_string(text));
	}
	return json_pack("{s:s, s:o, s:o, s:o, s:o}", "name", device->name, "macs", list,
	                 "uuid", json_guid(device->uuid), "isd", json_guid(device->isd),
	                 "added", ctl_json_time(device->added));
}

/* --- device list and show -------------------------------------------------- */

static json_t *json_seen(const struct seen *seen)
{
	json_t *object;

	if (seen->time == 0)
		return json_null();
	object = ctl_json_hardware(&seen->request.u.request);
	json_object_set_new(object, "time", ctl_json_time(seen->time));
	json_object_set_new(object, "address", json_string(seen->address));
	return object;
}

/* Adds what is known of @device beside itself: its last request, its newest work. */
static int gather(struct ctl *ctl, const struct device *device, struct seen *seen,
                  struct lease *lease)
{
	int rc = device_last_seen(&ctl->store, device->id, seen);

	lease->number = 0;
	if (rc == 0)
		rc = work_newest(&ctl->store, device->id, lease);
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

static json_t *json_full(struct ctl *ctl, const struct device *device, const struct seen *seen,
                         const struct lease *lease)
{
	json_t *object = ctl_json_device(ctl, device);

	json_object_set_new(object, "seen", json_seen(seen));
	json_object_set_new(object, "work",
	                    lease->number ? ctl_json_work(ctl, device, lease) : json_null());
	return object;
}

static void list_row(struct ctl *ctl, struct table *table, const struct device *device,
                     const struct seen *seen, const struct lease *lease)
{
	uint8_t macs[DEVICE_MACS_MAX][6];
	char id[48] = "-", work[64] = "-", ago[32];
	size_t count = 0;

	if (device_macs(&ctl->store, device->id, macs, &count) == 0 && count > 1)
		text_format(id, sizeof(id), "%M and %u more", macs[0], (uint32_t)count - 1);
	else if (count)
		text_format(id, sizeof(id), "%M", macs[0]);
	else if (memcmp(device->uuid, no_uuid, 16))
		text_format(id, sizeof(id), "%G", device->uuid);
	else
		text_format(id, sizeof(id), "ISD %G", device->isd);
	if (lease->number)
		text_format(work, sizeof(work), "%U %s, attempt %u/%u", lease->number,
		            lease_state_name(lease->state), lease->attempt, lease->attempts);
	ctl_ago(seen->time, ago, sizeof(ago));
	table_add(table, device->name, id, work, ago);
}

int ctl_device_list(struct ctl *ctl)
{
	struct table table = { .columns = 4 };
	json_t *array = json_array();
	struct device device;
	struct seen seen;
	struct lease lease;
	sqlite3_stmt *rows;
	int rc = device_list(&ctl->store, &rows);

	table_add(&table, "DEVICE", "MAC OR UUID", "NEWEST WORK", "LAST SEEN");
	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		device_row(rows, &device);
		rc = gather(ctl, &device, &seen, &lease);
		if (rc == 0 && ctl->json)
			json_array_append_new(array, json_full(ctl, &device, &seen, &lease));
		else if (rc == 0)
			list_row(ctl, &table, &device, &seen, &lease);
	}
	if (rc == 0 && ctl->json)
		ctl_print_json(json_incref(array));
	else if (rc == 0)
		table_print(&table);
	json_decref(array);
	return rc ? ctl_store_error(ctl) : 0;
}

static void print_guid(const char *label, const uint8_t guid[16])
{
	char text[40];

	text_format(text, sizeof(text), "%G", guid);
	if (memcmp(guid, no_uuid, 16))
		printf("  %-18s%s\n", label, text);
}

static void print_device(struct ctl *ctl, const struct device *device, const struct seen *seen)
{
	const struct request *r = &seen->request.u.request;
	uint8_t macs[DEVICE_MACS_MAX][6];
	char text[64], ago[32];
	size_t count;

	printf("%s\n", device->name);
	if (device_macs(&ctl->store, device->id, macs, &count))
		count = 0;
	for (size_t i = 0; i < count; i++) {
		text_format(text, sizeof(text), "%M", macs[i]);
		printf("  %-18s%s\n", "MAC", text);
	}
	print_guid("UUID", device->uuid);
	print_guid("image-safe data", device->isd);
	print_guid("claimed by UUID", device->claim_uuid);
	text_format(text, sizeof(text), "%M", device->claim_mac);
	if (memcmp(device->claim_mac, no_uuid, 6))
		printf("  %-18s%s\n", "claimed by MAC", text);
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

int ctl_device_show(struct ctl *ctl)
{
	struct device device;
	struct seen seen;
	struct lease lease;
	json_t *object, *events;
	int status = ctl_find_device(ctl, ctl->words[0], &device);

	if (status)
		return status;
	if (gather(ctl, &device, &seen, &lease))
		return ctl_store_error(ctl);
	if (ctl->json) {
		events = ctl_json_events(ctl, &device, SHOWN_EVENTS);
		if (!events)
			return ctl_store_error(ctl);
		object = json_full(ctl, &device, &seen, &lease);
		json_object_set_new(object, "events", events);
		ctl_print_json(object);
		return 0;
	}
	print_device(ctl, &device, &seen);
	if (lease.number == 0)
		printf("\nwork: none\n");
	else
		status = printf("\nwork %llu\n", (unsigned long long)lease.number) < 0 ||
		         ctl_print_work(ctl, &lease, "  ");
	if (status)
		return EXIT_FAULT;
	printf("\nevents\n");
	return ctl_print_events(ctl, &device, SHOWN_EVENTS);
}

/* --- device remove --------------------------------------------------------- */

static int remove_found(struct ctl *ctl, struct device *device)
{
	struct lease lease;
	int rc, status = ctl_find_device(ctl, ctl->words[0], device);

	if (status)
		return status;
	rc = work_newest(&ctl->store, device->id, &lease);
	if (rc == 0 && lease_open(lease.state) && !ctl_given(ctl, OPT_FORCE))
		return ctl_error(EXIT_FAULT, "%s has work %llu, which is %s; cancel it with "
		                 "\"prebootctl work cancel %s\", or use --force", device->name,
		                 (unsigned long long)lease.number, lease_state_name(lease.state),
		                 device->name);
	if ((rc && rc != ERR_NOT_FOUND) || device_remove(&ctl->store, device->id) ||
	    store_commit(&ctl->store))
		return ctl_store_error(ctl);
	return 0;
}

int ctl_device_remove(struct ctl *ctl)
{
	struct device device;
	int status;

	if (store_begin(&ctl->store))
		return ctl_store_error(ctl);
	status = remove_found(ctl, &device);
	store_rollback(&ctl->store);
	if (status)
		return status;
	if (ctl->json)
		ctl_print_json(json_pack("{s:s}", "removed", device.name));
	else
		printf("device %s removed\n", device.name);
	return 0;
}
