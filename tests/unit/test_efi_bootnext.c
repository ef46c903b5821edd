/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "efi/bootnext.h"

#define NOW 1000000u

static void leaves_again_when_the_last_time_is_past(void **state)
{
	const struct {
		struct bootnext last, now;
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
	uint8_t bytes[BOOTNEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bootnext now = cases[i].now;

		bootnext_write(&cases[i].last, bytes);
		assert_int_equal(bootnext_allowed(bytes, sizeof(bytes), &now), cases[i].again);
		if (cases[i].again)
			assert_int_equal(now.count, cases[i].count);
		/* What is no record of ours forbids nothing. */
		assert_true(bootnext_allowed(bytes, sizeof(bytes) - 1, &now));
		assert_int_equal(now.count, 1);
		assert_true(bootnext_allowed(NULL, 0, &now));
	}
}

/* A disk that never boots, on machines of which each takes its time. */
static void comes_to_an_end_however_long_each_round_takes(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 2 * 3600; round += 7) {
		struct bootnext now = { .when = NOW };
		uint8_t record[BOOTNEXT_SIZE];
		int rounds = 0;
		bool counted = round >= 3600;

		bootnext_allowed(NULL, 0, &now);
		do {
			bootnext_write(&now, record);
			now.when += round;
			now.resets += counted;
			rounds++;
		} while (rounds < 100 && bootnext_allowed(record, sizeof(record), &now));
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

		assert_int_equal(bootnext_time(a[0], a[1], a[2], a[3]) + 1,
		                 bootnext_time(b[0], b[1], b[2], b[3]));
	}
	assert_int_equal(bootnext_time(1999, 12, 31, 5), 0);
	assert_int_equal(bootnext_time(2100, 1, 1, 5), 0);
	assert_int_equal(bootnext_time(2026, 0, 1, 5), 0);
	assert_int_equal(bootnext_time(2026, 13, 1, 5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_again_when_the_last_time_is_past),
		cmocka_unit_test(comes_to_an_end_however_long_each_round_takes),
		cmocka_unit_test(counts_seconds_over_months_and_years),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
