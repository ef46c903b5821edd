/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/keyboard.h"

/* Bits of INT 16h AH=02h. */
#define EITHER_SHIFT 0x03
#define CTRL 0x04
#define ALT 0x08

#define SCAN_FIRST 0x47
#define SCAN_LAST 0x51

int keyboard_key(uint16_t ax)
{
	/* By scan code from 47h on: the keypad's rows, from Home to PgDn. */
	static const uint16_t pad[SCAN_LAST - SCAN_FIRST + 1] = {
		KEY_HOME, KEY_UP, KEY_PAGE_UP, KEY_NONE,
		KEY_LEFT, KEY_NONE, KEY_RIGHT, KEY_NONE,
		KEY_END, KEY_DOWN, KEY_PAGE_DOWN,
	};
	uint8_t scan = ax >> 8, ascii = (uint8_t)ax;

	if ((ascii == 0 || ascii == 0xe0) && scan >= SCAN_FIRST && scan <= SCAN_LAST)
		return pad[scan - SCAN_FIRST];
	if ((ascii >= ' ' && ascii <= '~') || ascii == KEY_BACKSPACE || ascii == KEY_ENTER ||
	    ascii == KEY_ESCAPE || ascii == '\t')
		return ascii;
	return KEY_NONE;
}

uint8_t keyboard_shift(uint8_t al)
{
	return SHIFT_KNOWN | (al & EITHER_SHIFT ? SHIFT_SHIFT : 0) | (al & CTRL ? SHIFT_CTRL : 0) |
	       (al & ALT ? SHIFT_ALT : 0);
}
