/* SPDX-License-Identifier: BSD-2-Clause */
/* What a machine's last request said of it: every field of struct request. */
#include <stdio.h>
#include <string.h>

#include "nbp/proto/message.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl.h"

enum kind { TEXT, NUMBER, SIZE, HEX, MAC, GUID, TIME, FLAG, TRISTATE, CHASSIS, FIRMWARE, ISD };

struct line {
	const char *label;
	const char *key;
	enum kind kind;
	uint16_t offset, size;
};

static const struct line lines[] = {
#define LINE(label, kind, member) \
	{ label, #member, kind, offsetof(struct request, member), \
	  sizeof(((struct request *)0)->member) }
	{ "MAC", "mac", MAC, offsetof(struct request, identity.mac), 6 },
	{ "UUID", "uuid", GUID, offsetof(struct request, identity.uuid), 16 },
	LINE("firmware", FIRMWARE, firmware),
	LINE("firmware version", TEXT, firmware_version),
	LINE("architecture", NUMBER, architecture),
	LINE("NBP", TEXT, version),
	LINE("secure boot", TRISTATE, secure_boot),
	LINE("TPM", TRISTATE, tpm),
	LINE("image-safe data", ISD, isd_state),
	LINE("device id", GUID, isd_device),
	LINE("just imaged", FLAG, isd_just_imaged),
	LINE("last image", TEXT, isd_image),
	LINE("imaged", TIME, isd_image_time),
	LINE("image size", SIZE, isd_image_size),
	LINE("manufacturer", TEXT, manufacturer),
	LINE("product", TEXT, product),
	LINE("version", TEXT, system_version),
	LINE("serial", TEXT, serial),
	LINE("SKU", TEXT, sku),
	LINE("family", TEXT, family),
	LINE("asset tag", TEXT, asset_tag),
	LINE("chassis", CHASSIS, chassis_type),
	LINE("board manufacturer", TEXT, board_manufacturer),
	LINE("board", TEXT, board_product),
	LINE("board serial", TEXT, board_serial),
	LINE("BIOS vendor", TEXT, bios_vendor),
	LINE("BIOS version", TEXT, bios_version),
	LINE("BIOS date", TEXT, bios_date),
	LINE("processor", TEXT, cpu),
	LINE("processor vendor", TEXT, cpu_vendor),
	LINE("processor family", NUMBER, cpu_family),
	LINE("cores", NUMBER, cpu_cores),
	LINE("64-bit", FLAG, cpu_64bit),
	LINE("memory, MiB", NUMBER, memory_mib),
	LINE("installed, MiB", NUMBER, installed_mib),
	LINE("NIC vendor", HEX, nic_vendor),
	LINE("NIC device", HEX, nic_device),
	LINE("NIC type", NUMBER, nic_type),
};
#define LINE_COUNT (sizeof(lines) / sizeof(lines[0]))

/* SMBIOS 3.6 section 7.4.1. */
static const char *const chassis[] = {
	NULL, "other", "unknown", "desktop", "low-profile desktop", "pizza box", "mini tower",
	"tower", "portable", "laptop", "notebook", "hand held", "docking station", "all in one",
	"sub notebook", "space-saving", "lunch box", "main server", "expansion", "sub chassis",
	"bus expansion", "peripheral", "RAID", "rack mount", "sealed-case PC", "multi-system",
	"compact PCI", "advanced TCA", "blade", "blade enclosure", "tablet", "convertible",
	"detachable", "IoT gateway", "embedded PC", "mini PC", "stick PC",
};

static const char *const disk_kinds[] = {
	[DISK_UNKNOWN] = "unknown", [DISK_ATA] = "ATA", [DISK_SCSI] = "SCSI", [DISK_USB] = "USB",
	[DISK_NVME] = "NVMe", [DISK_VIRTIO] = "virtio", [DISK_SD] = "SD",
};

static const char *name_of(const char *const *names, size_t count, uint64_t value)
{
	return value < count && names[value] ? names[value] : "unknown";
}

#define NAME_OF(names, value) name_of(names, sizeof(names) / sizeof(names[0]), value)

static uint64_t read_number(const struct request *r, const struct line *line)
{
	const uint8_t *at = (const uint8_t *)r + line->offset;

	switch (line->size) {
	case 1: return *at;
	case 2: return *(const uint16_t *)at;
	case 4: return *(const uint32_t *)at;
	default: return *(const uint64_t *)at;
	}
}

const char *ctl_firmware_name(uint64_t firmware)
{
	return firmware == FIRMWARE_BIOS ? "BIOS" : firmware == FIRMWARE_UEFI ? "UEFI" : "unknown";
}

static const char *isd_name(uint64_t state)
{
	return state == ISD_VALID ? "valid" : state == ISD_ABSENT ? "absent" : "not read";
}

/* --- as text --------------------------------------------------------------- */

static bool is_reported(const uint8_t *at, size_t size)
{
	while (size--)
		if (*at++)
			return true;
	return false;
}

/* Writes a value; the empty string if it was not reported. */
static void format_line(const struct request *r, const struct line *line, char *out, size_t size)
{
	const uint8_t *at = (const uint8_t *)r + line->offset;
	uint64_t value;

	out[0] = '\0';
	/* Texts begin with a NUL where they are empty; all else is zeros. */
	if (line->kind != ISD && !is_reported(at, line->kind == TEXT ? 1 : line->size))
		return;
	if (line->kind == TEXT || line->kind == MAC || line->kind == GUID)
		value = 0;
	else
		value = read_number(r, line);
	switch (line->kind) {
	case TEXT: text_format(out, size, "%s", (const char *)at); break;
	case NUMBER: text_format(out, size, "%" PRIu64, value); break;
	case SIZE: text_format(out, size, "%" PRIu64 " bytes", value); break;
	case HEX: text_format(out, size, "%04x", (uint32_t)value); break;
	case MAC: text_format(out, size, "%pM", at); break;
	case GUID: text_format(out, size, "%pU", at); break;
	case TIME: ctl_time((int64_t)value, out, size); break;
	case FLAG: text_format(out, size, "yes"); break;
	case TRISTATE: text_format(out, size, "%s", value == STATE_YES ? "yes" : "no"); break;
	case CHASSIS: text_format(out, size, "%s", NAME_OF(chassis, value & 0x7f)); break;
	case FIRMWARE: text_format(out, size, "%s", ctl_firmware_name(value)); break;
	case ISD: text_format(out, size, "%s", isd_name(value)); break;
	}
}

static void print_disks(const struct request *r)
{
	for (size_t i = 0; i < r->disk_count; i++) {
		const struct disk *disk = &r->disks[i];
		char label[24];

		snprintf(label, sizeof(label), "disk %zu", i + 1);
		printf("  %-20s%s, ", label, NAME_OF(disk_kinds, disk->kind));
		if (disk->sector_size >= 512 && disk->sector_size <= 1 << 20)
			printf("%llu MiB, ", (unsigned long long)
			       (disk->sectors / ((1 << 20) / disk->sector_size)));
		printf("%llu sectors of %u bytes\n", (unsigned long long)disk->sectors,
		       disk->sector_size);
	}
}

void ctl_print_hardware(const struct request *r)
{
	char text[TEXT_SIZE + 16];

	for (size_t i = 0; i < LINE_COUNT; i++) {
		format_line(r, &lines[i], text, sizeof(text));
		if (text[0])
			printf("  %-20s%s\n", lines[i].label, text);
	}
	print_disks(r);
}

/* --- as JSON --------------------------------------------------------------- */

/* Texts are empty where they were not reported, all else is null. */
static json_t *json_value(const struct request *r, const struct line *line)
{
	const uint8_t *at = (const uint8_t *)r + line->offset;
	char text[TEXT_SIZE + 16];

	format_line(r, line, text, sizeof(text));
	switch (line->kind) {
	case TEXT:
	case FIRMWARE:
	case ISD:
		return json_string(line->kind == FIRMWARE ? ctl_firmware_name(read_number(r, line))
		                                          : text);
	case FLAG: return json_boolean(*at);
	case TRISTATE: return *at == STATE_UNKNOWN ? json_null() : json_boolean(*at == STATE_YES);
	case TIME: return ctl_json_time((int64_t)read_number(r, line));
	case NUMBER:
	case SIZE:
	case CHASSIS:
		return json_integer((json_int_t)read_number(r, line));
	default: return text[0] ? json_string(text) : json_null();
	}
}

json_t *ctl_json_hardware(const struct request *r)
{
	json_t *object = json_object(), *disks = json_array();

	for (size_t i = 0; i < LINE_COUNT; i++)
		json_object_set_new(object, lines[i].key, json_value(r, &lines[i]));
	for (size_t i = 0; i < r->disk_count; i++)
		json_array_append_new(disks, json_pack("{s:s, s:i, s:I}", "kind",
		                      NAME_OF(disk_kinds, r->disks[i].kind), "sector_size",
		                      (int)r->disks[i].sector_size, "sectors",
		                      (json_int_t)r->disks[i].sectors));
	json_object_set_new(object, "disks", disks);
	return object;
}
