/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/ctl/ctl_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/message.h"
#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "server/store/unknown.h"

static void fill_from_unknown(const struct unknown *unknown, struct seen_machine *machine)
{
	memset(machine, 0, sizeof(*machine));
	if (all_zero(unknown->mac, sizeof(unknown->mac)))
		text_format(machine->label, sizeof(machine->label), "%pU", unknown->uuid);
	else
		text_format(machine->label, sizeof(machine->label), "%pM", unknown->mac);
	unknown_name(unknown, machine->becomes);
	machine->seen.time = unknown->last;
	text_format(machine->seen.address, sizeof(machine->seen.address), "%s",
	            unknown->address);
	machine->seen.request = unknown->request;
}

/* Finds the unknown machine that asked last with a MAC address or else a UUID. */
static int find_unknown(struct store *store, const uint8_t *mac, const uint8_t *uuid,
                         struct seen_machine *machine)
{
	struct unknown unknown;
	char uuid_text[40];
	struct store_rows *row;
	int rc = mac ? unknown_by_mac(store, mac, &row) : unknown_by_uuid(store, uuid, &row);

	if (rc == 0)
		rc = store_step(row);
	if (rc != 1)
		return rc ? rc : ERR_NOT_FOUND;
	unknown_row(row, &unknown);
	fill_from_unknown(&unknown, machine);
	rc = store_step(row);
	if (rc < 1)
		return rc;
	store_end(row);
	/* With one UUID they are mostly adapters of one machine. */
	text_format(uuid_text, sizeof(uuid_text), "%pU", unknown.uuid);
	if (mac)
		ctl_error(0, "note: several unknown machines came with this MAC; the one that "
		          "asked last has UUID %s", uuid_text);
	return 0;
}

/* ERR_NOT_FOUND: @word is no MAC address or UUID of an unknown machine. */
static int look_for_unknown(struct store *store, const char *word, struct seen_machine *machine)
{
	uint8_t mac[6], uuid[16];
	struct device device;
	int rc;

	/* Devices count more. */
	if (text_parse_mac(word, mac) == 0) {
		rc = device_by_mac(store, mac, &device);
		return rc == ERR_NOT_FOUND ? find_unknown(store, mac, NULL, machine)
		                           : ERR_NOT_FOUND;
	}
	if (text_parse_uuid(word, uuid))
		return ERR_NOT_FOUND;
	rc = device_by_uuid(store, uuid, &device);
	if (rc == ERR_NOT_FOUND)
		rc = device_by_isd(store, uuid, &device);
	return rc == ERR_NOT_FOUND ? find_unknown(store, NULL, uuid, machine) : ERR_NOT_FOUND;
}

static int fill_from_device(struct ctl *ctl, const struct device *device,
                            struct seen_machine *machine)
{
	memset(machine, 0, sizeof(*machine));
	machine->device = *device;
	text_format(machine->label, sizeof(machine->label), "%s", device->name);
	return device_last_seen(&ctl->store, device->id, &machine->seen) ? ctl_store_error(ctl) : 0;
}

struct for_device {
	int (*each)(struct ctl *ctl, const struct seen_machine *machine, void *data);
	void *data;
};

static int do_for_device(struct ctl *ctl, const struct device *device, void *data)
{
	const struct for_device *call = data;
	struct seen_machine machine;
	int status = fill_from_device(ctl, device, &machine);

	return status ? status : call->each(ctl, &machine, call->data);
}

int ctl_each_target(struct ctl *ctl, int first,
                    int (*each)(struct ctl *ctl, const struct seen_machine *machine, void *data),
                    void *data)
{
	struct for_device call = { each, data };
	struct seen_machine machine;
	char **words = calloc((size_t)ctl->word_count, sizeof(*words)), **all = ctl->words;
	int rc, status = 0, given = ctl->word_count;

	if (!words)
		return ctl_error(EXIT_FAULT, "not enough memory");
	ctl->words = words;
	ctl->word_count = 0;
	for (int i = first; status == 0 && i < given; i++) {
		rc = look_for_unknown(&ctl->store, all[i], &machine);
		if (rc == ERR_NOT_FOUND)
			words[ctl->word_count++] = all[i];
		else
			status = rc ? ctl_store_error(ctl) : each(ctl, &machine, data);
	}
	if (status == 0 && ctl->word_count)
		status = ctl_each_device(ctl, 0, ctl->word_count, do_for_device, &call);
	ctl->words = all;
	ctl->word_count = given;
	free(words);
	return status;
}

int ctl_each_machine(struct ctl *ctl, void (*see)(void *data, const struct seen_machine *machine),
                     void *data)
{
	struct store *store = &ctl->store;
	struct unknown unknown;
	struct seen_machine machine;
	struct store_rows *rows;
	int rc = device_list(store, &rows);

	while (store_next(rows, &rc)) {
		memset(&machine, 0, sizeof(machine));
		device_row(rows, &machine.device);
		text_format(machine.label, sizeof(machine.label), "%s", machine.device.name);
		rc = device_last_seen(store, machine.device.id, &machine.seen);
		if (rc == 0)
			see(data, &machine);
	}
	if (rc == 0)
		rc = unknown_list(store, &rows);
	while (store_next(rows, &rc)) {
		unknown_row(rows, &unknown);
		fill_from_unknown(&unknown, &machine);
		see(data, &machine);
	}
	return rc;
}

const struct request *machine_request(const struct seen_machine *machine)
{
	const struct message *message = &machine->seen.request;

	return message->type == MESSAGE_REQUEST ? &message->u.request : NULL;
}

void machine_show(const struct seen_machine *machine, char *out, size_t size)
{
	const struct request *r = machine_request(machine);
	char ago[32], memory[24] = "";

	ctl_ago(machine->seen.time, ago, sizeof(ago));
	if (!r) {
		text_format(out, size, "%s", ago);
		return;
	}
	if (r->memory_mib)
		text_format(memory, sizeof(memory), ", %u MiB", r->memory_mib);
	text_format(out, size, "%s, from %s: %s%s%s%s%s%s", ago, machine->seen.address,
	            r->firmware == FIRMWARE_UEFI ? "UEFI" : "BIOS",
	            r->manufacturer[0] || r->product[0] ? ", " : "", r->manufacturer,
	            r->manufacturer[0] && r->product[0] ? " " : "", r->product, memory);
}
