/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/proto/error.h"
#include "nbp/proto/power_on.h"

/* The layout in nbp/boot.md, on which the agent and other programs rely. */
static void writes_the_bytes_that_are_specified(void **state)
{
	static const struct power_on handed = { POWER_ON_HANDED_OVER, { 10, 0, 0, 1 },
		                                { 1, 2, 3, 4, 5, 6, 7, 8 } };
	static const uint8_t wanted[POWER_ON_SIZE] = { 'O', 'P', 2, 0x30, 10, 0, 0, 1,
		                                       1, 2, 3, 4, 5, 6, 7, 8 };
	uint8_t record[POWER_ON_SIZE];
	struct power_on back;

	(void)state;
	memset(record, 0xee, sizeof(record));
	power_on_encode(&handed, record);
	assert_memory_equal(record, wanted, sizeof(record));
	assert_int_equal(power_on_decode(&back, record), 0);
	assert_memory_equal(&back, &handed, sizeof(back));
}

static void refuses_what_is_no_record(void **state)
{
	static const struct power_on local = { .state = POWER_ON_LOCAL };
	static const uint8_t fills[] = { 0, 0xff, 'O' };
	uint8_t record[POWER_ON_SIZE];
	struct power_on back;

	(void)state;
	for (size_t i = 0; i < COUNT(fills); i++) {
		memset(record, fills[i], sizeof(record));
		assert_int_equal(power_on_decode(&back, record), ERR_NOT_FOUND);
	}
	for (int bit = 0; bit < POWER_ON_SIZE * 8; bit++) {
		power_on_encode(&local, record);
		assert_int_equal(power_on_decode(&back, record), 0);
		record[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(power_on_decode(&back, record), ERR_NOT_FOUND);
	}
	/* The sum is right, but magic or state is wrong. */
	power_on_encode(&local, record);
	record[0]++;
	record[1]--;
	assert_int_equal(power_on_decode(&back, record), ERR_NOT_FOUND);
	for (int other = 0; other < 256; other++) {
		power_on_encode(&(struct power_on){ .state = (uint8_t)other }, record);
		assert_int_equal(power_on_decode(&back, record),
		                 other == 1 || other == 2 ? 0 : ERR_NOT_FOUND);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_the_bytes_that_are_specified),
		cmocka_unit_test(refuses_what_is_no_record),
	};

	return cmocka_run_group_tests_name("power_on", tests, NULL, NULL);
}
