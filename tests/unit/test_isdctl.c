/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/proto/error.h"
#include "server/isdctl/isd_disk.h"
#include "server/isdctl/isd_fields.h"

/* Writing image-safe data to a disk, and the fields as text. */

/* A disk of which only the place is real, and that loses power after some bytes. */
struct bench {
	uint8_t place[ISD_COPIES * ISD_COPY_SIZE];
	size_t power;      /* bytes until it fails */
	size_t unsynced;   /* bytes written since the last sync */
	bool odd_order;    /* two copies were under way at once */
	struct isd_disk disk;
};

static int read_at(void *context, uint64_t offset, void *buffer, size_t length)
{
	struct bench *bench = context;

	assert_true(offset >= ISD_OFFSET && offset + length <= ISD_END);
	memcpy(buffer, bench->place + (offset - ISD_OFFSET), length);
	return 0;
}

static int write_at(void *context, uint64_t offset, const void *data, size_t length)
{
	struct bench *bench = context;
	size_t written = length < bench->power ? length : bench->power;

	assert_true(offset >= ISD_OFFSET && offset + length <= ISD_END);
	bench->odd_order = bench->odd_order || bench->unsynced;
	memcpy(bench->place + (offset - ISD_OFFSET), data, written);
	bench->power -= written;
	bench->unsynced += written;
	return written == length ? 0 : ERR_IO;
}

static int sync_all(void *context)
{
	struct bench *bench = context;

	bench->unsynced = 0;
	return 0;
}

static struct bench *fresh(void)
{
	static struct bench bench;

	memset(&bench, 0, sizeof(bench));
	bench.power = SIZE_MAX;
	bench.disk = (struct isd_disk){ read_at, write_at, sync_all, &bench };
	return &bench;
}

/* Writes a name; returns what isd_disk_write() does. */
static int write_name(struct bench *bench, const char *name)
{
	struct isd_place place;
	struct isd isd;

	assert_int_equal(isd_disk_read(&bench->disk, &place), 0);
	isd = place.isd;
	snprintf(isd.name, sizeof(isd.name), "%s", name);
	return isd_disk_write(&bench->disk, &place, &isd,
	                      place.current < 0 ? NULL : place.copies[place.current]);
}

/* Returns the name on the disk; "" if it has no data. */
static const char *read_name(struct bench *bench)
{
	static struct isd_place place;

	assert_int_equal(isd_disk_read(&bench->disk, &place), 0);
	return place.current < 0 ? "" : place.isd.name;
}

static void test_write_and_read(void **state)
{
	struct bench *bench = fresh();
	struct isd_place place;

	(void)state;
	assert_string_equal(read_name(bench), "");
	for (uint32_t i = 1; i < 6; i++) {
		char name[8];

		snprintf(name, sizeof(name), "n%u", i);
		assert_int_equal(write_name(bench, name), 0);
		assert_int_equal(isd_disk_read(&bench->disk, &place), 0);
		assert_int_equal(place.isd.sequence, i);
		assert_string_equal(place.isd.name, name);
		assert_memory_equal(place.copies[0], place.copies[1], ISD_COPY_SIZE);
		assert_false(bench->odd_order);
		assert_int_equal(bench->unsynced, 0);
	}
	assert_int_equal(isd_disk_clear(&bench->disk, &place), 0);
	assert_string_equal(read_name(bench), "");
	assert_false(isd_disk_foreign(&place));
	assert_int_equal(bench->place[0], 0);
}

/*
 * Power fails after every number of bytes: the disk has the old data or the new,
 * and the next writing goes well.
 */
static void test_every_cut(void **state)
{
	static struct bench before;
	size_t old = 0, new = 0;

	(void)state;
	/* Copies alike; only the first; only the second; the first is newer; the second is. */
	for (int start = 0; start < 5; start++) {
		struct bench *bench = fresh();

		assert_int_equal(write_name(bench, "older"), 0);
		before = *bench;
		assert_int_equal(write_name(bench, "old"), 0);
		if (start == 1)
			memset(bench->place + ISD_COPY_SIZE, 0, ISD_COPY_SIZE);
		if (start == 2)
			memset(bench->place, 0, ISD_COPY_SIZE);
		if (start == 3)
			memcpy(bench->place + ISD_COPY_SIZE, before.place, ISD_COPY_SIZE);
		if (start == 4)
			memcpy(bench->place, before.place, ISD_COPY_SIZE);
		before = *bench;
		for (size_t cut = 0; cut <= 2 * ISD_COPY_SIZE; cut++) {
			const char *name;

			*bench = before;
			bench->power = cut;
			assert_int_equal(write_name(bench, "new"),
			                 cut < 2 * ISD_COPY_SIZE ? ERR_IO : 0);
			name = read_name(bench);
			assert_true(strcmp(name, "old") == 0 || strcmp(name, "new") == 0);
			/* Once the first is whole, the new data count. */
			assert_true(cut < ISD_COPY_SIZE || strcmp(name, "new") == 0);
			assert_true(cut > 12 || strcmp(name, "old") == 0);
			old += name[0] == 'o';
			new += name[0] == 'n';
			if (cut % 97)
				continue;
			bench->power = SIZE_MAX;
			assert_int_equal(write_name(bench, "next"), 0);
			assert_string_equal(read_name(bench), "next");
		}
	}
	assert_true(old > 5 * 4000 && new > 5 * 4000);
}

/* The sectors of a copy may reach the disk in any order. */
static void test_sectors_in_any_order(void **state)
{
	static uint8_t after[ISD_COPIES * ISD_COPY_SIZE], before[sizeof(after)];
	struct bench *bench = fresh();

	(void)state;
	assert_int_equal(write_name(bench, "old"), 0);
	memcpy(before, bench->place, sizeof(before));
	assert_int_equal(write_name(bench, "new"), 0);
	memcpy(after, bench->place, sizeof(after));
	for (unsigned int mask = 0; mask < 256; mask++) {
		const char *name;

		/* The second copy is written first, as the first one counts. */
		memcpy(bench->place, before, sizeof(before));
		for (size_t i = 0; i < 8; i++)
			if (mask >> i & 1)
				memcpy(bench->place + ISD_COPY_SIZE + 512 * i,
				       after + ISD_COPY_SIZE + 512 * i, 512);
		name = read_name(bench);
		assert_true(strcmp(name, "old") == 0 || strcmp(name, "new") == 0);
	}
}

static void test_cut_clear(void **state)
{
	static struct bench before;
	struct bench *bench = fresh();
	struct isd_place place;

	(void)state;
	assert_int_equal(write_name(bench, "older"), 0);
	before = *bench;
	assert_int_equal(write_name(bench, "old"), 0);
	/* An older copy must not come back from the dead. */
	memcpy(bench->place + ISD_COPY_SIZE, before.place, ISD_COPY_SIZE);
	before = *bench;
	for (size_t cut = 0; cut <= 2 * ISD_COPY_SIZE; cut++) {
		const char *name;

		*bench = before;
		assert_int_equal(isd_disk_read(&bench->disk, &place), 0);
		bench->power = cut;
		isd_disk_clear(&bench->disk, &place);
		name = read_name(bench);
		assert_true(strcmp(name, "old") == 0 || (cut > ISD_COPY_SIZE && !name[0]));
	}
	assert_string_equal(read_name(bench), "");
}

static void test_foreign(void **state)
{
	struct bench *bench = fresh();
	struct isd_place place;

	(void)state;
	bench->place[sizeof(bench->place) - 1] = 1;
	assert_int_equal(isd_disk_read(&bench->disk, &place), 0);
	assert_true(isd_disk_foreign(&place));
	assert_int_equal(write_name(bench, "ours"), 0);
	bench->place[100] ^= 1; /* damaged, but ours */
	assert_int_equal(isd_disk_read(&bench->disk, &place), 0);
	assert_int_equal(place.state[0], ERR_MALFORMED);
	assert_false(isd_disk_foreign(&place));
	assert_string_equal(read_name(bench), "ours");
}

/* --- fields ---------------------------------------------------------------- */

static void test_fields(void **state)
{
	static const struct {
		const char *field, *text;
		const char *back; /* NULL: refused */
	} cases[] = {
		{ "just-imaged", "yes", "yes" },
		{ "just-imaged", "no", "no" },
		{ "just-imaged", "", "no" },
		{ "just-imaged", "1", NULL },
		{ "network", "dhcp", "dhcp" },
		{ "network", "static", "static" },
		{ "network", "DHCP", NULL },
		{ "network", "", "" },
		{ "device-id", "0123456789ABCDEF0123456789abcdef",
		  "01234567-89ab-cdef-0123-456789abcdef" },
		{ "device-id", "0123", NULL },
		{ "device-id", "", "" },
		{ "name", "web 01", "web 01" },
		{ "name", "a\n", NULL },
		{ "name", "\xc3\xa4", NULL },
		{ "name", "0123456789012345678901234567890123456789012345678901234567890123",
		  NULL },
		{ "address", "192.168.1.20", "192.168.1.20" },
		{ "address", "192.168.1", NULL },
		{ "address", "1.2.3.256", NULL },
		{ "mask", "255.255.255.0", "255.255.255.0" },
		{ "gateway", "10.0.0.1", "10.0.0.1" },
		{ "dns", "1.2.3.4", "1.2.3.4" },
		{ "dns", "1.2.3.4,5.6.7.8", "1.2.3.4,5.6.7.8" },
		{ "dns", "1.2.3.4,", NULL },
		{ "dns", ",", NULL },
		{ "dns", "", "" },
		{ "dns", "1.1.1.1,2.2.2.2,3.3.3.3,4.4.4.4", "1.1.1.1,2.2.2.2,3.3.3.3,4.4.4.4" },
		{ "dns", "1.1.1.1,2.2.2.2,3.3.3.3,4.4.4.4,5.5.5.5", NULL },
		{ "dns-suffix", "example.test", "example.test" },
		{ "image", "a.img", "a.img" },
		{ "image-size", "18446744073709551615", "18446744073709551615" },
		{ "image-size", "18446744073709551616", NULL },
		{ "image-size", "-1", NULL },
		{ "image-size", "5G", NULL },
		{ "image-size", "0", "" },
		{ "image-time", "2026-07-20T15:12:00Z", "2026-07-20T15:12:00Z" },
		{ "image-time", "1784560320", "2026-07-20T15:12:00Z" },
		{ "image-time", "yesterday", NULL },
		{ "image-time", "2026-07-20T15:12:00", NULL },
		{ "key", "00", NULL },
		{ "key", "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F",
		  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" },
		{ "key", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1g", NULL },
	};
	char text[ISD_FIELD_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int index = isd_field_find(cases[i].field, strlen(cases[i].field));
		struct isd isd = { .sequence = 3 }, before = isd;
		char expected[ISD_FIELD_TEXT];
		int rc;

		print_message("           %s=%s\n", cases[i].field, cases[i].text);
		assert_true(index >= 0);
		rc = isd_field_parse(&isd, (size_t)index, cases[i].text, expected);
		assert_true(expected[0]);
		assert_int_equal(rc == 0, cases[i].back != NULL);
		if (rc)
			assert_memory_equal(&isd, &before, sizeof(isd));
		isd_field_format(&isd, (size_t)index, text);
		if (cases[i].back)
			assert_string_equal(text, cases[i].back);
	}
	assert_int_equal(isd_field_find("nam", 3), -1);
	assert_int_equal(isd_field_find("names", 5), -1);
}

static void test_random(void **state)
{
	static const char *const names[] = { "device-id", "key" };
	char one[ISD_FIELD_TEXT], two[ISD_FIELD_TEXT];
	char expected[ISD_FIELD_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		size_t index = (size_t)isd_field_find(names[i], strlen(names[i]));
		struct isd isd = { 0 };

		assert_int_equal(isd_field_parse(&isd, index, "random", expected), 0);
		isd_field_format(&isd, index, one);
		assert_int_equal(isd_field_parse(&isd, index, "random", expected), 0);
		isd_field_format(&isd, index, two);
		assert_string_not_equal(one, two);
		if (i == 0)
			assert_true(one[14] == '4' && strchr("89ab", one[19]));
		assert_int_equal(isd_field_secret(index), i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_and_read), cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_sectors_in_any_order), cmocka_unit_test(test_cut_clear),
		cmocka_unit_test(test_foreign), cmocka_unit_test(test_fields),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("isdctl", tests, NULL, NULL);
}
