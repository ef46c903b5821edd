/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/load_option.h"

#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/wire.h"

/* Attributes (UEFI 3.1.3). */
#define ACTIVE 0x00000001u
#define CATEGORY 0x00001f00u /* 0: for booting; 1: a program, such as a firmware's menu */

int load_option_read(const void *variable, size_t size, struct load_option *option)
{
	struct wire wire = wire_reader(variable, size), paths;
	uint16_t length;
	int rc;

	memset(option, 0, sizeof(*option));
	option->attributes = wire_read_le32(&wire);
	length = wire_read_le16(&wire);
	while (wire_read_le16(&wire) != 0) /* the description; past the data's end 0 is read, too */
		;
	paths = wire_read_part(&wire, length);
	if (wire.error)
		return wire.error;
	rc = device_path_read(paths.data, paths.size, &option->facts);
	if (rc != 0)
		return rc;
	option->path.data = paths.data;
	option->path.length = option->facts.size;
	option->data.data = wire.data + wire.position;
	option->data.length = wire_left(&wire);
	return 0;
}

bool load_option_is_disk(const struct load_option *option)
{
	return (option->attributes & (ACTIVE | CATEGORY)) == ACTIVE &&
	       option->facts.kind != PATH_OTHER;
}

void load_option_name(uint16_t number, uint16_t name[9])
{
	static const char text[] = "Boot", digits[] = "0123456789ABCDEF";

	for (int i = 0; i < 4; i++) {
		name[i] = (uint16_t)text[i];
		name[4 + i] = (uint16_t)digits[number >> (12 - 4 * i) & 15];
	}
	name[8] = 0;
}
