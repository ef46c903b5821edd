/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/port.h"
#include "nbp/proto/memory.h"

/* Keys by INT 16h, and from a terminal at COM1. */

#define KEYS_GET 0x1000       /* functions of INT 16h */
#define KEYS_PEEK 0x1100
#define KEYS_GET_SHIFT 0x0200

/* The bits that function 02h returns. */
#define EITHER_SHIFT 0x03
#define CTRL 0x04
#define ALT 0x08

#define SCAN_FIRST 0x47
#define SCAN_LAST 0x51

/* The keys and bytes that one call looks at: a UART that never stops sending must not stop us. */
#define KEYS_MAX 16
#define KEYS_BUFFER_MAX 1024 /* bytes of a BIOS's keyboard buffer; most have 32 */

int keys_translate(uint16_t ax)
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

uint8_t keys_shift_of(uint8_t al)
{
	return SHIFT_KNOWN | (al & EITHER_SHIFT ? SHIFT_SHIFT : 0) | (al & CTRL ? SHIFT_CTRL : 0) |
	       (al & ALT ? SHIFT_ALT : 0);
}

/* Reads keys from the BIOS up to the first that we know; KEY_NONE if there is none. */
static int read_keyboard(void)
{
	struct realmode r;
	int key = KEY_NONE;

	for (size_t i = 0; i < KEYS_MAX && key == KEY_NONE; i++) {
		r = (struct realmode){ .eax = KEYS_PEEK };
		realmode_interrupt(0x16, &r);
		if (r.eflags & EFLAGS_ZF)
			break;
		r = (struct realmode){ .eax = KEYS_GET };
		realmode_interrupt(0x16, &r);
		key = keys_translate((uint16_t)r.eax);
	}
	return key;
}

int keys_read(struct platform *p)
{
	struct console *console = &bios_of(p)->console;
	int key = read_keyboard(), byte = 0;

	for (size_t i = 0; i < KEYS_MAX && key == KEY_NONE && byte >= 0; i++) {
		byte = uart_get(&console->uart);
		key = ansi_keys_decode(&console->keys, byte, p->now(p));
	}
	return key;
}

/* Where a BIOS has put its keyboard buffer elsewhere, another one before it may have used
 * the usual place: both are wiped. */
void keys_forget(struct platform *p)
{
	uint16_t start = bda_read16(BDA_KEYS_START), end = bda_read16(BDA_KEYS_END);

	(void)p;
	memset(physical(BDA_KEYS), 0, BDA_KEYS_SIZE);
	if (start >= end || end - start > KEYS_BUFFER_MAX) /* a BIOS of before 1982 */
		start = BDA_KEYS & 0xff;
	else
		memset(physical(BDA + start), 0, end - start);
	*(volatile uint16_t *)physical(BDA_KEY_HEAD) = start;
	*(volatile uint16_t *)physical(BDA_KEY_TAIL) = start;
}

uint8_t keys_shift(struct platform *p)
{
	struct realmode r = { .eax = KEYS_GET_SHIFT };

	(void)p;
	realmode_interrupt(0x16, &r);
	return keys_shift_of((uint8_t)r.eax);
}
