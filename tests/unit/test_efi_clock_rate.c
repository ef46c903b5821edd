/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "efi/x86/clock_rate.h"

static void believes_what_can_be(void **state)
{
	const struct {
		uint64_t measured;
		uint32_t leaf15[4], leaf16[4];
		uint32_t rate;
	} cases[] = {
		{ 2500000, { 0 }, { 0 }, 2500000 },
		{ 1000000, { 0 }, { 0 }, 1000000 },
		/* A Stall() that comes back at once, or far too late. */
		{ 0, { 0 }, { 0 }, 2000000 },
		{ 60, { 0 }, { 0 }, 2000000 },
		{ 99999, { 0 }, { 0 }, 2000000 },
		{ 137500000, { 0 }, { 0 }, 2000000 },
		{ UINT64_MAX, { 0 }, { 0 }, 2000000 },
		{ 0, { 2, 216, 24000000 }, { 0 }, 2592000 },
		{ 0, { 0 }, { 2400, 3200, 100 }, 2400000 },
		{ 0, { 2, 216, 0 }, { 2600, 0, 0 }, 2600000 }, /* a crystal without a frequency */
		{ 25000000, { 2, 216, 24000000 }, { 0 }, 2592000 },
		{ 6000000, { 2, 216, 24000000 }, { 0 }, 2592000 },
		/* The measured rate is the better one where both are near: also of a
		 * virtual machine's, whose processor names its host's. */
		{ 2600000, { 2, 216, 24000000 }, { 0 }, 2600000 },
		{ 1400000, { 0 }, { 2400 }, 1400000 },
		/* Nonsense from the processor. */
		{ 2500000, { 1, 1, 1 }, { 1 }, 2500000 },
		{ 0, { 1, UINT32_MAX, UINT32_MAX }, { 0xffff }, 2000000 },
		{ 0, { 0, 216, 24000000 }, { 0 }, 2000000 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(clock_rate(cases[i].measured, cases[i].leaf15, cases[i].leaf16),
		                 cases[i].rate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(believes_what_can_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
