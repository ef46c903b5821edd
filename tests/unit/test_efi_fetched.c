/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <stdbool.h>

#include "efi/fetched.h"
#include "nbp/proto/error.h"

#define CAPACITY 4096

/* Fetches a file into a buffer of @announced bytes, or of CAPACITY if nothing was announced. */
static int fetch(const uint8_t *file, size_t size, uint64_t announced, bool says, size_t *length)
{
	size_t capacity = announced ? (size_t)announced : CAPACITY;
	uint8_t *data = malloc(capacity);
	int rc;

	fetched_prepare(data, capacity);
	if (size != 0)
		memcpy(data, file, size);
	rc = fetched_length(data, capacity, announced, says ? size : capacity, length);
	free(data);
	return rc;
}

/* Files that end in any byte, and in many of it, of lengths around the pattern's words. */
static void whole_files_are_whole(void **state)
{
	uint8_t file[600];
	size_t length;

	(void)state;
	for (int last = 0; last < 256; last++) {
		for (size_t size = 1; size < sizeof(file); size += 23) {
			memset(file, last, size);
			assert_int_equal(fetch(file, size, size, true, &length), 0);
			assert_int_equal(length, size);
			assert_int_equal(fetch(file, size, size, false, &length), 0);
			assert_int_equal(length, size);
			assert_int_equal(fetch(file, size, 0, true, &length), 0);
			assert_int_equal(length, size);
		}
	}
}

/* Zeros, ASCII and most of the rest are announced from what was there before. */
static void length_shows_where_nothing_says_it(void **state)
{
	uint8_t file[600];
	size_t length;

	(void)state;
	for (int last = 0; last < 0x80; last++) {
		for (size_t size = 1; size < sizeof(file); size++) {
			memset(file, last, size);
			assert_int_equal(fetch(file, size, 0, false, &length), 0);
			assert_int_equal(length, size);
		}
	}
	memset(file, 0xa5, sizeof(file));
	for (size_t size = 8; size < sizeof(file); size++) {
		assert_int_equal(fetch(file, size, 0, false, &length), 0);
		assert_in_range(length, size - 1, size); /* its last byte may look the same */
	}
}

static void files_of_another_length_are_refused(void **state)
{
	uint8_t file[CAPACITY];
	size_t length;

	(void)state;
	memset(file, 0xa5, sizeof(file));
	for (size_t announced = 1; announced < 700; announced++) {
		for (size_t size = 0; size < announced; size++) {
			assert_int_equal(fetch(file, size, announced, true, &length),
			                 ERR_TRUNCATED);
			if (announced - size >= 16)
				assert_int_equal(fetch(file, size, announced, false, &length),
				                 ERR_TRUNCATED);
		}
	}
}

/* Where nothing says what was read, so much that was not written is no file's own end. */
static void eight_missing_bytes_are_seen(void **state)
{
	static const uint8_t file[CAPACITY];
	size_t length;

	(void)state;
	for (size_t announced = 9; announced < 700; announced++) {
		assert_int_equal(fetch(file, announced - 8, announced, false, &length),
		                 ERR_TRUNCATED);
		assert_int_equal(fetch(file, announced - 7, announced, false, &length), 0);
	}
}

static void empty_files_are_refused(void **state)
{
	size_t length;

	(void)state;
	assert_int_equal(fetch(NULL, 0, 0, true, &length), ERR_TRUNCATED);
	assert_int_equal(fetch(NULL, 0, 0, false, &length), ERR_TRUNCATED);
	assert_int_equal(fetch(NULL, 0, 1000, false, &length), ERR_TRUNCATED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_files_are_whole),
		cmocka_unit_test(length_shows_where_nothing_says_it),
		cmocka_unit_test(files_of_another_length_are_refused),
		cmocka_unit_test(eight_missing_bytes_are_seen),
		cmocka_unit_test(empty_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
