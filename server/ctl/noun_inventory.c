/* SPDX-License-Identifier: BSD-2-Clause */
/* The hardware that each device last reported, as a table. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/noun.h"

static const struct ctl_option opt_csv = { "csv", NULL, "print comma-separated values" };

/* Writes a size in GiB, with a digit after the point where it is small: "0.5 GiB", "932 GiB". */
static void size_text(uint64_t mib, char *out, size_t size)
{
	uint64_t tenths = (mib * 10 + 512) / 1024;

	if (mib == 0)
		text_format(out, size, "-");
	else if (tenths % 10 && tenths < 1000)
		text_format(out, size, "%" PRIu64 ".%u GiB", tenths / 10, (uint32_t)(tenths % 10));
	else
		text_format(out, size, "%" PRIu64 " GiB", (mib + 512) / 1024);
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

/* What a list of devices' hardware is made of. */
struct hardware_list {
	struct table table;
	json_t *array;
	bool csv;
};

/* Prints a field of comma-separated values; what another program may take for more is quoted. */
static void put_field(const char *text, char end)
{
	if (!strpbrk(text, "\",;\r\n")) {
		printf("%s%c", text, end);
		return;
	}
	putchar('"');
	for (; *text; text++)
		fputs(*text == '"' ? "\"\"" : (char[]){ *text, '\0' }, stdout);
	printf("\"%c", end);
}

/* Prints a line of comma-separated values; what is unknown is empty. */
static void put_hardware(const struct device *device, const struct seen *seen)
{
	const struct request *r = &seen->request.u.request;
	uint64_t memory = r->installed_mib ? r->installed_mib : r->memory_mib;
	char text[40];

	put_field(device->name, ',');
	put_field(r->manufacturer, ',');
	put_field(r->product, ',');
	put_field(r->serial, ',');
	put_field(r->cpu, ',');
	printf(r->cpu_cores ? "%u," : ",", (uint32_t)r->cpu_cores);
	printf(memory ? "%" PRIu64 "," : ",", memory);
	printf(disks_mib(r) ? "%" PRIu64 "," : ",", disks_mib(r));
	put_field(seen->time ? ctl_firmware_name(r->firmware) : "", ',');
	ctl_time(seen->time, text, sizeof(text));
	put_field(seen->time ? text : "", '\n');
}

static int add_hardware(struct ctl *ctl, const struct device *device, void *data)
{
	struct hardware_list *list = data;
	struct seen seen;

	if (device_last_seen(&ctl->store, device->id, &seen))
		return ctl_store_error(ctl);
	if (list->csv)
		put_hardware(device, &seen);
	else if (ctl->json)
		json_array_append_new(list->array, json_pack("{s:s, s:o}", "name", device->name,
		                                             "seen", ctl_json_seen(&seen)));
	else
		list_hardware(&list->table, device, &seen);
	return 0;
}

static int ctl_inventory(struct ctl *ctl)
{
	struct hardware_list list = { .table = { .columns = 8 }, .array = json_array(),
		                      .csv = ctl_given(ctl, &opt_csv) };
	int status;

	if (list.csv)
		puts("name,manufacturer,product,serial,processor,cores,memory_mib,disks_mib,"
		     "firmware,last_seen");
	table_add(&list.table, "DEVICE", "MACHINE", "SERIAL", "PROCESSOR", "MEMORY", "DISKS", "FW",
	          "LAST SEEN");
	status = ctl_each_listed(ctl, add_hardware, &list);
	if (status == 0 && !list.csv)
		return ctl_answer_list(ctl, 0, &list.table, list.array);
	table_free(&list.table);
	json_decref(list.array);
	return status;
}

static const struct verb verbs[] = {
	{ .run = ctl_inventory, .min = 0, .max = NO_LIMIT,
	  .options = OPTIONS(&opt_group, &opt_seen, &opt_csv),
	  .usage = "[TARGET]... [--group GROUP] [--seen] [--csv]",
	  .help = "List the hardware that each device last reported, of all devices or those that "
	          "the targets name; with --json all that it reported." },
	{ .run = NULL },
};

const struct noun noun_inventory = {
	.name = "inventory", .about = "the hardware that each device last reported",
	.verbs = verbs,
};
