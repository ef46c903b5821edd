/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/ansi_keys.h"

/* Feeds one of @bytes in each millisecond from @now on; collects up to 8 keys. */
static size_t feed(struct ansi_keys *keys, const char *bytes, size_t length, uint32_t now, int *out)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++) {
		int key = ansi_keys_decode(keys, (uint8_t)bytes[i], now++);

		assert_true(count < 8);
		if (key != KEY_NONE)
			out[count++] = key;
	}
	return count;
}

static void decodes_what_terminals_send(void **state)
{
	static const struct {
		const char *bytes;
		int keys[8]; /* ends with KEY_NONE */
	} cases[] = {
		{ "aZ0 ~", { 'a', 'Z', '0', ' ', '~' } },
		{ "\r", { KEY_ENTER } }, { "\n", { KEY_ENTER } }, { "\r\n", { KEY_ENTER } },
		{ "\r\r", { KEY_ENTER, KEY_ENTER } }, { "\n\n", { KEY_ENTER, KEY_ENTER } },
		{ "\r\nx\n", { KEY_ENTER, 'x', KEY_ENTER } },
		{ "\b\x7f", { KEY_BACKSPACE, KEY_BACKSPACE } },
		{ "\t\x01\x80\xff" "a", { 'a' } },
		/* ANSI, VT100, xterm */
		{ "\x1b[A\x1b[B\x1b[C\x1b[D", { KEY_UP, KEY_DOWN, KEY_RIGHT, KEY_LEFT } },
		{ "\x1bOA\x1bOB\x1bOC\x1bOD", { KEY_UP, KEY_DOWN, KEY_RIGHT, KEY_LEFT } },
		{ "\x1b[H\x1b[F\x1bOH\x1bOF\x1bOM",
		  { KEY_HOME, KEY_END, KEY_HOME, KEY_END, KEY_ENTER } },
		/* VT220, rxvt, the Linux console */
		{ "\x1b[1~\x1b[4~\x1b[5~\x1b[6~",
		  { KEY_HOME, KEY_END, KEY_PAGE_UP, KEY_PAGE_DOWN } },
		{ "\x1b[7~\x1b[8~", { KEY_HOME, KEY_END } },
		/* with Ctrl, Shift */
		{ "\x1b[1;5A\x1b[1;2F\x1b[5;5~", { KEY_UP, KEY_END, KEY_PAGE_UP } },
		/* Insert, Delete, F1 to F12 and Alt+x have no meaning, and leave nothing behind */
		{ "\x1b[2~\x1b[3~\x1bOP\x1bOS\x1b[15~\x1b[24~\x1b[[A\x1b[[Ex", { 'x' } },
		{ "\x1bx\x1b\rq", { 'q' } },
		/* no number wraps to another one */
		{ "\x1b[999999999~\x1b[51~\x1b[261~a", { 'a' } },
		{ "\x1b[?1;2c\x1b[ q\x1b[5[\x1b[~b", { 'b' } },
		{ "\x1b[1\x1b[A", { KEY_UP } },       /* a new sequence ends the first */
		{ "\x1b\x1b[A", { KEY_ESCAPE, KEY_UP } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct ansi_keys keys = { 0 };
		int out[9] = { 0 };
		size_t count = feed(&keys, cases[i].bytes, strlen(cases[i].bytes), 1000, out);

		for (size_t k = 0; k < count || cases[i].keys[k]; k++)
			if (out[k] != cases[i].keys[k])
				fail_msg("case %zu, key %zu: %#x", i, k, (unsigned int)out[k]);
	}
}

static void tells_a_lone_escape_by_time(void **state)
{
	struct ansi_keys keys = { 0 };
	int out[8];

	(void)state;
	assert_int_equal(ansi_keys_decode(&keys, -1, 0), KEY_NONE);
	/* The clock wraps. */
	assert_int_equal(ansi_keys_decode(&keys, 0x1b, UINT32_MAX - 10), KEY_NONE);
	assert_int_equal(ansi_keys_decode(&keys, -1, ANSI_KEYS_ESCAPE_MS - 12), KEY_NONE);
	assert_int_equal(ansi_keys_decode(&keys, -1, ANSI_KEYS_ESCAPE_MS - 11), KEY_ESCAPE);
	assert_int_equal(ansi_keys_decode(&keys, -1, ANSI_KEYS_ESCAPE_MS), KEY_NONE);

	assert_int_equal(feed(&keys, "\x1b\x1b", 2, 0, out), 1);
	assert_int_equal(out[0], KEY_ESCAPE);
	assert_int_equal(ansi_keys_decode(&keys, -1, 200), KEY_ESCAPE);

	/* An Escape with a next byte is not single: the poll was late, not the terminal. */
	assert_int_equal(feed(&keys, "\x1b", 1, 1000, out), 0);
	assert_int_equal(feed(&keys, "[A", 2, 5000, out), 1);
	assert_int_equal(out[0], KEY_UP);
}

static void drops_a_sequence_that_breaks_off(void **state)
{
	static const char *const cut[] = { "\x1b[", "\x1b[1", "\x1bO", "\x1b[[", "\x1b[1;5" };
	struct ansi_keys keys = { 0 };
	int out[8];

	(void)state;
	for (size_t i = 0; i < COUNT(cut); i++) {
		assert_int_equal(feed(&keys, cut[i], strlen(cut[i]), 0, out), 0);
		assert_int_equal(ansi_keys_decode(&keys, -1, 50), KEY_NONE);
		assert_int_equal(ansi_keys_decode(&keys, -1, 500), KEY_NONE);
		assert_int_equal(feed(&keys, "A", 1, 501, out), 1);
		assert_int_equal(out[0], 'A');
	}
	/* A carriage return is a key at once. */
	assert_int_equal(feed(&keys, "\r", 1, 0, out), 1);
	assert_int_equal(ansi_keys_decode(&keys, -1, 5000), KEY_NONE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_what_terminals_send),
		cmocka_unit_test(tells_a_lone_escape_by_time),
		cmocka_unit_test(drops_a_sequence_that_breaks_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
