/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/proto/error.h"
#include "nbp/proto/power_on.h"
#include "server/agent/windows/kept.h"

/* What the agent reads of the firmware's data that Windows keeps. */

#define OPTIONS 240

/* Fills a packet of @length bytes with the @count bytes of options at @options. */
static void make_packet(uint8_t *packet, size_t length, const void *options, size_t count)
{
	static const uint8_t magic[] = { 0x63, 0x82, 0x53, 0x63 };

	memset(packet, 0, length);
	packet[1] = 1;
	packet[2] = 6;
	memcpy(packet + 16, (const uint8_t[]){ 192, 0, 2, 100 }, 4);
	memcpy(packet + 20, (const uint8_t[]){ 192, 0, 2, 1 }, 4);
	memcpy(packet + 28, (const uint8_t[]){ 0x52, 0x54, 0, 0x12, 0x34, 0x56 }, 6);
	memcpy(packet + 236, magic, sizeof(magic));
	memcpy(packet + OPTIONS, options, count);
}

static void test_record(void **state)
{
	static const uint8_t wanted[POWER_ON_SIZE] = "sixteen bytes...";
	uint8_t options[] = { 0, 209, 1, 'c', 225, 2, 1, 1, 225, POWER_ON_SIZE, [26] = 255 };
	uint8_t packet[OPTIONS + sizeof(options)], record[POWER_ON_SIZE];

	(void)state;
	memcpy(options + 10, wanted, POWER_ON_SIZE);
	make_packet(packet, sizeof(packet), options, sizeof(options));
	assert_int_equal(kept_record(packet, sizeof(packet), record), 0);
	assert_memory_equal(record, wanted, POWER_ON_SIZE);
	/* Cut anywhere before its end, it is none; nothing behind the end is read. */
	for (size_t length = 0; length < OPTIONS + 10 + POWER_ON_SIZE; length++) {
		uint8_t *cut = malloc(length ? length : 1);

		assert_non_null(cut);
		memcpy(cut, packet, length);
		assert_int_equal(kept_record(cut, length, record), ERR_NOT_FOUND);
		free(cut);
	}
	packet[OPTIONS] = 255;
	assert_int_equal(kept_record(packet, sizeof(packet), record), ERR_NOT_FOUND);
	packet[236] = 0;
	assert_int_equal(kept_record(packet, sizeof(packet), record), ERR_NOT_FOUND);
}

static void test_line(void **state)
{
	uint8_t packet[OPTIONS + 1];
	char line[100];

	(void)state;
	make_packet(packet, sizeof(packet), "\xff", 1);
	kept_line(packet, sizeof(packet), line, sizeof(line));
	assert_string_equal(line, "ip=192.0.2.100:192.0.2.1:: BOOTIF=01-52:54:00:12:34:56");
	packet[1] = 32; /* InfiniBand */
	kept_line(packet, sizeof(packet), line, sizeof(line));
	assert_string_equal(line, "ip=192.0.2.100:192.0.2.1::");
	kept_line(packet, OPTIONS - 1, line, sizeof(line));
	assert_string_equal(line, "");
}

/* A table: another structure with strings, then the system's, of which the UUID is 1, 2, 3, ... */
static size_t make_table(uint8_t *table)
{
	static const uint8_t first[] = { 0, 5, 0, 0, 1, 'B', 'I', 'O', 'S', 0, 0 };
	static const uint8_t system[] = { 1, 27, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
		                          11, 12, 13, 14, 15, 16, 6, 0, 0, 0, 0 };

	memcpy(table, first, sizeof(first));
	memcpy(table + sizeof(first), system, sizeof(system));
	return sizeof(first) + sizeof(system);
}

static void test_uuid(void **state)
{
	static const uint8_t old[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
	static const uint8_t now[] = { 4, 3, 2, 1, 6, 5, 8, 7, 9, 10, 11, 12, 13, 14, 15, 16 };
	uint8_t table[64], uuid[16] = { 0 };
	size_t length = make_table(table);

	(void)state;
	kept_uuid(table, length, 0x204, uuid);
	assert_memory_equal(uuid, old, sizeof(old));
	kept_uuid(table, length, 0x300, uuid);
	assert_memory_equal(uuid, now, sizeof(now));
	for (length = 0; length < 11 + 24; length++) {
		uint8_t *cut = malloc(length ? length : 1), none[16] = { 0 };

		assert_non_null(cut);
		memcpy(cut, table, length);
		kept_uuid(cut, length, 0x300, none);
		assert_memory_equal(none, (uint8_t[16]){ 0 }, 16);
		free(cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_uuid),
	};

	return cmocka_run_group_tests_name("agent_windows", tests, NULL, NULL);
}
