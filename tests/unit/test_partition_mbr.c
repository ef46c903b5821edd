/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/proto/error.h"
#include "nbp/proto/isd.h"
#include "tests/unit/partitioned.h"

static void test_primary(void **state)
{
	static const struct {
		uint32_t sector_size, start, count;
		int expected;
	} cases[] = {
		{ 512, 2048, 1000, 0 },              /* from 1 MiB on */
		{ 512, 63, 1969, 0 },                /* to just below */
		{ 512, 63, 1970, ERR_REFUSED },      /* the first byte of it */
		{ 512, 2047, 1000, ERR_REFUSED },    /* the last sector of it */
		{ 512, 2032, 16, ERR_REFUSED },      /* all of it */
		{ 512, 1, 0xffffffff, ERR_REFUSED }, /* 2 TiB */
		{ 512, 2048, 0xffffffff, 0 },
		{ 512, 63, 0, 0 },                   /* empty */
		{ 4096, 256, 100, 0 },
		{ 4096, 255, 100, ERR_REFUSED },
		{ 4096, 6, 248, 0 },
		{ 4096, 6, 249, ERR_REFUSED },
	};
	struct bench *bench;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (int entry = 0; entry < 4; entry++) {
			bench = partitioned_fresh(cases[i].sector_size);
			put_entry(bench, 0, entry, 0x83, cases[i].start, cases[i].count);
			assert_int_equal(partitioned_check(bench), cases[i].expected);
		}
	}
	/* An entry without a type is none, whatever else it says. */
	bench = partitioned_fresh(512);
	put_entry(bench, 0, 0, 0, 1, 4000);
	assert_int_equal(partitioned_check(bench), 0);
}

static void test_no_table(void **state)
{
	struct bench *bench = partitioned_fresh(512);

	(void)state;
	assert_int_equal(partitioned_check(bench), 0);
	/* A file system from the first sector on, or an image that is not raw. */
	bench->bytes[1080] = 0x53;
	assert_int_equal(partitioned_check(bench), ERR_REFUSED);
	bench = partitioned_fresh(512);
	bench->bytes[ISD_OFFSET - 1] = 1;
	assert_int_equal(partitioned_check(bench), ERR_REFUSED);
	bench = partitioned_fresh(512);
	put_entry(bench, 0, 0, 0x83, 2048, 10);
	bench->bytes[446] = 0x12; /* code, not a table */
	assert_int_equal(partitioned_check(bench), ERR_REFUSED);
	for (size_t i = 0; i < 5; i++) {
		static const struct {
			size_t at;
			const char *name;
		} marks[] = { { 3, "NTFS    " }, { 3, "EXFAT   " }, { 54, "FAT12   " },
		              { 54, "FAT16   " }, { 82, "FAT32   " } };

		bench = partitioned_fresh(512);
		put_entry(bench, 0, 0, 0, 0, 0);
		assert_int_equal(partitioned_check(bench), 0);
		memcpy(bench->bytes + marks[i].at, marks[i].name, 8);
		assert_int_equal(partitioned_check(bench), ERR_REFUSED);
		/* With a partition it is a boot sector that was made from such a one. */
		put_entry(bench, 0, 0, 0x83, 2048, 10);
		assert_int_equal(partitioned_check(bench), 0);
	}
}

/* A chain: the extended partition at @base, logical ones at @at[] within it. */
static void put_chain(struct bench *bench, uint32_t base, const uint32_t *at, size_t count)
{
	put_entry(bench, 0, 1, 0x05, base, 4000);
	for (size_t i = 0; i < count; i++) {
		uint32_t table = i ? at[i] - 1 : base;

		put_entry(bench, table, 0, 0x83, at[i] - table, 10);
		if (i + 1 < count)
			put_entry(bench, table, 1, 0x05, at[i + 1] - 1 - base, 11);
	}
}

static void test_logical(void **state)
{
	static const uint32_t good[] = { 2100, 3000, 4000 };
	struct bench *bench = partitioned_fresh(512);
	unsigned int others;

	(void)state;
	put_entry(bench, 0, 1, 0x83, 2050, 4000);
	assert_int_equal(partitioned_check(bench), 0);
	others = bench->reads;
	bench = partitioned_fresh(512);
	put_chain(bench, 2050, good, COUNT(good));
	assert_int_equal(partitioned_check(bench), 0);
	assert_int_equal(bench->reads, others + 3); /* a sector a link */
	/* The extended partition covers it, the logical ones do not. */
	bench = partitioned_fresh(512);
	put_chain(bench, 2000, good, COUNT(good));
	assert_int_equal(partitioned_check(bench), ERR_REFUSED);
	/* A logical one reaches out of its extended one, back to the place. */
	bench = partitioned_fresh(512);
	put_chain(bench, 2050, good, COUNT(good));
	put_entry(bench, 3999, 0, 0x83, (uint32_t)-1, 10);
	assert_int_equal(partitioned_check(bench), 0); /* beyond 2 TiB: nowhere near */
	put_entry(bench, 2999, 1, 0x05, 0, 0);
	assert_int_equal(partitioned_check(bench), 0); /* and now the chain ends before it */
	/* Round and round. */
	put_entry(bench, 2999, 1, 0x05, 0, 10);
	assert_int_equal(partitioned_check(bench), ERR_MALFORMED);
	assert_true(bench->reads < 5000);
	/* Behind the end of the disk, and into nothing. */
	put_entry(bench, 2999, 1, 0x05, DISK_SIZE / 512, 10);
	assert_int_equal(partitioned_check(bench), ERR_MALFORMED);
	put_entry(bench, 2999, 1, 0x05, 1500, 10);
	assert_int_equal(partitioned_check(bench), ERR_MALFORMED);
	/* An extended partition low enough for a logical one in the place. */
	bench = partitioned_fresh(512);
	put_entry(bench, 0, 0, 0x0f, 100, 200);
	put_entry(bench, 100, 0, 0x83, 1900, 500);
	assert_int_equal(partitioned_check(bench), ERR_REFUSED);
	put_entry(bench, 100, 0, 0x83, 1, 50);
	assert_int_equal(partitioned_check(bench), 0);
	/* A link of the chain itself is in the place. */
	put_entry(bench, 100, 1, 0x85, 1940, 50);
	put_entry(bench, 2040, 0, 0x83, 1000, 5);
	assert_int_equal(partitioned_check(bench), ERR_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_primary), cmocka_unit_test(test_no_table),
		cmocka_unit_test(test_logical),
	};

	return cmocka_run_group_tests_name("partition mbr", tests, NULL, NULL);
}
