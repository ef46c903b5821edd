/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "error.h"
#include "platform.h"
#include "text.h"
#include "work.h"

#define SHOWN_EVENTS 20

static const uint8_t no_uuid[16];

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
	text_format(text, sizeof(text), "%G", device->uuid);
	return json_pack("{s:s, s:o, s:o, s:o}", "name", device->name, "macs", list, "uuid",
	                 memcmp(device->uuid, no_uuid, 16) ? json_string(text) : json_null(),
	                 "added", ctl_json_time(device->added));
}

/* --- device list and show -------------------------------------------------- */

static const char *firmware_name(uint8_t firmware)
{
	return firmware == FIRMWARE_BIOS ? "BIOS" : firmware == FIRMWARE_UEFI ? "UEFI" : "unknown";
}

static json_t *json_seen(const struct seen *seen)
{
	const struct request *r = &seen->request;
	char mac[20], uuid[40];

	if (seen->time == 0)
		return json_null();
	text_format(mac, sizeof(mac), "%M", r->identity.mac);
	text_format(uuid, sizeof(uuid), "%G", r->identity.uuid);
	return json_pack("{s:o, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:b, s:i}",
	                 "time", ctl_json_time(seen->time), "address", seen->address, "mac", mac,
	                 "uuid", uuid, "firmware", firmware_name(r->firmware),
	                 "architecture", (int)r->architecture, "version", r->version,
	                 "manufacturer", r->manufacturer, "product", r->product,
	                 "serial", r->serial, "cpu", r->cpu, "cpu_64bit", (int)r->cpu_64bit,
	                 "memory_mib", (int)r->memory_mib);
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
	else
		text_format(id, sizeof(id), "%G", device->uuid);
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

static void print_device(struct ctl *ctl, const struct device *device, const struct seen *seen)
{
	const struct request *r = &seen->request;
	uint8_t macs[DEVICE_MACS_MAX][6];
	char text[64], ago[32];
	size_t count;

	printf("%s\n", device->name);
	if (device_macs(&ctl->store, device->id, macs, &count))
		count = 0;
	for (size_t i = 0; i < count; i++) {
		text_format(text, sizeof(text), "%M", macs[i]);
		printf("  MAC        %s\n", text);
	}
	text_format(text, sizeof(text), "%G", device->uuid);
	if (memcmp(device->uuid, no_uuid, 16))
		printf("  UUID       %s\n", text);
	ctl_time(device->added, text, sizeof(text));
	printf("  added      %s\n", text);
	ctl_ago(seen->time, ago, sizeof(ago));
	if (seen->time == 0) {
		printf("  last seen  never\n");
		return;
	}
	printf("  last seen  %s, from %s, by %s\n", ago, seen->address,
	       r->version[0] ? r->version : "an unnamed NBP");
	printf("  hardware   %s %s, serial %s\n", r->manufacturer[0] ? r->manufacturer : "unknown",
	       r->product, r->serial[0] ? r->serial : "unknown");
	printf("             %s firmware, %u MiB, %s\n", firmware_name(r->firmware), r->memory_mib,
	       r->cpu[0] ? r->cpu : "unknown processor");
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
	if (rc == 0 && lease_open(lease.state) && !(ctl->given & CTL_FORCE))
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
