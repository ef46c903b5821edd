/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/option.h"

#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/wire.h"

/* UEFI 3.1.3 */
#define ACTIVE 0x00000001u
#define CATEGORY 0x00001f00u /* 0: to be booted; 1: a program, such as a firmware's menu */

int load_option_read(const void *variable, size_t size, struct load_option *option)
{
	struct wire wire = wire_reader(variable, size), paths;
	uint16_t length;
	int rc;

	memset(option, 0, sizeof(*option));
	option->attributes = wire_read_le32(&wire);
	length = wire_read_le16(&wire);
	while (wire_read_le16(&wire) != 0) /* its description; 0 also at the data's end */
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

/* Days since the year 2000, by the months' lengths from March on. */
static uint32_t days(uint32_t year, uint32_t month, uint32_t day)
{
	if (month < 3) {
		month += 12;
		year--;
	}
	year -= 1996; /* a leap year */
	return year * 365 + year / 4 + (153 * (month - 3) + 2) / 5 + day;
}

uint32_t boot_mark_time(uint32_t year, uint32_t month, uint32_t day, uint32_t second)
{
	if (year < 2000 || year > 2099 || month - 1 > 11)
		return 0;
	return days(year, month, day) * 86400 + second;
}

void boot_mark_write(const struct boot_mark *mark, uint8_t out[BOOT_MARK_SIZE])
{
	struct wire wire = wire_writer(out, BOOT_MARK_SIZE);

	wire_write_u32(&wire, mark->when);
	wire_write_u32(&wire, mark->count);
	wire_write_u32(&wire, mark->resets);
}

/* A clock put back, or one that stands still, makes no mark old: that is safe. */
bool boot_mark_again(const void *data, size_t size, struct boot_mark *now)
{
	struct wire wire = wire_reader(data, size);
	struct boot_mark last = { 0 };
	uint32_t age;

	last.when = wire_read_u32(&wire);
	last.count = wire_read_u32(&wire);
	last.resets = wire_read_u32(&wire);
	now->count = 1;
	if (wire.error) /* none, or of an older version */
		return true;
	age = now->when > last.when ? now->when - last.when : 0;
	/* Since our own reset there was no other: the disk was tried, and gave up. */
	if (last.resets != 0 && now->resets == last.resets + 1)
		return false;
	if (age >= BOOT_MARK_OLD)
		return true;
	now->count = last.count < BOOT_MARK_COUNT ? last.count + 1 : BOOT_MARK_COUNT;
	return age >= BOOT_MARK_RECENT && last.count < BOOT_MARK_COUNT;
}
