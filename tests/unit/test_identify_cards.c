/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/identify_bench.h"

/* Who the sender is, by more than its registration: serial numbers, a dock's MAC, an agent. */

/* What is known of a card stays, and the database is asked only where that may decide. */
static void test_cards(void **state)
{
	static const struct {
		char mac, serial, board;
		const char *expected;
		bool compared;
	} cases[] = {
		{ '8', '1', 0, "a", true },
		{ '8', '1', 0, "a", false },
		{ '8', 0, 0, "a", false }, /* the card alone decides */
		{ '9', '1', 0, "a", true },
		{ '8', 0, 'b', "a", true },
		{ '8', '1', 'b', "a", false }, /* each boot reported one of them */
		{ '8', '2', 0, NULL, true },
	};
	struct bench *bench = *state;

	bench_add(bench, &(struct known){ "a", '-', 'a', '-' });
	for (size_t i = 0; i < COUNT(cases); i++) {
		bench->serial = cases[i].serial;
		bench->board = cases[i].board;
		bench->compared = 0;
		bench_expect(bench, (struct reported){ '-', 'a', cases[i].mac }, cases[i].expected,
		       cases[i].expected ? "" : "other machines have the same UUID");
		assert_int_equal(bench->compared, cases[i].compared);
	}
}

/* A dock's MAC makes nobody sure of a UUID, as its own MAC would. */
static void test_shared_mac(void **state)
{
	struct bench *bench = *state;

	bench_add(bench, &(struct known){ "a", '-', 'a', '1' });
	assert_int_equal(store_run(&bench->store, "INSERT INTO setting VALUES"
	                           " ('global', 0, 'shared-macs', '02:31:31:31:31:31')", ""), 0);
	for (bench->serial = '1'; bench->serial <= '2'; bench->serial++) {
		bool first = bench->serial == '1';

		bench->compared = 0;
		bench_expect(bench, (struct reported){ '-', 'a', '1' }, first ? "a" : NULL,
		       first ? "" : "other machines have the same UUID");
		assert_int_equal(bench->compared, 1);
	}
}

/* Anybody can send what an agent sends: a device known by its MAC is not claimed by that. */
static void test_an_agent_claims_nothing(void **state)
{
	struct bench *bench = *state;

	bench_add(bench, &(struct known){ "a", '-', '-', '1' });
	bench->agent = true;
	bench_expect(bench, (struct reported){ '-', 'x', '1' }, "a", "");
	bench->agent = false;
	bench_expect(bench, (struct reported){ '-', 'y', '1' }, "a", "");
	bench_expect(bench, (struct reported){ '-', 'x', '1' }, NULL, "the MAC is that of a");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cards), TEST(test_shared_mac), TEST(test_an_agent_claims_nothing),
	};

	return cmocka_run_group_tests_name("identify cards", tests, NULL, NULL);
}
