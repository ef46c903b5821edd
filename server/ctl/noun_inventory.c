/* SPDX-License-Identifier: BSD-2-Clause */
/* What each machine last told of itself, as a table. */
#include <stdio.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/noun.h"

/* Writes a size as people say it: "512 MiB", "932 GiB". */
static void size_text(uint64_t mib, char *out, size_t size)
{
	if (mib == 0)
		text_format(out, size, "-");
	else if (mib < 10 * 1024)
		text_format(out, size, "%" PRIu64 " MiB", mib);
	else if (mib < 10 * 1024 * 1024)
		text_format(out, size, "%" PRIu64 " GiB", (mib + 512) / 1024);
	else
		text_format(out, size, "%" PRIu64 " TiB", (mib + 512 * 1024) / (1024 * 1024));
}

static uint64_t disks_mib(const struct request *r)
{
	uint64_t mib = 0;

	for (size_t i = 0; i < r->disk_count; i++)
		if (r->disks[i].sector_size >= 512 && r->disks[i].sector_size <= 1 << 20)
			mib += r->disks[i].sectors / ((1 << 20) / r->disks[i].sector_size);
	return mib;
}

static const char *or_dash(const char *text)
{
	return text[0] ? text : "-";
}

static void list_hardware(struct table *table, const struct device *device, const struct seen *seen)
{
	const struct request *r = &seen->request.u.request;
	char machine[2 * TEXT_SIZE], cpu[TEXT_SIZE + 16], memory[32], disks[32], ago[32];

	text_format(machine, sizeof(machine), "%s%s%s", r->manufacturer,
	            r->manufacturer[0] && r->product[0] ? " " : "", r->product);
	if (r->cpu_cores)
		text_format(cpu, sizeof(cpu), "%u x %s", (uint32_t)r->cpu_cores, or_dash(r->cpu));
	else
		text_format(cpu, sizeof(cpu), "%s", or_dash(r->cpu));
	/* As the rules' fact "memory". */
	size_text(r->installed_mib ? r->installed_mib : r->memory_mib, memory, sizeof(memory));
	size_text(disks_mib(r), disks, sizeof(disks));
	ctl_ago(seen->time, ago, sizeof(ago));
	table_add(table, device->name, or_dash(machine), or_dash(r->serial), cpu, memory, disks,
	          seen->time ? ctl_firmware_name(r->firmware) : "-", ago);
}

static int ctl_inventory(struct ctl *ctl)
{
	struct table table = { .columns = 8 };
	struct device device;
	struct seen seen;
	struct store_rows *rows;
	json_t *array;
	int rc = 0, status = ctl_start_devices(ctl, &rows);

	if (status)
		return status;
	array = json_array();
	table_add(&table, "DEVICE", "MACHINE", "SERIAL", "PROCESSOR", "MEMORY", "DISKS", "FW",
	          "LAST SEEN");
	while (store_next(rows, &rc)) {
		json_t *object;

		device_row(rows, &device);
		rc = device_last_seen(&ctl->store, device.id, &seen);
		if (rc)
			break;
		if (ctl->json) {
			object = ctl_json_seen(&seen);
			json_array_append_new(array, json_pack("{s:s, s:o}", "name", device.name,
			                                       "seen", object));
		} else {
			list_hardware(&table, &device, &seen);
		}
	}
	return ctl_answer_list(ctl, rc, &table, array);
}

static const struct verb verbs[] = {
	{ .run = ctl_inventory, .min = 0, .max = 1, .options = OPTIONS(&opt_group, &opt_seen),
	  .usage = "[FOLDER] [--group GROUP] [--seen]",
	  .help = "List the hardware that each device last reported; with --json all that it "
	          "reported." },
	{ .run = NULL },
};

const struct noun noun_inventory = {
	.name = "inventory", .about = "the hardware that each device last reported",
	.verbs = verbs,
};
