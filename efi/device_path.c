/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/device_path.h"

#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/wire.h"

/* Types and subtypes of nodes (UEFI 10.3). */
enum { HARDWARE = 1, ACPI = 2, MESSAGING = 3, MEDIA = 4, END = 0x7f };
enum { MESSAGING_MAC = 11, MESSAGING_IPV6 = 13, MESSAGING_URI = 24 };
enum { MEDIA_HARD_DRIVE = 1, MEDIA_CD = 2, MEDIA_FILE = 4, MEDIA_PROTOCOL = 5 };
#define END_ENTIRE 0xff

#define NODE_HEADER 4
#define NOT_YET ((size_t)-1)

#define MAC_ADDRESS_SIZE 32
#define ETHERNET 1

/* Returns the bus of a messaging node (UEFI 10.3.4): enum disk_kind. */
static uint8_t bus_of(uint8_t subtype)
{
	switch (subtype) {
	case 1:  /* ATAPI, which is parallel ATA too */
	case 18: /* SATA */
		return DISK_ATA;
	case 2:  /* SCSI */
	case 3:  /* Fibre Channel */
	case 21: /* Fibre Channel Ex */
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
	case MESSAGING_MAC:
	case 12: /* IPv4 */
	case MESSAGING_IPV6:
	case 19: /* iSCSI */
	case 20: /* VLAN */
	case MESSAGING_URI:
	case 27: /* Bluetooth */
	case 28: /* Wi-Fi */
	case 30: /* Bluetooth LE */
	case 31: /* DNS */
		return true;
	default:
		return false;
	}
}

/* Reads UEFI 10.3.5.1's node, whose start and size of the partition do not identify it. */
static void read_partition(struct wire *node, struct partition_id *id)
{
	id->number = wire_read_le32(node);
	wire_skip(node, 16);
	wire_read_bytes(node, id->signature, sizeof(id->signature));
	id->scheme = wire_read_u8(node);
	id->type = wire_read_u8(node);
}

/* Reads a node of type MEDIA into @path. Returns whether a disk's path may have it. */
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
	case MEDIA_CD:
		path->cd = true;
		return false;
	default: /* firmware volume, RAM disk, a vendor's */
		return false;
	}
}

/* Reads the node at offset @at into @path. Returns whether a disk's path may have it. */
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
	default: /* among them a legacy BIOS's (UEFI 10.3.6) */
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
		/* A node that only ends this path before another one is refused. */
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

size_t device_path_nodes(const void *path)
{
	struct device_path facts;

	return device_path_read(path, DEVICE_PATH_MAX, &facts) ? 0 : facts.size - DEVICE_PATH_END;
}

bool device_path_same_partition(const struct partition_id *a, const struct partition_id *b)
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

/* --- how we were loaded ------------------------------------------------------ */

/* Skips @word, in letters of any case, if @text begins with it. */
static bool skip_word(struct wire *text, const char *word)
{
	struct wire ahead = *text;

	for (; *word != '\0'; word++)
		if ((wire_read_u8(&ahead) | 0x20) != *word)
			return false;
	if (ahead.error)
		return false;
	*text = ahead;
	return true;
}

/*
 * Reads a URI (RFC 3986 section 3). A name that is too long counts as none, and so does
 * one with blanks or with what a URI writes by a percent sign, as our files' names have none.
 */
static void read_uri(struct wire *text, struct source *source)
{
	size_t length = 0;

	source->http = skip_word(text, "http:") || skip_word(text, "https:");
	if (source->http || !skip_word(text, "tftp://"))
		return;
	while (wire_left(text) > 0 && text->data[text->position] != '/')
		wire_skip(text, 1);
	while (wire_left(text) > 0 && text->data[text->position] != '\0') {
		uint8_t character = wire_read_u8(text);

		if (character <= ' ' || character > '~' || character == '%' ||
		    length + 1 == sizeof(source->file)) {
			length = 0;
			break;
		}
		source->file[length++] = (char)character;
	}
	source->file[length] = '\0';
}

static void read_mac_node(struct wire *node, struct source *source)
{
	uint8_t address[MAC_ADDRESS_SIZE];

	source->network = true;
	wire_read_bytes(node, address, sizeof(address));
	if (wire_read_u8(node) == ETHERNET && !node->error)
		memcpy(source->mac, address, sizeof(source->mac));
}

void device_path_read_source(const void *path, size_t size, struct source *source)
{
	struct wire wire = wire_reader(path, path ? size : 0);

	memset(source, 0, sizeof(*source));
	for (;;) {
		uint8_t type = wire_read_u8(&wire), subtype = wire_read_u8(&wire);
		uint16_t length = wire_read_le16(&wire);
		struct wire node;

		if (wire.error || type == END || length < NODE_HEADER)
			return;
		node = wire_read_part(&wire, length - NODE_HEADER);
		source->card = type == MESSAGING && subtype == MESSAGING_MAC;
		if (type != MESSAGING || node.error)
			continue;
		if (subtype == MESSAGING_MAC)
			read_mac_node(&node, source);
		else if (subtype == MESSAGING_IPV6)
			source->ipv6 = true;
		else if (subtype == MESSAGING_URI)
			read_uri(&node, source);
	}
}
