/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "bios/keyboard.h"

static void keys(void **state)
{
	static const struct {
		uint16_t ax;
		int key;
	} cases[] = {
		{ 0x4800, KEY_UP }, { 0x48e0, KEY_UP }, { 0x5000, KEY_DOWN }, { 0x50e0, KEY_DOWN },
		{ 0x4be0, KEY_LEFT }, { 0x4de0, KEY_RIGHT }, { 0x47e0, KEY_HOME }, { 0x4fe0, KEY_END },
		{ 0x49e0, KEY_PAGE_UP }, { 0x51e0, KEY_PAGE_DOWN },
		{ 0x4838, '8' }, /* the keypad with Num Lock */
		{ 0x1c0d, KEY_ENTER }, { 0xe00d, KEY_ENTER }, { 0x011b, KEY_ESCAPE },
		{ 0x0e08, KEY_BACKSPACE }, { 0x0f09, 0x09 }, { 0x1e61, 'a' }, { 0x1e41, 'A' }, { 0x3920, ' ' },
		{ 0x297e, '~' }, { 0xe02f, '/' },
		{ 0x3b00, KEY_NONE }, /* F1 */
		{ 0x4a00, KEY_NONE }, { 0x4cf0, KEY_NONE }, { 0x52e0, KEY_NONE }, { 0x46e0, KEY_NONE },
		{ 0x0000, KEY_NONE }, { 0x00e1, KEY_NONE }, { 0x0e7f, KEY_NONE }, { 0x0f00, KEY_NONE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(keyboard_key(cases[i].ax), cases[i].key);
	for (uint32_t ax = 0; ax < 0x10000; ax++) {
		int key = keyboard_key((uint16_t)ax);

		assert_in_range(key, KEY_NONE, KEY_PAGE_DOWN);
	}
}

static void shift(void **state)
{
	(void)state;
	assert_int_equal(keyboard_shift(0x00), SHIFT_KNOWN);
	assert_int_equal(keyboard_shift(0x01), SHIFT_KNOWN | SHIFT_SHIFT);
	assert_int_equal(keyboard_shift(0x02), SHIFT_KNOWN | SHIFT_SHIFT);
	assert_int_equal(keyboard_shift(0x0c), SHIFT_KNOWN | SHIFT_CTRL | SHIFT_ALT);
	assert_int_equal(keyboard_shift(0xf0), SHIFT_KNOWN); /* locks are none */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test(shift),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
