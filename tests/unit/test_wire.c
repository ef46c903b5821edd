/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/proto/error.h"
#include "nbp/proto/wire.h"

static void reads_numbers_in_both_orders(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	struct wire in = wire_reader(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(wire_read_u8(&in), 0x01);
	assert_int_equal(wire_read_u16(&in), 0x0203);
	assert_int_equal(wire_read_u32(&in), 0x04050607);
	wire_seek(&in, 0);
	assert_int_equal(wire_read_u64(&in), 0x0102030405060708);
	wire_seek(&in, 1);
	assert_int_equal(wire_read_le16(&in), 0x0302);
	assert_int_equal(wire_read_le32(&in), 0x07060504);
	assert_int_equal(wire_read_le64(&in), 0x0f0e0d0c0b0a0908);
	assert_int_equal(wire_left(&in), 0);
	assert_int_equal(in.error, 0);
}

static void stays_failed_after_the_first_error(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3 };
	struct wire in = wire_reader(bytes, sizeof(bytes));
	uint8_t out[2] = { 7, 7 };

	(void)state;
	assert_int_equal(wire_read_u32(&in), 0);
	assert_int_equal(in.error, ERR_TRUNCATED);
	assert_int_equal(wire_read_u8(&in), 0); /* though a byte is there */
	wire_read_bytes(&in, out, sizeof(out));
	assert_int_equal(out[0] | out[1], 0);
	assert_int_equal(wire_left(&in), 0);
	wire_seek(&in, 0);
	wire_skip(&in, 1);
	assert_int_equal(in.position, 0);
}

static void does_not_wrap_on_huge_counts(void **state)
{
	static const uint8_t bytes[4];
	struct wire in = wire_reader(bytes, sizeof(bytes)), part;

	(void)state;
	wire_skip(&in, 2);
	part = wire_read_part(&in, SIZE_MAX);
	assert_int_equal(in.error, ERR_TRUNCATED);
	assert_int_equal(part.error, ERR_TRUNCATED);
	assert_int_equal(part.size, 0);
	in = wire_reader(bytes, sizeof(bytes));
	wire_seek(&in, 5);
	assert_int_equal(in.error, ERR_TRUNCATED);
}

static void splits_off_parts(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3, 4 };
	struct wire in = wire_reader(bytes, sizeof(bytes));
	struct wire part = wire_read_part(&in, 3);

	(void)state;
	assert_int_equal(wire_read_u16(&part), 0x0102);
	wire_read_u16(&part);
	assert_int_equal(part.error, ERR_TRUNCATED); /* the fourth byte is not its own */
	assert_int_equal(wire_read_u8(&in), 4);
	assert_int_equal(in.error, 0);
}

static void writes_and_never_past_the_end(void **state)
{
	uint8_t buffer[16];
	static const uint8_t wanted[16] = { 1, 2, 3, 4, 5, 6, 7, 'a', 'b', 0, 0 };
	struct wire out = wire_writer(buffer, 11);

	(void)state;
	memset(buffer, 0xee, sizeof(buffer));
	wire_write_u8(&out, 1);
	wire_write_u16(&out, 0x0203);
	wire_write_u32(&out, 0x04050607);
	wire_write_bytes(&out, "ab", 2);
	wire_write_zeros(&out, 2);
	assert_int_equal(out.error, 0);
	wire_write_u64(&out, 5);
	assert_int_equal(out.error, ERR_SPACE);
	wire_write_u8(&out, 1);
	assert_int_equal(out.position, 11);
	assert_memory_equal(buffer, wanted, 11);
	assert_int_equal(buffer[11], 0xee);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_numbers_in_both_orders),
		cmocka_unit_test(stays_failed_after_the_first_error),
		cmocka_unit_test(does_not_wrap_on_huge_counts),
		cmocka_unit_test(splits_off_parts),
		cmocka_unit_test(writes_and_never_past_the_end),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
