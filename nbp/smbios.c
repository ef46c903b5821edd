/* SPDX-License-Identifier: BSD-2-Clause */
#include "smbios.h"

#include "error.h"
#include "memory.h"
#include "text.h"
#include "wire.h"

#define TYPE_SYSTEM 1
#define TYPE_END    127

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
	/* 1Eh: SMBIOS 2.1 gave the length one too small, and some BIOSes kept it. */
	if (in.error || length < 0x1e || length > size || !sums_to_zero(bytes, length) ||
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

/* One structure: the formatted area after its header, and its strings. */
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
	struct wire rest;
	size_t length, count = 0;
	uint8_t last = 1;

	structure->type = wire_read_u8(table);
	length = wire_read_u8(table);
	wire_skip(table, 2); /* handle */
	if (table->error || length < 4)
		return ERR_MALFORMED;
	structure->formatted = wire_read_part(table, length - 4);

	rest = *table;
	for (;;) {
		uint8_t byte = wire_read_u8(&rest);

		if (rest.error)
			return ERR_TRUNCATED;
		count++;
		/* Without any string there are two NULs all the same. */
		if (byte == 0 && last == 0)
			break;
		last = byte;
	}
	structure->strings = wire_read_part(table, count);
	return table->error;
}

/* Copies string @number (from 1; 0: none) of @structure to @out, cleaned. */
static void string_read(const struct structure *structure, uint8_t number, char *out, size_t size)
{
	const uint8_t *at = structure->strings.data;
	size_t left = structure->strings.size;

	out[0] = '\0';
	while (number && left) {
		size_t length = 0;

		while (length < left && at[length])
			length++;
		if (--number == 0)
			text_clean(out, size, at, length);
		if (length == left)
			return;
		at += length + 1;
		left -= length + 1;
	}
}

/*
 * Brings a UUID into the order it is printed. From version 2.6 on its first
 * three fields are little-endian (DSP0134 7.2.1); before, most makers had them
 * as printed, and the tools of operating systems read them so.
 */
static void uuid_read(struct wire *in, uint16_t version, uint8_t uuid[16])
{
	static const uint8_t little[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	uint8_t raw[16], ones = 0xff;

	wire_read_bytes(in, raw, sizeof(raw));
	for (int i = 0; i < 16; i++) {
		uuid[i] = version >= 0x0206 ? raw[little[i]] : raw[i];
		ones &= raw[i];
	}
	if (ones == 0xff) /* all ones: settable, but not set */
		memset(uuid, 0, 16);
}

int smbios_system_read(struct span table, uint16_t version, struct smbios_system *system)
{
	struct wire in = wire_reader(table.data, table.length);
	struct structure structure;

	memset(system, 0, sizeof(*system));
	while (wire_left(&in) && structure_next(&in, &structure) == 0 &&
	       structure.type != TYPE_END) {
		struct wire *body = &structure.formatted;

		if (structure.type != TYPE_SYSTEM)
			continue;
		string_read(&structure, wire_read_u8(body), system->manufacturer,
		            sizeof(system->manufacturer));
		string_read(&structure, wire_read_u8(body), system->product,
		            sizeof(system->product));
		wire_skip(body, 1); /* version */
		string_read(&structure, wire_read_u8(body), system->serial,
		            sizeof(system->serial));
		uuid_read(body, version, system->uuid);
		return 0;
	}
	return ERR_NOT_FOUND;
}
