/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "error.h"
#include "smbios.h"

/* Type 0 with one string, type 1 with three strings and a UUID, type 127. */
static const uint8_t table[] = {
	0, 6, 0, 0, 1, 0, 'V', 0, 0,
	1, 27, 1, 0, 1, 2, 0, 3,
	0x78, 0x56, 0x34, 0x12, 0xbc, 0x9a, 0xf0, 0xde, 1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
	6, 0, 0,
	'Q', 'E', 'M', 'U', 0, 'P', 'C', 0, ' ', 'S', '1', ' ', 0, 0,
	127, 4, 2, 0, 0, 0,
};
#define TYPE_1 9 /* where it begins */

static void reads_the_system(void **state)
{
	static const uint8_t uuid[16] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0,
		                          0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };
	struct smbios_system system;

	(void)state;
	assert_int_equal(smbios_system_read((struct span){ table, sizeof(table) }, 0x0208, &system), 0);
	assert_string_equal(system.manufacturer, "QEMU");
	assert_string_equal(system.product, "PC");
	assert_string_equal(system.serial, "S1");
	assert_memory_equal(system.uuid, uuid, sizeof(uuid));
	/* Before 2.6 the bytes stood as printed. */
	assert_int_equal(smbios_system_read((struct span){ table, sizeof(table) }, 0x0205, &system), 0);
	assert_memory_equal(system.uuid, table + TYPE_1 + 8, sizeof(uuid));
}

static void takes_all_ones_as_no_uuid(void **state)
{
	static const uint8_t zeros[16];
	uint8_t copy[sizeof(table)];
	struct smbios_system system;

	(void)state;
	memcpy(copy, table, sizeof(table));
	memset(copy + TYPE_1 + 8, 0xff, 16);
	assert_int_equal(smbios_system_read((struct span){ copy, sizeof(copy) }, 0x0208, &system), 0);
	assert_memory_equal(system.uuid, zeros, sizeof(zeros));
}

static void survives_a_table_cut_at_every_length(void **state)
{
	(void)state;
	for (size_t length = 0; length < sizeof(table); length++) {
		/* In memory of its own, so that the sanitizer sees a read past the end. */
		uint8_t *copy = malloc(length ? length : 1);
		struct smbios_system system;
		int rc;

		memcpy(copy, table, length);
		rc = smbios_system_read((struct span){ copy, length }, 0x0208, &system);
		assert_int_equal(rc, length < sizeof(table) - 6 ? ERR_NOT_FOUND : 0);
		free(copy);
	}
}

static void survives_every_byte_changed(void **state)
{
	(void)state;
	for (size_t at = 0; at < sizeof(table); at++) {
		for (int value = 0; value < 256; value++) {
			uint8_t *copy = malloc(sizeof(table));
			struct smbios_system system;

			memcpy(copy, table, sizeof(table));
			copy[at] = (uint8_t)value;
			smbios_system_read((struct span){ copy, sizeof(table) }, 0x0208, &system);
			assert_true(strlen(system.serial) < sizeof(system.serial));
			free(copy);
		}
	}
}

/* A structure of length 0 must not make the walk stand still. */
static void ends_at_a_structure_without_length(void **state)
{
	static const uint8_t bytes[] = { 1, 0, 0, 0, 0, 0, 0, 0 };
	struct smbios_system system;

	(void)state;
	assert_int_equal(smbios_system_read((struct span){ bytes, sizeof(bytes) }, 0x0208, &system),
	                 ERR_NOT_FOUND);
	assert_int_equal(smbios_system_read((struct span){ NULL, 0 }, 0x0208, &system), ERR_NOT_FOUND);
}

static void fix_sum(uint8_t *bytes, size_t count, size_t at)
{
	uint8_t sum = 0;

	bytes[at] = 0;
	for (size_t i = 0; i < count; i++)
		sum = (uint8_t)(sum + bytes[i]);
	bytes[at] = (uint8_t)-sum;
}

static void make_entry_32(uint8_t bytes[32])
{
	static const uint8_t entry[31] = { '_', 'S', 'M', '_', 0, 31, 2, 8, 0, 0, 0, 0, 0, 0, 0, 0,
		                           '_', 'D', 'M', 'I', '_', 0, 0x34, 0x12,
		                           0x00, 0x00, 0x0f, 0x00, 1, 0, 0x28 };

	memset(bytes, 0, 32);
	memcpy(bytes, entry, sizeof(entry));
	fix_sum(bytes + 16, 15, 5);
	fix_sum(bytes, 31, 4);
}

static void reads_a_32_bit_entry_point(void **state)
{
	struct smbios_entry entry;
	uint8_t bytes[32];

	(void)state;
	make_entry_32(bytes);
	assert_int_equal(smbios_entry_read(bytes, sizeof(bytes), &entry), 0);
	assert_int_equal(entry.version, 0x0208);
	assert_int_equal(entry.length, 0x1234);
	assert_int_equal(entry.address, 0xf0000);
	for (size_t at = 0; at < 31; at++) { /* any damage is noticed */
		make_entry_32(bytes);
		bytes[at] ^= 0x10;
		assert_int_not_equal(smbios_entry_read(bytes, sizeof(bytes), &entry), 0);
	}
	make_entry_32(bytes);
	for (size_t size = 0; size < 31; size++)
		assert_int_not_equal(smbios_entry_read(bytes, size, &entry), 0);
	bytes[5] = 0x1e; /* the length that SMBIOS 2.1 gave */
	fix_sum(bytes, 0x1e, 4);
	assert_int_equal(smbios_entry_read(bytes, sizeof(bytes), &entry), 0);
}

static void reads_a_64_bit_entry_point(void **state)
{
	uint8_t bytes[24] = { '_', 'S', 'M', '3', '_', 0, 24, 3, 5, 0, 1, 0, 0x78, 0x56, 0, 0,
		              0, 0, 0, 0x80, 1, 0, 0, 0 };
	struct smbios_entry entry;

	(void)state;
	fix_sum(bytes, sizeof(bytes), 5);
	assert_int_equal(smbios_entry_read(bytes, sizeof(bytes), &entry), 0);
	assert_int_equal(entry.version, 0x0305);
	assert_int_equal(entry.length, 0x5678);
	assert_int_equal(entry.address, 0x180000000);
	for (size_t size = 0; size < sizeof(bytes); size++)
		assert_int_not_equal(smbios_entry_read(bytes, size, &entry), 0);
	bytes[6] = 23;
	assert_int_equal(smbios_entry_read(bytes, sizeof(bytes), &entry), ERR_MALFORMED);
	assert_int_equal(smbios_entry_read("RSD PTR ", 8, &entry), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_system),
		cmocka_unit_test(takes_all_ones_as_no_uuid),
		cmocka_unit_test(survives_a_table_cut_at_every_length),
		cmocka_unit_test(survives_every_byte_changed),
		cmocka_unit_test(ends_at_a_structure_without_length),
		cmocka_unit_test(reads_a_32_bit_entry_point),
		cmocka_unit_test(reads_a_64_bit_entry_point),
	};

	return cmocka_run_group_tests_name("smbios", tests, NULL, NULL);
}
