/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/path.h"

#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/wire.h"

/* Types and sub-types of UEFI 10.3 */
enum { HARDWARE = 1, ACPI = 2, MESSAGING = 3, MEDIA = 4, END = 0x7f };
enum { MEDIA_HARD_DRIVE = 1, MEDIA_FILE = 4, MEDIA_PROTOCOL = 5 };
#define END_ENTIRE 0xff

#define NODE_HEADER 4
#define NOT_YET ((size_t)-1)

/* Which bus a messaging node (UEFI 10.3.4) is of; networks come with MAC or more. */
static uint8_t bus_of(uint8_t subtype)
{
	switch (subtype) {
	case 1:  /* ATAPI, which is parallel ATA too */
	case 18: /* SATA */
		return DISK_ATA;
	case 2:  /* SCSI */
	case 3:  /* Fibre Channel */
	case 21: /* the same, Ex */
	case 22: /* SAS Ex */
	case 25: /* UFS */
		return DISK_SCSI;
	case 5: /* USB */
		return DISK_USB;
	case 23: /* NVM Express */
		return DISK_NVME;
	case 26: /* SD */
	case 29: /* eMMC */
		return DISK_SD;
	default:
		return DISK_UNKNOWN;
	}
}

static bool is_network(uint8_t subtype)
{
	switch (subtype) {
	case 9:  /* InfiniBand */
	case 11: /* MAC address */
	case 12: /* IPv4 */
	case 13: /* IPv6 */
	case 19: /* iSCSI */
	case 20: /* VLAN */
	case 24: /* URI */
	case 27: /* Bluetooth */
	case 28: /* Wi-Fi */
	case 30: /* Bluetooth LE */
	case 31: /* DNS */
		return true;
	default:
		return false;
	}
}

/* UEFI 10.3.5.1; the partition's extent is not what it is known by. */
static void read_partition(struct wire *node, struct partition_id *id)
{
	id->number = wire_read_le32(node);
	wire_skip(node, 16);
	wire_read_bytes(node, id->signature, sizeof(id->signature));
	id->scheme = wire_read_u8(node);
	id->type = wire_read_u8(node);
}

/* Takes in a node of type MEDIA. Returns whether a disk's path may have it. */
static bool read_media(uint8_t subtype, struct wire *node, size_t at, struct device_path *path)
{
	if (path->device == NOT_YET)
		path->device = at;
	switch (subtype) {
	case MEDIA_HARD_DRIVE:
		if (at == 0)
			path->kind = PATH_PARTITION;
		if (path->partition.scheme == 0)
			read_partition(node, &path->partition);
		return true;
	case MEDIA_FILE:
		if (at == 0)
			path->kind = PATH_FILE;
		if (path->file == NOT_YET)
			path->file = at;
		return true;
	case MEDIA_PROTOCOL:
		return true;
	default: /* CD, firmware volume, RAM disk, a vendor's */
		return false;
	}
}

/* Takes in one node at offset @at. Returns whether a disk's path may have it. */
static bool read_node(uint8_t type, uint8_t subtype, struct wire *node, size_t at,
                      struct device_path *path)
{
	switch (type) {
	case HARDWARE:
	case ACPI:
		if (at == 0)
			path->kind = PATH_DEVICE;
		return true;
	case MESSAGING:
		/* The first bus counts: a USB disk may speak SCSI. */
		if (path->bus == DISK_UNKNOWN)
			path->bus = bus_of(subtype);
		return !is_network(subtype);
	case MEDIA:
		return read_media(subtype, node, at, path);
	default: /* a legacy BIOS's (UEFI 10.3.6) */
		return false;
	}
}

int device_path_read(const void *data, size_t size, struct device_path *path)
{
	struct wire wire = wire_reader(data, size < DEVICE_PATH_MAX ? size : DEVICE_PATH_MAX);
	bool disk = true;

	memset(path, 0, sizeof(*path));
	path->device = path->file = NOT_YET;
	for (;;) {
		size_t at = wire.position;
		uint8_t type = wire_read_u8(&wire), subtype = wire_read_u8(&wire);
		uint16_t length = wire_read_le16(&wire);
		struct wire node;

		if (wire.error || length < NODE_HEADER)
			break;
		/* Another path after this one would end in a node of its own. */
		if (type == END && (subtype != END_ENTIRE || length != DEVICE_PATH_END))
			break;
		node = wire_read_part(&wire, length - NODE_HEADER);
		if (type == END) {
			path->size = wire.position;
			path->device = path->device == NOT_YET ? at : path->device;
			path->file = path->file == NOT_YET ? at : path->file;
			path->kind = disk ? path->kind : PATH_OTHER;
			return 0;
		}
		disk &= read_node(type, subtype, &node, at, path);
		if (node.error) /* a node shorter than its type's */
			break;
	}
	memset(path, 0, sizeof(*path));
	return wire.error ? wire.error : ERR_MALFORMED;
}

bool partition_same(const struct partition_id *a, const struct partition_id *b)
{
	/* An MBR's disk signature is the same for all its partitions. */
	return a->scheme != 0 && a->scheme == b->scheme && a->type == b->type &&
	       a->number == b->number &&
	       memcmp(a->signature, b->signature, sizeof(a->signature)) == 0;
}

static size_t end_path(struct wire *out)
{
	static const uint8_t end[DEVICE_PATH_END] = { END, END_ENTIRE, DEVICE_PATH_END, 0 };

	wire_write_bytes(out, end, sizeof(end));
	return out->error ? 0 : out->position;
}

size_t device_path_join(void *out, size_t size, struct span first, struct span rest)
{
	struct wire wire = wire_writer(out, size);

	if (first.length != 0)
		wire_write_bytes(&wire, first.data, first.length);
	if (rest.length != 0)
		wire_write_bytes(&wire, rest.data, rest.length);
	return end_path(&wire);
}

size_t device_path_of_file(void *out, size_t size, const char *name)
{
	struct wire wire = wire_writer(out, size);
	size_t length = NODE_HEADER + 2 * (strlen(name) + 1);

	wire_write_u8(&wire, MEDIA);
	wire_write_u8(&wire, MEDIA_FILE);
	wire_write_u8(&wire, (uint8_t)length);
	wire_write_u8(&wire, (uint8_t)(length >> 8));
	for (size_t i = 0; i <= strlen(name); i++) {
		wire_write_u8(&wire, (uint8_t)name[i]);
		wire_write_u8(&wire, 0);
	}
	return end_path(&wire);
}
