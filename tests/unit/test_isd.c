/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/proto/crc32.h"
#include "nbp/proto/error.h"
#include "nbp/isd_load.h"
#include "nbp/proto/isd.h"
#include "tests/unit/fake.h"
#include "tests/unit/vector.h"

/* Image-safe data: copies, and which of a disk's two counts. */

static const struct isd sample = {
	.sequence = 5, .just_imaged = 1,
	.device = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
	            0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10 },
	.name = "web01", .network = ISD_NETWORK_STATIC,
	.address = { 192, 168, 1, 20 }, .mask = { 255, 255, 255, 0 },
	.gateway = { 192, 168, 1, 1 }, .dns_suffix = "example.test",
	.dns_count = 2, .dns = { { 192, 168, 1, 2 }, { 192, 168, 1, 3 } },
	.image = "web.img", .image_time = 1784560320, .image_size = 5368709120,
	.key = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
	         22, 23, 24, 25, 26, 27, 28, 29, 30, 31 },
};

/* Corrects the CRC of a changed copy. */
static void seal(uint8_t copy[ISD_COPY_SIZE])
{
	uint32_t crc = crc32(copy, ISD_COPY_SIZE - 4);

	for (int i = 0; i < 4; i++)
		copy[ISD_COPY_SIZE - 4 + i] = (uint8_t)(crc >> (24 - 8 * i));
}

/* Makes a copy with @length bytes of fields at @fields. */
static void make_copy(uint8_t copy[ISD_COPY_SIZE], const void *fields, size_t length)
{
	memset(copy, 0, ISD_COPY_SIZE);
	memcpy(copy, "OPBI\x01", 5);
	copy[6] = (uint8_t)(length >> 8);
	copy[7] = (uint8_t)length;
	copy[11] = 1;
	memcpy(copy + 12, fields, length);
	seal(copy);
}

static void test_crc32(void **state)
{
	(void)state;
	assert_int_equal(crc32("123456789", 9), 0xcbf43926);
	assert_int_equal(crc32("", 0), 0);
}

static void test_vector(void **state)
{
	uint8_t wanted[ISD_COPY_SIZE], copy[ISD_COPY_SIZE];
	struct isd isd;

	(void)state;
	assert_int_equal(read_vector("image-safe data", wanted, sizeof(wanted)), ISD_COPY_SIZE);
	assert_int_equal(isd_encode(&sample, NULL, copy), 0);
	assert_memory_equal(copy, wanted, sizeof(copy));
	assert_int_equal(isd_decode(&isd, wanted), 0);
	assert_memory_equal(&isd, &sample, sizeof(isd));
}

static void test_empty(void **state)
{
	uint8_t copy[ISD_COPY_SIZE] = { 0 };
	static const struct isd nothing = { .sequence = 1 };
	struct isd isd;

	(void)state;
	assert_int_equal(isd_decode(&isd, copy), ERR_NOT_FOUND);
	assert_int_equal(isd_encode(&nothing, NULL, copy), 0);
	assert_int_equal(isd_decode(&isd, copy), 0);
	assert_memory_equal(&isd, &nothing, sizeof(isd));
}

/* One bit anywhere makes it invalid. */
static void test_every_bit(void **state)
{
	uint8_t copy[ISD_COPY_SIZE];
	struct isd isd;

	(void)state;
	assert_int_equal(isd_encode(&sample, NULL, copy), 0);
	for (size_t i = 0; i < sizeof(copy); i++) {
		copy[i] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(isd_decode(&isd, copy), i < 4 ? ERR_NOT_FOUND : ERR_MALFORMED);
		copy[i] ^= (uint8_t)(1 << i % 8);
	}
	assert_int_equal(isd_decode(&isd, copy), 0);
}

#define BYTES(text) text, sizeof(text) - 1

static void test_malformed_fields(void **state)
{
	static const struct {
		const char *fields;
		size_t length;
		int expected;
	} cases[] = {
		{ BYTES(""), 0 },
		{ BYTES("\0\1\0\1\1"), 0 },
		{ BYTES("\0\1\0\1\1\0\1\0\1\1"), ERR_MALFORMED }, /* twice */
		{ BYTES("\0\1\0\2\1\1"), ERR_MALFORMED },         /* too long for a byte */
		{ BYTES("\0\1\0\0"), ERR_MALFORMED },
		{ BYTES("\0\1\0\1"), ERR_MALFORMED },             /* ends within the field */
		{ BYTES("\0\1\0"), ERR_MALFORMED },
		{ BYTES("\0"), ERR_MALFORMED },
		{ BYTES("\0\1\xff\xff\1"), ERR_MALFORMED },
		{ BYTES("\0\2\0\x0f" "123456789012345"), ERR_MALFORMED },
		{ BYTES("\0\3\0\2a\n"), ERR_MALFORMED },          /* not printable */
		{ BYTES("\0\3\0\3a\0b"), ERR_MALFORMED },         /* bytes after the text's NUL */
		{ BYTES("\0\3\0\0"), 0 },
		{ BYTES("\0\x0b\0\4" "\0\0\0\1"), ERR_MALFORMED },
		{ BYTES("\0\x09\0\0"), 0 },
		{ BYTES("\0\x09\0\3abc"), ERR_MALFORMED },
		{ BYTES("\0\x09\0\x10" "1234567890123456"), 0 },
		{ BYTES("\0\x09\0\x14" "12345678901234567890"), ERR_MALFORMED },
		{ BYTES("\x12\x34\0\3abc\0\1\0\1\1"), 0 },        /* an unknown field is ignored */
		{ BYTES("\0\0\0\3abc"), 0 },
		{ BYTES("\x12\x34\0\4abc"), ERR_MALFORMED },
	};
	uint8_t copy[ISD_COPY_SIZE], long_name[4 + NAME_SIZE];
	struct isd isd;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		print_message("           case %zu\n", i);
		make_copy(copy, cases[i].fields, cases[i].length);
		assert_int_equal(isd_decode(&isd, copy), cases[i].expected);
	}
	for (uint8_t length = NAME_SIZE - 1; length <= NAME_SIZE; length++) {
		memset(long_name, 'n', sizeof(long_name));
		memcpy(long_name, (uint8_t[]){ 0, 3, 0, length }, 4);
		make_copy(copy, long_name, 4 + (size_t)length);
		assert_int_equal(isd_decode(&isd, copy), length < NAME_SIZE ? 0 : ERR_MALFORMED);
	}
}

static void test_header(void **state)
{
	uint8_t copy[ISD_COPY_SIZE];
	struct isd isd;

	(void)state;
	assert_int_equal(isd_encode(&sample, NULL, copy), 0);
	copy[4] = 2;
	seal(copy);
	assert_int_equal(isd_decode(&isd, copy), ERR_VERSION);
	copy[4] = 1;
	copy[5] = 0xff; /* unknown flags */
	seal(copy);
	assert_int_equal(isd_decode(&isd, copy), 0);
	/* The fields may reach to the CRC and no further. */
	make_copy(copy, "", 0);
	for (size_t length = 4079; length <= 4082; length++) {
		memcpy(copy + 12, "\x12\x34", 2);
		copy[6] = (uint8_t)(length >> 8);
		copy[7] = (uint8_t)length;
		copy[14] = (uint8_t)((length - 4) >> 8);
		copy[15] = (uint8_t)(length - 4);
		seal(copy);
		assert_int_equal(isd_decode(&isd, copy), length <= 4080 ? 0 : ERR_MALFORMED);
	}
}

static void test_what_cannot_be_encoded(void **state)
{
	uint8_t copy[ISD_COPY_SIZE], old[ISD_COPY_SIZE], big[4080] = { 0x12, 0x34, 0x0f, 0xec };
	struct isd isd = sample;

	(void)state;
	strcpy(isd.name, "a\x07");
	assert_int_equal(isd_encode(&isd, NULL, copy), ERR_MALFORMED);
	memset(isd.name, 'a', sizeof(isd.name));
	assert_int_equal(isd_encode(&isd, NULL, copy), ERR_MALFORMED);
	isd = sample;
	isd.dns_count = ISD_DNS_MAX + 1;
	assert_int_equal(isd_encode(&isd, NULL, copy), ERR_MALFORMED);
	/* Unknown fields fill the copy. */
	make_copy(old, big, sizeof(big));
	memset(&isd, 0, sizeof(isd));
	assert_int_equal(isd_encode(&isd, old, copy), 0);
	isd.just_imaged = 1;
	assert_int_equal(isd_encode(&isd, old, copy), ERR_SPACE);
	old[100] ^= 1;
	assert_int_equal(isd_encode(&isd, old, copy), ERR_MALFORMED);
	/* The CRC is right, the fields are not. */
	make_copy(old, "\x12\x34\0\4abc", 7);
	assert_int_equal(isd_encode(&isd, old, copy), ERR_MALFORMED);
}

/* A later version may have fields that this one must keep. */
static void test_unknown_fields_are_kept(void **state)
{
	uint8_t old[ISD_COPY_SIZE], copy[ISD_COPY_SIZE], wanted[ISD_COPY_SIZE];
	static const char fields[] = "\x12\x34\0\3abc\0\1\0\1\1\x00\x40\0\0\xff\xff\0\1z";
	static const char kept[] = "\0\3\0\1x\x12\x34\0\3abc\x00\x40\0\0\xff\xff\0\1z";
	struct isd isd;

	(void)state;
	make_copy(old, BYTES(fields));
	assert_int_equal(isd_decode(&isd, old), 0);
	assert_int_equal(isd.just_imaged, 1);
	isd.just_imaged = 0;
	strcpy(isd.name, "x");
	assert_int_equal(isd_encode(&isd, old, copy), 0);
	make_copy(wanted, BYTES(kept));
	assert_memory_equal(copy, wanted, sizeof(copy));
}

static void test_sequence_goes_round(void **state)
{
	(void)state;
	assert_true(isd_newer(2, 1));
	assert_false(isd_newer(1, 2));
	assert_false(isd_newer(1, 1));
	assert_true(isd_newer(0, 0xffffffff));
	assert_true(isd_newer(5, 0xfffffff0));
	assert_false(isd_newer(0xffffffff, 0));
	assert_true(isd_newer(0x7fffffff, 0));
	assert_false(isd_newer(0x80000000, 0));
}

/* --- from a disk ----------------------------------------------------------- */

struct box {
	struct fake fake; /* first: disk_read() casts back */
	uint8_t place[ISD_COPIES][ISD_COPY_SIZE];
	int fails[ISD_COPIES];
	unsigned int reads;
};

static int disk_read(struct platform *p, size_t disk, uint64_t lba, uint32_t count, void *buffer)
{
	struct box *box = (struct box *)p;
	uint64_t at = lba * p->machine.disks[0].sector_size;
	size_t which = at != ISD_OFFSET;

	assert_int_equal(disk, 0);
	assert_int_equal(count * p->machine.disks[0].sector_size, ISD_COPY_SIZE);
	assert_true(at == ISD_OFFSET || at == ISD_OFFSET + ISD_COPY_SIZE);
	box->reads++;
	memcpy(buffer, box->place[which], ISD_COPY_SIZE);
	return box->fails[which];
}

static void make_box(struct box *box, uint32_t sector_size)
{
	memset(box, 0, sizeof(*box));
	fake_start(&box->fake);
	box->fake.platform.disk_read = disk_read;
	box->fake.platform.machine.disk_count = 1;
	box->fake.platform.machine.disks[0] =
		(struct disk){ .sector_size = sector_size, .sectors = 1 << 20 };
}

/* Puts a copy with @sequence and a name of its own into @place. */
static void put(struct box *box, size_t place, uint32_t sequence)
{
	struct isd isd = { .sequence = sequence };

	snprintf(isd.name, sizeof(isd.name), "copy%zu", place);
	assert_int_equal(isd_encode(&isd, NULL, box->place[place]), 0);
}

static void test_newest_counts(void **state)
{
	static const struct {
		uint32_t sequence[2]; /* 0: no copy */
		int fails[2];
		int expected;
		const char *name;
	} cases[] = {
		{ { 1, 2 }, { 0, 0 }, 0, "copy1" }, { { 2, 1 }, { 0, 0 }, 0, "copy0" },
		{ { 3, 3 }, { 0, 0 }, 0, "copy0" }, { { 7, 0 }, { 0, 0 }, 0, "copy0" },
		{ { 0, 7 }, { 0, 0 }, 0, "copy1" }, { { 0, 0 }, { 0, 0 }, ERR_NOT_FOUND, "" },
		{ { 0xffffffff, 1 }, { 0, 0 }, 0, "copy1" },
		{ { 2, 1 }, { ERR_IO, 0 }, 0, "copy1" }, { { 2, 1 }, { 0, ERR_IO }, 0, "copy0" },
		{ { 2, 1 }, { ERR_IO, ERR_IO }, ERR_IO, "" },
		{ { 2, 0 }, { ERR_IO, 0 }, ERR_NOT_FOUND, "" },
	};
	static const uint32_t sizes[] = { 512, 1024, 2048, 4096 };
	static struct box box;
	struct isd isd;

	(void)state;
	for (size_t i = 0; i < COUNT(cases) * COUNT(sizes); i++) {
		size_t c = i / COUNT(sizes);

		make_box(&box, sizes[i % COUNT(sizes)]);
		for (size_t place = 0; place < 2; place++) {
			if (cases[c].sequence[place])
				put(&box, place, cases[c].sequence[place]);
			box.fails[place] = cases[c].fails[place];
		}
		assert_int_equal(isd_load(&box.fake.platform, &isd), cases[c].expected);
		assert_string_equal(isd.name, cases[c].name);
		assert_int_equal(box.reads, 2);
	}
}

static void test_disks_that_have_none(void **state)
{
	static const struct {
		size_t count;
		struct disk disk;
	} cases[] = {
		{ 0, { .sector_size = 512, .sectors = 1 << 20 } },
		{ 1, { .sector_size = 0, .sectors = 1 << 20 } },
		{ 1, { .sector_size = 256, .sectors = 1 << 20 } },
		{ 1, { .sector_size = 520, .sectors = 1 << 20 } },
		{ 1, { .sector_size = 8192, .sectors = 1 << 20 } },
		{ 1, { .sector_size = 512, .sectors = 2047 } },
		{ 1, { .sector_size = 4096, .sectors = 255 } },
	};
	static struct box box;
	struct isd isd;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		make_box(&box, 512);
		put(&box, 0, 1);
		box.fake.platform.machine.disk_count = cases[i].count;
		box.fake.platform.machine.disks[0] = cases[i].disk;
		assert_int_equal(isd_load(&box.fake.platform, &isd), ERR_IO);
		assert_int_equal(box.reads, 0);
		assert_int_equal(isd.name[0], 0);
	}
	/* A disk of unknown size is read nevertheless. */
	make_box(&box, 512);
	put(&box, 0, 1);
	box.fake.platform.machine.disks[0].sectors = 0;
	assert_int_equal(isd_load(&box.fake.platform, &isd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crc32), cmocka_unit_test(test_vector),
		cmocka_unit_test(test_empty), cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_malformed_fields), cmocka_unit_test(test_header),
		cmocka_unit_test(test_what_cannot_be_encoded),
		cmocka_unit_test(test_unknown_fields_are_kept),
		cmocka_unit_test(test_sequence_goes_round), cmocka_unit_test(test_newest_counts),
		cmocka_unit_test(test_disks_that_have_none),
	};

	return cmocka_run_group_tests_name("isd", tests, NULL, NULL);
}
