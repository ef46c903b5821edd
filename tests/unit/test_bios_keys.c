/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "bios/port.h"

/* --- a BIOS with keys, and a terminal ---------------------------------------- */

static struct {
	uint16_t keys[64]; /* what INT 16h AH=10h gives, in turn */
	size_t key_count, taken;
	uint8_t shift;
	const char *bytes; /* what the terminal has sent */
} machine;

void realmode_interrupt(uint8_t vector, struct realmode *r)
{
	assert_int_equal(vector, 0x16);
	r->eflags = 0;
	switch (r->eax) {
	case 0x1000:
		assert_true(machine.taken < machine.key_count); /* it would wait for ever */
		r->eax = machine.keys[machine.taken++];
		break;
	case 0x1100:
		if (machine.taken == machine.key_count)
			r->eflags = EFLAGS_ZF;
		break;
	case 0x0200:
		r->eax = 0x0200 | machine.shift;
		break;
	default:
		fail_msg("INT 16h with AX %x", r->eax);
	}
}

int uart_get(struct uart *uart)
{
	(void)uart;
	return *machine.bytes ? *machine.bytes++ : -1;
}

static uint32_t no_time(struct platform *p)
{
	(void)p;
	return 0;
}

static int start(void **state)
{
	static struct bios bios;

	memset(&bios, 0, sizeof(bios));
	memset(&machine, 0, sizeof(machine));
	machine.bytes = "";
	bios.platform.now = no_time;
	*state = &bios.platform;
	return 0;
}

static void press(uint16_t ax)
{
	assert_true(machine.key_count < COUNT(machine.keys));
	machine.keys[machine.key_count++] = ax;
}

static void the_keyboard_comes_first(void **state)
{
	assert_int_equal(keys_read(*state), KEY_NONE);
	press(0x3b00); /* F1 */
	press(0x4800);
	press(0x1e61);
	machine.bytes = "b\033[B";
	assert_int_equal(keys_read(*state), KEY_UP);
	assert_int_equal(keys_read(*state), 'a');
	assert_int_equal(keys_read(*state), 'b');
	assert_int_equal(keys_read(*state), KEY_DOWN);
	assert_int_equal(keys_read(*state), KEY_NONE);
}

/* One call must not take long, whatever is waiting. */
static void one_call_is_bounded(void **state)
{
	static const char noise[] = "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1x";
	char got[11] = "";
	size_t count = 0;

	for (int i = 0; i < 40; i++)
		press(0x3b00);
	press(0x1e61);
	machine.bytes = noise;
	assert_int_equal(keys_read(*state), KEY_NONE);
	assert_in_range(machine.taken, 1, 39);
	assert_in_range(machine.bytes - noise, 1, 20);
	for (int i = 0; i < 10; i++) {
		int key = keys_read(*state);

		if (key != KEY_NONE)
			got[count++] = (char)key;
	}
	assert_string_equal(got, "xa");
}

static void shift_keys_are_asked_for(void **state)
{
	machine.shift = 0x0c;
	assert_int_equal(keys_shift(*state), SHIFT_KNOWN | SHIFT_CTRL | SHIFT_ALT);
}

/* --- the translations --------------------------------------------------------- */

static void keys(void **state)
{
	static const struct {
		uint16_t ax;
		int key;
	} cases[] = {
		{ 0x4800, KEY_UP },        { 0x48e0, KEY_UP },    { 0x5000, KEY_DOWN },
		{ 0x50e0, KEY_DOWN },      { 0x4be0, KEY_LEFT },  { 0x4de0, KEY_RIGHT },
		{ 0x47e0, KEY_HOME },      { 0x4fe0, KEY_END },   { 0x49e0, KEY_PAGE_UP },
		{ 0x51e0, KEY_PAGE_DOWN }, { 0x4838, '8' }, /* the keypad with Num Lock */
		{ 0x1c0d, KEY_ENTER },     { 0xe00d, KEY_ENTER }, { 0x011b, KEY_ESCAPE },
		{ 0x0e08, KEY_BACKSPACE }, { 0x0f09, 0x09 },      { 0x1e61, 'a' },
		{ 0x1e41, 'A' },           { 0x3920, ' ' },       { 0x297e, '~' },
		{ 0xe02f, '/' },           { 0x3b00, KEY_NONE }, /* F1 */
		{ 0x4a00, KEY_NONE },      { 0x4cf0, KEY_NONE },  { 0x52e0, KEY_NONE },
		{ 0x46e0, KEY_NONE },      { 0x0000, KEY_NONE },  { 0x00e1, KEY_NONE },
		{ 0x0e7f, KEY_NONE },      { 0x0f00, KEY_NONE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(keys_translate(cases[i].ax), cases[i].key);
	for (uint32_t ax = 0; ax < 0x10000; ax++) {
		int key = keys_translate((uint16_t)ax);

		assert_in_range(key, KEY_NONE, KEY_PAGE_DOWN);
	}
}

static void shift(void **state)
{
	(void)state;
	assert_int_equal(keys_shift_of(0x00), SHIFT_KNOWN);
	assert_int_equal(keys_shift_of(0x01), SHIFT_KNOWN | SHIFT_SHIFT);
	assert_int_equal(keys_shift_of(0x02), SHIFT_KNOWN | SHIFT_SHIFT);
	assert_int_equal(keys_shift_of(0x0c), SHIFT_KNOWN | SHIFT_CTRL | SHIFT_ALT);
	assert_int_equal(keys_shift_of(0xf0), SHIFT_KNOWN); /* locks are none */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_keyboard_comes_first, start),
		cmocka_unit_test_setup(one_call_is_bounded, start),
		cmocka_unit_test_setup(shift_keys_are_asked_for, start),
		cmocka_unit_test(keys),
		cmocka_unit_test(shift),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
