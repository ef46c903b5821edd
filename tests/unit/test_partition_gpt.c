/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/proto/crc32.h"
#include "nbp/proto/error.h"
#include "nbp/proto/isd.h"
#include "tests/unit/partitioned.h"

struct gpt {
	uint64_t at, alternate, entries;
	uint32_t count, entry_size;
	uint64_t first, last; /* of partition 3 */
};

static void put_gpt(struct bench *bench, const struct gpt *gpt)
{
	uint32_t size = bench->disk.sector_size;
	uint8_t *header = bench->bytes + gpt->at * size;
	uint8_t *entries = bench->bytes + gpt->entries * size;

	memset(header, 0, size);
	memset(entries, 0, (size_t)gpt->count * gpt->entry_size);
	memset(entries + 2 * gpt->entry_size, 0xaf, 32);
	partitioned_put(entries + 2 * gpt->entry_size + 32, gpt->first, 8);
	partitioned_put(entries + 2 * gpt->entry_size + 40, gpt->last, 8);
	memcpy(header, "EFI PART\0\0\1\0\x5c\0\0\0", 16);
	partitioned_put(header + 24, gpt->at, 8);
	partitioned_put(header + 32, gpt->alternate, 8);
	partitioned_put(header + 72, gpt->entries, 8);
	partitioned_put(header + 80, gpt->count, 4);
	partitioned_put(header + 84, gpt->entry_size, 4);
	partitioned_put(header + 88, crc32(entries, (size_t)gpt->count * gpt->entry_size), 4);
	partitioned_put(header + 16, crc32(header, 92), 4);
}

/* A usual GPT: both tables and a protective MBR, partition 3 from @first to @last. */
static struct gpt make_gpt(struct bench *bench, uint64_t first, uint64_t last)
{
	uint32_t size = bench->disk.sector_size, sectors = DISK_SIZE / size;
	struct gpt gpt = { 1, sectors - 1, 2, 128, 128, first, last };
	struct gpt backup = gpt;

	backup.at = gpt.alternate;
	backup.alternate = 1;
	backup.entries = sectors - 1 - 128 * 128 / size;
	put_entry(bench, 0, 0, 0xee, 1, sectors - 1);
	put_gpt(bench, &gpt);
	put_gpt(bench, &backup);
	return gpt;
}

static void test_gpt(void **state)
{
	static const struct {
		uint32_t sector_size;
		uint64_t first, last;
		int expected;
	} cases[] = {
		{ 512, 2048, 4000, 0 },
		{ 512, 34, 2031, 0 },
		{ 512, 34, 2032, ERR_REFUSED },
		{ 512, 2047, 2047, ERR_REFUSED },
		{ 512, 34, UINT64_MAX, ERR_REFUSED },
		{ 512, UINT64_MAX, 0, 0 }, /* ends before it begins */
		{ 4096, 256, 300, 0 },
		{ 4096, 6, 253, 0 },
		{ 4096, 6, 254, ERR_REFUSED },
		{ 4096, 255, 900, ERR_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bench *bench = partitioned_fresh(cases[i].sector_size);
		uint32_t guessed;

		make_gpt(bench, cases[i].first, cases[i].last);
		assert_int_equal(partitioned_check(bench), cases[i].expected);
		assert_int_equal(partition_guess_sector_size(&bench->disk, &guessed), 0);
		assert_int_equal(guessed, cases[i].sector_size);
		/* The primary table is damaged or gone: the backup is read. */
		bench->bytes[cases[i].sector_size + 24] ^= 1;
		assert_int_equal(partitioned_check(bench), cases[i].expected);
		memset(bench->bytes + cases[i].sector_size, 0, 92);
		assert_int_equal(partitioned_check(bench), cases[i].expected);
		/* And now both are. */
		bench->bytes[DISK_SIZE - cases[i].sector_size + 24] ^= 1;
		assert_int_equal(partitioned_check(bench), ERR_MALFORMED);
		memset(bench->bytes + DISK_SIZE - cases[i].sector_size, 0, 92);
		assert_int_equal(partitioned_check(bench), ERR_MALFORMED);
		put_entry(bench, 0, 0, 0, 0, 0);
		memset(bench->bytes, 0, 512);
		memset(bench->bytes + 512, 0, 40000);
		assert_int_equal(partitioned_check(bench),
		                 0); /* nothing is announced, all is zeros */
	}
}

/* A hybrid MBR's own partitions count as well as the GPT's. */
static void test_hybrid(void **state)
{
	struct bench *bench = partitioned_fresh(512);

	(void)state;
	make_gpt(bench, 2048, 4000);
	put_entry(bench, 0, 0, 0xee, 1, 1);
	put_entry(bench, 0, 1, 0x0c, 2048, 1953);
	assert_int_equal(partitioned_check(bench), 0);
	put_entry(bench, 0, 2, 0x0c, 1000, 1040);
	assert_int_equal(partitioned_check(bench), ERR_REFUSED);
	bench = partitioned_fresh(512);
	make_gpt(bench, 2040, 4000);
	put_entry(bench, 0, 1, 0x0c, 2048, 1953);
	assert_int_equal(partitioned_check(bench), ERR_REFUSED);
}

/* The tables themselves may be in the place. */
static void test_large_tables(void **state)
{
	struct bench *bench = partitioned_fresh(512);
	struct gpt gpt = make_gpt(bench, 5000, 6000);

	(void)state;
	memset(bench->bytes + DISK_SIZE - 512, 0, 512);
	gpt.count = 8000; /* 1,024,000 bytes: sectors 2 to 2001 */
	put_gpt(bench, &gpt);
	assert_int_equal(partitioned_check(bench), 0);
	gpt.count = 8192; /* to sector 2049 */
	put_gpt(bench, &gpt);
	assert_int_equal(partitioned_check(bench), ERR_REFUSED);
	/* The backup of a small disk, or one that was put there. */
	gpt = make_gpt(bench, 5000, 6000);
	gpt.alternate = 2040;
	put_gpt(bench, &gpt);
	gpt.at = 2040;
	gpt.entries = 3000;
	put_gpt(bench, &gpt);
	assert_int_equal(partitioned_check(bench), ERR_REFUSED);
}

/* Values that no sane table has; the header's CRC is right each time. */
static void test_mad_headers(void **state)
{
	static const struct {
		size_t at, size;
		uint64_t value;
	} cases[] = {
		{ 12, 4, 91 },
		{ 12, 4, 513 },
		{ 12, 4, 0xffffffff },
		{ 12, 4, 0 },
		{ 24, 8, 2 },
		{ 24, 8, UINT64_MAX },
		{ 72, 8, UINT64_MAX },
		{ 72, 8, DISK_SIZE / 512 },
		{ 72, 8, DISK_SIZE / 512 - 1 },
		{ 80, 4, 0 },
		{ 80, 4, 0xffffffff },
		{ 80, 4, 8193 },
		{ 84, 4, 0 },
		{ 84, 4, 127 },
		{ 84, 4, 132 },
		{ 84, 4, 0x80000000 },
		{ 88, 4, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bench *bench = partitioned_fresh(512);
		uint8_t *header = bench->bytes + 512;

		make_gpt(bench, 2048, 4000);
		memset(bench->bytes + DISK_SIZE - 512, 0, 512);
		partitioned_put(header + cases[i].at, cases[i].value, cases[i].size);
		partitioned_put(header + 16, 0, 4);
		partitioned_put(header + 16, crc32(header, 92), 4);
		assert_int_equal(partitioned_check(bench), ERR_MALFORMED);
	}
}

/* Whatever stands in the first sectors: an end, and no crash. */
static void test_noise(void **state)
{
	uint32_t random = 1;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct bench *bench = partitioned_fresh(round % 2 ? 4096 : 512);
		struct partition_answer answer;

		make_gpt(bench, 2048, 4000);
		for (int i = 0; i < 40; i++) {
			random = random * 1664525 + 1013904223;
			bench->bytes[446 + (random >> 8) % 700] = (uint8_t)(random >> 24);
		}
		bench->bytes[510] = 0x55;
		bench->bytes[511] = 0xaa;
		partition_check(&bench->disk, ISD_OFFSET, ISD_END, &answer);
		assert_true(bench->reads < 5000);
	}
}

static void test_small_and_unreadable(void **state)
{
	struct bench *bench = partitioned_fresh(512);
	uint32_t size;

	(void)state;
	bench->disk.size = ISD_END - 1;
	assert_int_equal(partitioned_check(bench), ERR_SPACE);
	bench->disk.size = ISD_END;
	assert_int_equal(partitioned_check(bench), 0);
	bench->disk.size = 100;
	assert_int_equal(partition_guess_sector_size(&bench->disk, &size), 0);
	bench->disk.size = (uint64_t)DISK_SIZE * 2; /* the backup cannot be read */
	make_gpt(bench, 2048, 4000);
	memset(bench->bytes + 512, 0, 512);
	assert_int_equal(partitioned_check(bench), ERR_IO);
	memcpy(bench->bytes + 512, "EFI PART", 8);
	memcpy(bench->bytes + 4096, "EFI PART", 8);
	assert_int_equal(partition_guess_sector_size(&bench->disk, &size), ERR_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gpt), cmocka_unit_test(test_hybrid),
		cmocka_unit_test(test_large_tables), cmocka_unit_test(test_mad_headers),
		cmocka_unit_test(test_noise), cmocka_unit_test(test_small_and_unreadable),
	};

	return cmocka_run_group_tests_name("partition gpt", tests, NULL, NULL);
}
