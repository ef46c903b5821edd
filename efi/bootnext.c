/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/bootnext.h"

#include "nbp/proto/wire.h"

/* Returns the days since the year 2000. It counts months from March, so a leap day is the last. */
static uint32_t count_days(uint32_t year, uint32_t month, uint32_t day)
{
	if (month < 3) {
		month += 12;
		year--;
	}
	year -= 1996; /* a leap year */
	return year * 365 + year / 4 + (153 * (month - 3) + 2) / 5 + day;
}

uint32_t bootnext_time(uint32_t year, uint32_t month, uint32_t day, uint32_t second)
{
	if (year < 2000 || year > 2099 || month - 1 > 11)
		return 0;
	return count_days(year, month, day) * 86400 + second;
}

void bootnext_write(const struct bootnext *record, uint8_t out[BOOTNEXT_SIZE])
{
	struct wire wire = wire_writer(out, BOOTNEXT_SIZE);

	wire_write_u32(&wire, record->when);
	wire_write_u32(&wire, record->count);
	wire_write_u32(&wire, record->resets);
}

/* A clock that was put back, or stands still, makes no record old: that is safe. */
bool bootnext_allowed(const void *last_record, size_t size, struct bootnext *now)
{
	struct wire wire = wire_reader(last_record, size);
	struct bootnext last = { 0 };
	uint32_t age;

	last.when = wire_read_u32(&wire);
	last.count = wire_read_u32(&wire);
	last.resets = wire_read_u32(&wire);
	now->count = 1;
	if (wire.error) /* there is no record, or an older version's */
		return true;
	age = now->when > last.when ? now->when - last.when : 0;
	/* There was no reset since our own: the disk was tried, and gave up. */
	if (last.resets != 0 && now->resets == last.resets + 1)
		return false;
	if (age >= BOOTNEXT_OLD)
		return true;
	now->count = last.count < BOOTNEXT_COUNT ? last.count + 1 : BOOTNEXT_COUNT;
	return age >= BOOTNEXT_RECENT && last.count < BOOTNEXT_COUNT;
}
