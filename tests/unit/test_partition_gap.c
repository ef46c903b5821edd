/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/proto/error.h"
#include "nbp/proto/isd.h"
#include "tests/unit/partitioned.h"

/* What is before the place, and in no partition. */

/* A disk with a boot loader's code in its first sector, and one partition from 1 MiB on. */
static struct bench *with_partition(void)
{
	struct bench *bench = partitioned_fresh(512);

	memset(bench->bytes, 0x90, 440);
	put_entry(bench, 0, 0, 0x83, 2048, 1000);
	return bench;
}

/* GRUB's core image in sectors 1 to @last, by the list that its first sector has. */
static void put_grub(struct bench *bench, uint32_t last)
{
	uint8_t *first = bench->bytes + 512;

	memset(first, 0x90, 500);
	memcpy(first, "\x52\x56\xbe", 3);
	memcpy(first + 0x11b, "loading", 8);
	memset(first + 476, 0, 36);
	partitioned_put(first + 500, 2, 8);
	partitioned_put(first + 508, last - 1, 2);
	partitioned_put(first + 510, 0x820, 2);
	memset(bench->bytes + 1024, 0xcc, (last - 1) * 512);
}

static void test_marks(void **state)
{
	static const struct {
		size_t at;
		const char *mark;
	} marks[] = {
		{ 0, "XFSB" }, { 0, "LUKS\xba\xbe" }, { 512, "LABELONE" }, { 1536, "LABELONE" },
		{ 1080, "\x53\xef" }, { 4096, "\xfc\x4e\x2b\xa9" }, { 4086, "SWAPSPACE2" },
		{ 0x4000, "SKUL\xba\xbe" }, { 0x10040, "_BHRfS_M" }, { 0x8001, "CD001" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(marks); i++) {
		struct bench *bench = with_partition();

		memcpy(bench->bytes + marks[i].at, marks[i].mark, strlen(marks[i].mark));
		assert_int_equal(partitioned_check(bench), ERR_REFUSED);
		assert_false(bench->forcible);
		/* A table without partitions is no better than none. */
		put_entry(bench, 0, 0, 0, 0, 0);
		assert_int_equal(partitioned_check(bench), ERR_REFUSED);
		assert_false(bench->forcible);
	}
}

static void test_unknown(void **state)
{
	static const size_t places[] = { 512, 1024, 5000, 70000, ISD_OFFSET - 1 };

	(void)state;
	for (size_t i = 0; i < COUNT(places); i++) {
		struct bench *bench = with_partition();

		assert_int_equal(partitioned_check(bench), 0);
		bench->bytes[places[i]] = 1;
		assert_int_equal(partitioned_check(bench), ERR_REFUSED);
		assert_true(bench->forcible);
		/* In a partition of its own it is nothing to us. */
		put_entry(bench, 0, 1, 0x83, 1, 2031);
		assert_int_equal(partitioned_check(bench), 0);
		/* One behind the disk's end proves nothing. */
		bench = partitioned_fresh(512);
		bench->bytes[places[i]] = 1;
		put_entry(bench, 0, 0, 0x83, DISK_SIZE / 512, 10);
		assert_int_equal(partitioned_check(bench), ERR_REFUSED);
		assert_false(bench->forcible);
	}
}

static void test_raid_at_the_end(void **state)
{
	static const struct {
		size_t at;
		const char *mark;
	} marks[] = { { DISK_SIZE - 0x2000, "\xfc\x4e\x2b\xa9" },
	              { DISK_SIZE - 0x10000, "\xfc\x4e\x2b\xa9" },
	              { DISK_SIZE - 1024, "Intel Raid ISM" } };

	(void)state;
	for (size_t i = 0; i < COUNT(marks); i++) {
		struct bench *bench = partitioned_fresh(512);

		memcpy(bench->bytes + marks[i].at, marks[i].mark, strlen(marks[i].mark));
		assert_int_equal(partitioned_check(bench), ERR_REFUSED);
		assert_false(bench->forcible);
	}
}

static void test_grub(void **state)
{
	struct bench *bench = with_partition();

	(void)state;
	put_grub(bench, 120);
	assert_int_equal(partitioned_check(bench), 0);
	bench->bytes[121 * 512] = 1; /* behind it */
	assert_int_equal(partitioned_check(bench), ERR_REFUSED);
	assert_true(bench->forcible);
	bench = with_partition();
	put_grub(bench, 899); /* as far as it may go */
	assert_int_equal(partitioned_check(bench), 0);
	bench = with_partition();
	put_grub(bench, 900);
	assert_int_equal(partitioned_check(bench), ERR_REFUSED);
	/* A list without an end, or of nothing. */
	bench = with_partition();
	put_grub(bench, 120);
	memset(bench->bytes + 512 + 200, 2, 300);
	assert_int_equal(partitioned_check(bench), ERR_REFUSED);
	bench = with_partition();
	put_grub(bench, 120);
	partitioned_put(bench->bytes + 512 + 508, 0, 2);
	assert_int_equal(partitioned_check(bench), ERR_REFUSED);
	/* Without partitions it may be in the boot area of a file system, as Btrfs has one. */
	bench = with_partition();
	put_grub(bench, 120);
	put_entry(bench, 0, 0, 0, 0, 0);
	assert_int_equal(partitioned_check(bench), ERR_REFUSED);
	assert_false(bench->forcible);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_marks), cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_raid_at_the_end), cmocka_unit_test(test_grub),
	};

	return cmocka_run_group_tests_name("partition gap", tests, NULL, NULL);
}
