/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/ansi_keys.h"

enum {
	PLAIN,
	AFTER_CR,     /* a line feed belongs to the carriage return */
	AFTER_ESCAPE, /* ESC */
	IN_CSI,       /* ESC [ */
	IN_SS3,       /* ESC O */
	IN_LINUX,     /* ESC [ [: the Linux console's F1 to F5 */
};

/* Returns the key of the byte that ends ESC [ or ESC O. */
static int key_of_letter(int byte)
{
	switch (byte) {
	case 'A': return KEY_UP;
	case 'B': return KEY_DOWN;
	case 'C': return KEY_RIGHT;
	case 'D': return KEY_LEFT;
	case 'F': return KEY_END;
	case 'H': return KEY_HOME;
	case 'M': return KEY_ENTER; /* the keypad's */
	default: return KEY_NONE;
	}
}

/* Returns the key of ESC [ @number ~. */
static int key_of_number(uint8_t number)
{
	switch (number) {
	case 1: case 7: return KEY_HOME;
	case 4: case 8: return KEY_END;
	case 5: return KEY_PAGE_UP;
	case 6: return KEY_PAGE_DOWN;
	default: return KEY_NONE;
	}
}

static int decode_plain(struct ansi_keys *keys, int byte)
{
	bool line_feed = byte == '\n' && keys->state == AFTER_CR;

	keys->state = byte == '\r' ? AFTER_CR : byte == KEY_ESCAPE ? AFTER_ESCAPE : PLAIN;
	if (byte == '\r' || byte == '\n')
		return line_feed ? KEY_NONE : KEY_ENTER;
	if (byte == KEY_BACKSPACE || byte == 0x7f)
		return KEY_BACKSPACE;
	return byte >= 0x20 && byte < 0x7f ? byte : KEY_NONE;
}

static int decode_after_escape(struct ansi_keys *keys, int byte)
{
	keys->number = 0;
	keys->state = byte == '[' ? IN_CSI : byte == 'O' ? IN_SS3 : PLAIN;
	return KEY_NONE; /* any other byte is a key with Alt, which has no meaning here */
}

/* The first of several numbers counts; the others stand for Shift and the like. */
static int decode_csi(struct ansi_keys *keys, int byte)
{
	if (byte == '[' && keys->number == 0) {
		keys->state = IN_LINUX;
		return KEY_NONE;
	}
	if (byte >= '0' && byte <= '9' && keys->number < 25)
		keys->number = (uint8_t)(keys->number * 10 + byte - '0');
	else if (byte == ';')
		keys->number |= 0x80; /* more digits are ignored */
	if (byte < 0x40) /* parameters and intermediates; bytes from 0x40 on end it */
		return KEY_NONE;
	keys->state = PLAIN;
	return byte == '~' ? key_of_number(keys->number & 0x7f) : key_of_letter(byte);
}

int ansi_keys_decode(struct ansi_keys *keys, int byte, uint32_t now_ms)
{
	uint8_t state = keys->state;

	if (byte < 0) {
		if (state < AFTER_ESCAPE || now_ms - keys->last < ANSI_KEYS_ESCAPE_MS)
			return KEY_NONE;
		keys->state = PLAIN; /* an incomplete sequence is dropped */
		return state == AFTER_ESCAPE ? KEY_ESCAPE : KEY_NONE;
	}
	keys->last = now_ms;
	if (byte == KEY_ESCAPE && state >= AFTER_ESCAPE) {
		keys->state = AFTER_ESCAPE; /* the sequence before it is over */
		return state == AFTER_ESCAPE ? KEY_ESCAPE : KEY_NONE;
	}
	switch (state) {
	case AFTER_ESCAPE: return decode_after_escape(keys, byte);
	case IN_CSI: return decode_csi(keys, byte);
	case IN_SS3: keys->state = PLAIN; return key_of_letter(byte);
	case IN_LINUX: keys->state = PLAIN; return KEY_NONE;
	default: return decode_plain(keys, byte);
	}
}
