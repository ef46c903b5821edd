/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <stdbool.h>

#include "efi/fetched.h"
#include "nbp/proto/error.h"

#define ROOM 4096

/* A file read into room for @told bytes, or for ROOM of them if nothing was told. */
static int fetch(const uint8_t *file, size_t size, uint64_t told, bool says, size_t *length)
{
	size_t room = told ? (size_t)told : ROOM;
	uint8_t *data = malloc(room);
	int rc;

	fetched_prepare(data, room);
	if (size != 0)
		memcpy(data, file, size);
	rc = fetched_length(data, room, told, says ? size : room, length);
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

/* Zeros, ASCII and most of the rest are told from what was there before. */
static void length_shows_where_nobody_tells(void **state)
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
	uint8_t file[ROOM];
	size_t length;

	(void)state;
	memset(file, 0xa5, sizeof(file));
	for (size_t told = 1; told < 700; told++) {
		for (size_t size = 0; size < told; size++) {
			assert_int_equal(fetch(file, size, told, true, &length), ERR_TRUNCATED);
			if (told - size >= 16)
				assert_int_equal(fetch(file, size, told, false, &length),
				                 ERR_TRUNCATED);
		}
	}
}

/* Where nobody tells what was read: so much that was not written is no file's own end. */
static void eight_missing_bytes_are_seen(void **state)
{
	static const uint8_t file[ROOM];
	size_t length;

	(void)state;
	for (size_t told = 9; told < 700; told++) {
		assert_int_equal(fetch(file, told - 8, told, false, &length), ERR_TRUNCATED);
		assert_int_equal(fetch(file, told - 7, told, false, &length), 0);
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
		cmocka_unit_test(length_shows_where_nobody_tells),
		cmocka_unit_test(files_of_another_length_are_refused),
		cmocka_unit_test(eight_missing_bytes_are_seen),
		cmocka_unit_test(empty_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
