/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "efi/option.h"
#include "nbp/proto/error.h"

#define ROOT 2, 1, 12, 0, 0xd0, 0x41, 0x03, 0x0a, 0, 0, 0, 0
#define PCI 1, 1, 6, 0, 0, 5
#define IPV6 3, 13, 4, 0
#define FILE_X 4, 4, 8, 0, '\\', 0, 'x', 0
#define END 0x7f, 0xff, 4, 0
#define ACTIVE 1, 0, 0, 0
#define NAMED 'o', 0, 's', 0, 0, 0

#define BYTES(...) ((const uint8_t[]){ __VA_ARGS__ }), sizeof((const uint8_t[]){ __VA_ARGS__ })

static void reads_options(void **state)
{
	const struct {
		const uint8_t *bytes;
		size_t size;
		bool disk;
		size_t path, data; /* lengths */
	} cases[] = {
		{ BYTES(ACTIVE, 22, 0, NAMED, ROOT, PCI, END), true, 22, 0 },
		{ BYTES(ACTIVE, 22, 0, 0, 0, ROOT, PCI, END, 'h', 0, 'i', 0), true, 22, 4 },
		{ BYTES(ACTIVE, 12, 0, NAMED, FILE_X, END), true, 12, 0 },
		/* A second path, which firmware keeps for itself. */
		{ BYTES(ACTIVE, 34, 0, NAMED, ROOT, PCI, END, FILE_X, END, 1), true, 22, 1 },
		{ BYTES(ACTIVE, 26, 0, NAMED, ROOT, PCI, IPV6, END), false, 26, 0 },
		{ BYTES(0, 0, 0, 0, 22, 0, NAMED, ROOT, PCI, END), false, 22, 0 },
		{ BYTES(1, 1, 0, 0, 22, 0, NAMED, ROOT, PCI, END), false, 22, 0 }, /* a menu */
		{ BYTES(9, 0, 0, 0, 22, 0, NAMED, ROOT, PCI, END), true, 22, 0 },  /* hidden */
	};
	struct load_option option;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(load_option_read(cases[i].bytes, cases[i].size, &option), 0);
		assert_int_equal(load_option_is_disk(&option), cases[i].disk);
		assert_int_equal(option.path.length, cases[i].path);
		assert_int_equal(option.data.length, cases[i].data);
		if (cases[i].data)
			assert_ptr_equal(option.data.data + cases[i].data,
			                 cases[i].bytes + cases[i].size);
	}
}

/* Each byte string is cut at each place, too: none may be read past its end. */
static void refuses_what_is_no_option(void **state)
{
	static const uint8_t good[] = { ACTIVE, 22, 0, NAMED, ROOT, PCI, END };
	const struct {
		const uint8_t *bytes;
		size_t size;
	} cases[] = {
		{ BYTES(ACTIVE, 40, 0, NAMED, ROOT, PCI, END) },  /* a path longer than all */
		{ BYTES(ACTIVE, 0, 0, NAMED, ROOT, PCI, END) },   /* no path */
		{ BYTES(ACTIVE, 22, 0, 'o', 0, 's', 0) },         /* a name without end */
		{ BYTES(ACTIVE, 18, 0, NAMED, ROOT, PCI, END) },  /* a path without end */
	};
	struct load_option option;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_not_equal(load_option_read(cases[i].bytes, cases[i].size, &option), 0);
	for (size_t length = 0; length < sizeof(good); length++) {
		uint8_t *cut = malloc(length + 1);

		memcpy(cut, good, length);
		assert_int_not_equal(load_option_read(cut, length, &option), 0);
		free(cut);
	}
}

static void names_options(void **state)
{
	static const uint16_t wanted[9] = { 'B', 'o', 'o', 't', '0', '1', 'A', 'F', 0 };
	uint16_t name[9];

	(void)state;
	load_option_name(0x01af, name);
	assert_memory_equal(name, wanted, sizeof(wanted));
}

#define NOW 1000000u

static void leaves_again_when_the_last_time_is_past(void **state)
{
	const struct {
		struct boot_mark last, now;
		bool again;
		uint32_t count;
	} cases[] = {
		{ { NOW, 1, 0 }, { NOW, 0, 0 }, false, 2 }, /* or the clock stands still */
		{ { NOW, 1, 0 }, { NOW + 179, 0, 0 }, false, 2 },
		{ { NOW, 1, 0 }, { NOW + 180, 0, 0 }, true, 2 },
		{ { NOW, 4, 0 }, { NOW + 180, 0, 0 }, true, 5 },
		{ { NOW, 5, 0 }, { NOW + 180, 0, 0 }, false, 5 },
		{ { NOW, 5, 0 }, { NOW + 3599, 0, 0 }, false, 5 },
		{ { NOW, 5, 0 }, { NOW + 3600, 0, 0 }, true, 1 },
		{ { NOW, UINT32_MAX, 0 }, { NOW + 180, 0, 0 }, false, 5 },
		{ { NOW, 1, 0 }, { NOW - 1, 0, 0 }, false, 2 }, /* the clock was put back */
		{ { NOW, 1, 0 }, { 0, 0, 0 }, false, 2 },       /* it has none */
		/* However long the POST takes, the disk was tried in it. */
		{ { NOW, 1, 7 }, { NOW + 10 * 3600, 0, 8 }, false, 1 },
		{ { NOW, 1, 7 }, { NOW + 180, 0, 9 }, true, 2 },
		{ { NOW, 1, 7 }, { NOW + 179, 0, 9 }, false, 2 },
		{ { NOW, 1, 7 }, { NOW + 180, 0, 7 }, true, 2 }, /* it does not count */
		{ { NOW, 5, 7 }, { NOW + 180, 0, 7 }, false, 5 },
		{ { NOW, 1, 0 }, { NOW + 180, 0, 1 }, true, 2 },
	};
	uint8_t bytes[BOOT_MARK_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct boot_mark now = cases[i].now;

		boot_mark_write(&cases[i].last, bytes);
		assert_int_equal(boot_mark_again(bytes, sizeof(bytes), &now), cases[i].again);
		if (cases[i].again)
			assert_int_equal(now.count, cases[i].count);
		/* What is no mark of ours forbids nothing. */
		assert_true(boot_mark_again(bytes, sizeof(bytes) - 1, &now));
		assert_int_equal(now.count, 1);
		assert_true(boot_mark_again(NULL, 0, &now));
	}
}

/* A disk that never boots, on machines of which each takes its time. */
static void comes_to_an_end_however_long_each_round_takes(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 2 * 3600; round += 7) {
		struct boot_mark now = { .when = NOW };
		uint8_t mark[BOOT_MARK_SIZE];
		int rounds = 0;
		bool counted = round >= 3600;

		boot_mark_again(NULL, 0, &now);
		do {
			boot_mark_write(&now, mark);
			now.when += round;
			now.resets += counted;
			rounds++;
		} while (rounds < 100 && boot_mark_again(mark, sizeof(mark), &now));
		assert_in_range(rounds, 1, 5);
	}
}

static void counts_seconds_over_months_and_years(void **state)
{
	const struct {
		uint32_t date[4], next[4];
	} pairs[] = {
		{ { 2026, 11, 28, 86399 }, { 2026, 11, 29, 0 } },
		{ { 2026, 11, 30, 86399 }, { 2026, 12, 1, 0 } },
		{ { 2026, 12, 31, 86399 }, { 2027, 1, 1, 0 } },
		{ { 2027, 2, 28, 86399 }, { 2027, 3, 1, 0 } },
		{ { 2028, 2, 28, 86399 }, { 2028, 2, 29, 0 } },
		{ { 2028, 2, 29, 86399 }, { 2028, 3, 1, 0 } },
		{ { 2000, 1, 31, 86399 }, { 2000, 2, 1, 0 } },
		{ { 2000, 2, 28, 86399 }, { 2000, 2, 29, 0 } },
		{ { 2098, 12, 31, 86399 }, { 2099, 1, 1, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		const uint32_t *a = pairs[i].date, *b = pairs[i].next;

		assert_int_equal(boot_mark_time(a[0], a[1], a[2], a[3]) + 1,
		                 boot_mark_time(b[0], b[1], b[2], b[3]));
	}
	assert_int_equal(boot_mark_time(1999, 12, 31, 5), 0);
	assert_int_equal(boot_mark_time(2100, 1, 1, 5), 0);
	assert_int_equal(boot_mark_time(2026, 0, 1, 5), 0);
	assert_int_equal(boot_mark_time(2026, 13, 1, 5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_options),
		cmocka_unit_test(refuses_what_is_no_option),
		cmocka_unit_test(names_options),
		cmocka_unit_test(leaves_again_when_the_last_time_is_past),
		cmocka_unit_test(comes_to_an_end_however_long_each_round_takes),
		cmocka_unit_test(counts_seconds_over_months_and_years),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
