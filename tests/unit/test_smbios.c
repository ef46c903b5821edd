/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/proto/error.h"
#include "nbp/smbios.h"

/* Types 0 to 4 and 17, then 127; the expected fields are below. */
static const uint8_t table[] = {
	0, 9, 0, 0, 1, 2, 0, 0, 3, 'V', 0, '1', '.', '2', 0, '0', '4', '/', '0', '1', 0, 0,
	/* at 22: the UUID is at 8 of it */
	1, 27, 1, 0, 1, 2, 3, 4,
	0x78, 0x56, 0x34, 0x12, 0xbc, 0x9a, 0xf0, 0xde, 1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
	6, 5, 6,
	'Q', 'E', 'M', 'U', 0, 'P', 'C', 0, 'v', '7', 0, ' ', 'S', '1', ' ', 0, 'K', 0, 'F', 0, 0,
	2, 8, 2, 0, 1, 2, 0, 3, 'B', 'M', 0, 'B', 'P', 0, 'B', 'S', 0, 0,
	2, 8, 8, 0, 1, 1, 0, 1, 'X', 0, 0, /* a second board, which does not count */
	3, 9, 3, 0, 0, 0x83, 0, 0, 1, 'T', 'A', 'G', 0, 0,
	/* two processors of 4 and 300 cores, and an empty socket */
	4, 0x24, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x41, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 4, 0, 0,
	4, 0x2c, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x41, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0, 0, 0, 0, 0x2c, 0x01, 0, 0,
	4, 0x24, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 8, 0, 0,
	/* 512 MiB, 2048 KiB, 64 GiB, unknown, none */
	17, 14, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x02, 0, 0,
	17, 14, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x88, 0, 0,
	17, 32, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0x7f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0x00, 0x00, 0x01, 0x00, 0, 0,
	17, 14, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0,
	17, 14, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	127, 4, 12, 0, 0, 0,
	1, 5, 13, 0, 1, 'X', 0, 0, /* after the end */
};
#define UUID_AT (22 + 8)

static struct request describe(const void *bytes, size_t length, uint16_t version)
{
	struct request request;

	memset(&request, 0, sizeof(request));
	smbios_describe((struct span){ bytes, length }, version, &request);
	return request;
}

static void describes_the_machine(void **state)
{
	static const uint8_t uuid[16] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0,
		                          0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };
	struct request request = describe(table, sizeof(table), 0x0208);

	(void)state;
	assert_string_equal(request.bios_vendor, "V");
	assert_string_equal(request.bios_version, "1.2");
	assert_string_equal(request.bios_date, "04/01");
	assert_string_equal(request.manufacturer, "QEMU");
	assert_string_equal(request.product, "PC");
	assert_string_equal(request.system_version, "v7");
	assert_string_equal(request.serial, "S1");
	assert_string_equal(request.sku, "K");
	assert_string_equal(request.family, "F");
	assert_string_equal(request.board_manufacturer, "BM");
	assert_string_equal(request.board_product, "BP");
	assert_string_equal(request.board_serial, "BS");
	assert_string_equal(request.asset_tag, "TAG");
	assert_int_equal(request.chassis_type, 3);
	assert_int_equal(request.cpu_cores, 304);
	assert_int_equal(request.installed_mib, 512 + 2 + 65536);
	assert_memory_equal(request.identity.uuid, uuid, sizeof(uuid));
	/* Before 2.6 the bytes were in the order in which they are printed. */
	request = describe(table, sizeof(table), 0x0205);
	assert_memory_equal(request.identity.uuid, table + UUID_AT, sizeof(uuid));
}

static void takes_all_ones_as_no_uuid(void **state)
{
	static const uint8_t zeros[16];
	uint8_t copy[sizeof(table)];
	struct request request;

	(void)state;
	memcpy(copy, table, sizeof(table));
	memset(copy + UUID_AT, 0xff, 16);
	request = describe(copy, sizeof(copy), 0x0208);
	assert_memory_equal(request.identity.uuid, zeros, sizeof(zeros));
}

static void survives_a_table_cut_at_every_length(void **state)
{
	(void)state;
	for (size_t length = 0; length < sizeof(table); length++) {
		/* In memory of its own, so that the sanitizer sees a read past the end. */
		uint8_t *copy = malloc(length ? length : 1);
		struct request request;

		memcpy(copy, table, length);
		request = describe(copy, length, 0x0208);
		/* A structure counts once it is whole. */
		assert_string_equal(request.bios_vendor, length < 22 ? "" : "V");
		free(copy);
	}
}

static void survives_every_byte_changed(void **state)
{
	(void)state;
	for (size_t at = 0; at < sizeof(table); at++) {
		for (int value = 0; value < 256; value++) {
			uint8_t *copy = malloc(sizeof(table));
			struct request request;

			memcpy(copy, table, sizeof(table));
			copy[at] = (uint8_t)value;
			request = describe(copy, sizeof(table), 0x0208);
			assert_true(strlen(request.serial) < sizeof(request.serial));
			free(copy);
		}
	}
}

/* A structure of length 0 must not make the walk stand still. */
static void ends_at_a_structure_without_length(void **state)
{
	static const uint8_t bytes[] = { 1, 0, 0, 0, 0, 0, 0, 0 };
	struct request request = describe(bytes, sizeof(bytes), 0x0208);

	(void)state;
	assert_string_equal(request.product, "");
	request = describe(NULL, 0, 0x0208);
	assert_string_equal(request.product, "");
}

/* String numbers without a string, and structures without strings. */
static void takes_a_string_that_is_not_there_as_empty(void **state)
{
	static const uint8_t bytes[] = { 1, 8, 0, 0, 1, 2, 0, 200, 'A', 0, 0,
		                         0, 9, 0, 0, 1, 9, 0, 0, 1, 0, 0 };
	struct request request = describe(bytes, sizeof(bytes), 0x0208);

	(void)state;
	assert_string_equal(request.manufacturer, "A");
	assert_string_equal(request.product, "");
	assert_string_equal(request.serial, "");
	assert_string_equal(request.bios_vendor, "");
	assert_string_equal(request.bios_version, "");
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
	uint8_t bytes[32], *cut;

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
	/* If memory ends after those 1Eh bytes, the last byte is missing. */
	cut = malloc(0x1e);
	memcpy(cut, bytes, 0x1e);
	assert_int_equal(smbios_entry_read(cut, 0x1e, &entry), ERR_MALFORMED);
	free(cut);
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
	for (size_t at = 0; at < sizeof(bytes); at++) { /* any damage is noticed */
		bytes[at] ^= 0x10;
		assert_int_not_equal(smbios_entry_read(bytes, sizeof(bytes), &entry), 0);
		bytes[at] ^= 0x10;
	}
	bytes[6] = 23;
	assert_int_equal(smbios_entry_read(bytes, sizeof(bytes), &entry), ERR_MALFORMED);
	assert_int_equal(smbios_entry_read("RSD PTR ", 8, &entry), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(describes_the_machine),
		cmocka_unit_test(takes_all_ones_as_no_uuid),
		cmocka_unit_test(survives_a_table_cut_at_every_length),
		cmocka_unit_test(survives_every_byte_changed),
		cmocka_unit_test(ends_at_a_structure_without_length),
		cmocka_unit_test(takes_a_string_that_is_not_there_as_empty),
		cmocka_unit_test(reads_a_32_bit_entry_point),
		cmocka_unit_test(reads_a_64_bit_entry_point),
	};

	return cmocka_run_group_tests_name("smbios", tests, NULL, NULL);
}
