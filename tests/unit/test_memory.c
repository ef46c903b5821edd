/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

/* The NBPs' own, under names that leave the C library's alone. */
#define memcpy core_memcpy
#define memmove core_memmove
#define memset core_memset
#define memcmp core_memcmp
#define strlen core_strlen
#include "nbp/memory.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen

#define SIZE 16

static void make(uint8_t bytes[SIZE])
{
	for (int i = 0; i < SIZE; i++)
		bytes[i] = (uint8_t)(i + 1);
}

static void copies_what_is_asked(void **state)
{
	uint8_t from[SIZE], to[SIZE];

	(void)state;
	make(from);
	for (size_t count = 0; count <= SIZE; count++) {
		memset(to, 0xee, SIZE);
		assert_ptr_equal(core_memcpy(to, from, count), to);
		assert_memory_equal(to, from, count);
		for (size_t i = count; i < SIZE; i++)
			assert_int_equal(to[i], 0xee);
	}
}

static void moves_over_itself(void **state)
{
	(void)state;
	for (size_t from = 0; from < SIZE; from++) {
		for (size_t to = 0; to < SIZE; to++) {
			size_t count = SIZE - (from > to ? from : to);
			uint8_t bytes[SIZE], expected[SIZE];

			make(bytes);
			make(expected);
			memmove(expected + to, expected + from, count);
			assert_ptr_equal(core_memmove(bytes + to, bytes + from, count), bytes + to);
			assert_memory_equal(bytes, expected, SIZE);
		}
	}
}

static void sets_compares_and_measures(void **state)
{
	uint8_t bytes[SIZE];

	(void)state;
	make(bytes);
	assert_ptr_equal(core_memset(bytes + 1, 0x1ff, 3), bytes + 1);
	assert_memory_equal(bytes, "\1\xff\xff\xff\5", 5);
	assert_int_equal(core_memcmp("abc", "abd", 2), 0);
	assert_int_equal(core_memcmp("abc", "abc", 0), 0);
	assert_true(core_memcmp("abc", "abd", 3) < 0);
	assert_true(core_memcmp("ab\xff", "ab\1", 3) > 0); /* bytes have no sign */
	assert_int_equal(core_strlen(""), 0);
	assert_int_equal(core_strlen("four"), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_what_is_asked),
		cmocka_unit_test(moves_over_itself),
		cmocka_unit_test(sets_compares_and_measures),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
