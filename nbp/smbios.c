/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/smbios.h"

#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/text.h"
#include "nbp/proto/wire.h"

enum structure_type {
	TYPE_BIOS = 0,
	TYPE_SYSTEM = 1,
	TYPE_BOARD = 2,
	TYPE_CHASSIS = 3,
	TYPE_PROCESSOR = 4,
	TYPE_MEMORY = 17,
	TYPE_END = 127,
};

/* Offsets within structures, from their headers on. */
#define SYSTEM_UUID       0x08
#define CHASSIS_TYPE      0x05
#define PROCESSOR_STATUS  0x18
#define PROCESSOR_CORES   0x23
#define PROCESSOR_CORES_2 0x2a
#define MEMORY_SIZE       0x0c
#define MEMORY_SIZE_2     0x1c

#define STATUS_POPULATED  0x40

static bool sums_to_zero(const uint8_t *bytes, size_t count)
{
	uint8_t sum = 0;

	while (count--)
		sum = (uint8_t)(sum + *bytes++);
	return sum == 0;
}

static int entry_64(const uint8_t *bytes, size_t size, struct smbios_entry *entry)
{
	struct wire in = wire_reader(bytes, size);
	size_t length;

	wire_seek(&in, 6);
	length = wire_read_u8(&in);
	entry->version = wire_read_u16(&in); /* major, then minor: reads as one number */
	wire_skip(&in, 3);                   /* docrev, entry point revision, reserved */
	entry->length = wire_read_le32(&in);
	entry->address = wire_read_le64(&in);
	if (in.error || length < in.position || length > size || !sums_to_zero(bytes, length))
		return ERR_MALFORMED;
	return 0;
}

static int entry_32(const uint8_t *bytes, size_t size, struct smbios_entry *entry)
{
	struct wire in = wire_reader(bytes, size);
	size_t length;

	wire_seek(&in, 5);
	length = wire_read_u8(&in);
	entry->version = wire_read_u16(&in);
	wire_seek(&in, 0x16);
	entry->length = wire_read_le16(&in);
	entry->address = wire_read_le32(&in);
	/* SMBIOS 2.1 gave the length as 1Eh, one too small, and some BIOSes still do;
	 * the second checksum covers 1Fh bytes nevertheless. */
	if (in.error || length < 0x1e || length > size || size < 0x1f ||
	    !sums_to_zero(bytes, length) ||
	    memcmp(bytes + 0x10, "_DMI_", 5) != 0 || !sums_to_zero(bytes + 0x10, 0x0f))
		return ERR_MALFORMED;
	return 0;
}

int smbios_entry_read(const void *data, size_t size, struct smbios_entry *entry)
{
	if (size >= 5 && memcmp(data, "_SM3_", 5) == 0)
		return entry_64(data, size, entry);
	if (size >= 4 && memcmp(data, "_SM_", 4) == 0)
		return entry_32(data, size, entry);
	return ERR_NOT_FOUND;
}

/* One structure: the formatted area, its header included, and its strings. */
struct structure {
	uint8_t type;
	struct wire formatted;
	struct wire strings;
};

/*
 * Reads the structure under the cursor and moves past it: a header with the
 * formatted area's length, then strings that a second NUL ends (DSP0134 6.1).
 */
static int structure_next(struct wire *table, struct structure *structure)
{
	struct wire rest = *table;
	size_t length, count = 0;
	uint8_t last = 1;

	structure->type = wire_read_u8(&rest);
	length = wire_read_u8(&rest);
	if (rest.error || length < 4)
		return ERR_MALFORMED;
	structure->formatted = wire_read_part(table, length);

	rest = *table;
	for (;;) {
		uint8_t byte = wire_read_u8(&rest);

		if (rest.error)
			return ERR_TRUNCATED;
		count++;
		/* A structure without strings ends with two NULs, too. */
		if (byte == 0 && last == 0)
			break;
		last = byte;
	}
	structure->strings = wire_read_part(table, count);
	return table->error;
}

/* Returns the field at @at, or 0 if an older SMBIOS has a shorter structure. */
static uint8_t field_u8(const struct structure *structure, size_t at)
{
	struct wire field = structure->formatted;

	wire_seek(&field, at);
	return wire_read_u8(&field);
}

static uint16_t field_u16(const struct structure *structure, size_t at)
{
	struct wire field = structure->formatted;

	wire_seek(&field, at);
	return wire_read_le16(&field);
}

static uint32_t field_u32(const struct structure *structure, size_t at)
{
	struct wire field = structure->formatted;

	wire_seek(&field, at);
	return wire_read_le32(&field);
}

/* Copies string @number of @structure, counted from 1, to @out, cleaned; 0 is no string. */
static void string_read(const struct structure *structure, uint8_t number, char *out)
{
	const uint8_t *at = structure->strings.data;
	size_t left = structure->strings.size;

	while (number && left) {
		size_t length = 0;

		while (length < left && at[length])
			length++;
		if (--number == 0)
			text_clean(out, TEXT_SIZE, at, length);
		if (length == left)
			return;
		at += length + 1;
		left -= length + 1;
	}
}

/* Where the texts of a request are: the structure, and the field with the string's number. */
static const struct {
	uint8_t type, at;
	uint16_t text;
} strings[] = {
#define STRING(type, at, member) { type, at, offsetof(struct request, member) }
	STRING(TYPE_BIOS, 0x04, bios_vendor),
	STRING(TYPE_BIOS, 0x05, bios_version),
	STRING(TYPE_BIOS, 0x08, bios_date),
	STRING(TYPE_SYSTEM, 0x04, manufacturer),
	STRING(TYPE_SYSTEM, 0x05, product),
	STRING(TYPE_SYSTEM, 0x06, system_version),
	STRING(TYPE_SYSTEM, 0x07, serial),
	STRING(TYPE_SYSTEM, 0x19, sku),
	STRING(TYPE_SYSTEM, 0x1a, family),
	STRING(TYPE_BOARD, 0x04, board_manufacturer),
	STRING(TYPE_BOARD, 0x05, board_product),
	STRING(TYPE_BOARD, 0x07, board_serial),
	STRING(TYPE_CHASSIS, 0x08, asset_tag),
};

static void strings_read(const struct structure *structure, struct request *request)
{
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		char *text = (char *)request + strings[i].text;

		if (strings[i].type == structure->type && text[0] == '\0')
			string_read(structure, field_u8(structure, strings[i].at), text);
	}
}

/*
 * Brings a UUID into the order in which it is printed. From version 2.6 on its first
 * three fields are little-endian (DSP0134 7.2.1). Before, most manufacturers stored
 * them as printed, and the tools of operating systems read them so.
 */
static void uuid_read(const struct structure *structure, uint16_t version, uint8_t uuid[16])
{
	static const uint8_t little[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	struct wire field = structure->formatted;
	uint8_t raw[16], ones = 0xff;

	wire_seek(&field, SYSTEM_UUID);
	wire_read_bytes(&field, raw, sizeof(raw));
	for (int i = 0; i < 16; i++) {
		uuid[i] = version >= 0x0206 ? raw[little[i]] : raw[i];
		ones &= raw[i];
	}
	if (ones == 0xff) /* all ones: the UUID can be set, but is not */
		memset(uuid, 0, 16);
}

static uint16_t processor_cores(const struct structure *structure)
{
	uint8_t cores = field_u8(structure, PROCESSOR_CORES);

	if (!(field_u8(structure, PROCESSOR_STATUS) & STATUS_POPULATED))
		return 0;
	return cores == 0xff ? field_u16(structure, PROCESSOR_CORES_2) : cores;
}

/* Returns the MiB of a module; from 32 GiB on its size is in a second field. */
static uint32_t memory_mib(const struct structure *structure)
{
	uint16_t size = field_u16(structure, MEMORY_SIZE);

	if (size == 0xffff) /* unknown */
		return 0;
	if (size == 0x7fff)
		return field_u32(structure, MEMORY_SIZE_2) & 0x7fffffff;
	return size & 0x8000 ? (size & 0x7fffu) >> 10 : size; /* the high bit means KiB */
}

void smbios_describe(struct span table, uint16_t version, struct request *request)
{
	struct wire in = wire_reader(table.data, table.length);
	struct structure structure;
	bool had_system = false;

	while (wire_left(&in) && structure_next(&in, &structure) == 0 &&
	       structure.type != TYPE_END) {
		strings_read(&structure, request);
		switch (structure.type) {
		case TYPE_SYSTEM:
			if (!had_system)
				uuid_read(&structure, version, request->identity.uuid);
			had_system = true;
			break;
		case TYPE_CHASSIS:
			if (request->chassis_type == 0) /* the high bit means that it has a lock */
				request->chassis_type = field_u8(&structure, CHASSIS_TYPE) & 0x7f;
			break;
		case TYPE_PROCESSOR:
			request->cpu_cores = (uint16_t)(request->cpu_cores +
			                                processor_cores(&structure));
			break;
		case TYPE_MEMORY:
			request->installed_mib += memory_mib(&structure);
			break;
		}
	}
}
