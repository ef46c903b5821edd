/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/port.h"
#include "nbp/proto/text.h"

/*
 * The console is the screen by INT 10h and a terminal on COM1 by ANSI X3.64, both at once.
 * Where the BIOS copies the screen to COM1 itself, as those of servers can, the port is left
 * to it: otherwise each character would come twice. Keys typed there then come by INT 16h.
 */

#define DEBUG_PORT 0xe9 /* reads as E9h where an emulator listens */

#define VIDEO_SET_MODE 0x0000
#define VIDEO_SET_SHAPE 0x0100
#define VIDEO_SET_CURSOR 0x0200
#define VIDEO_GET_CURSOR 0x0300
#define VIDEO_SCROLL_UP 0x0600
#define VIDEO_WRITE 0x0900    /* sets the attribute; the cursor stays */
#define VIDEO_TELETYPE 0x0e00 /* the attribute stays, the cursor moves */
#define VIDEO_GET_MODE 0x0f00

#define MODE_TEXT 3           /* 80x25, colour */
#define MODE_TEXT_MONO 7
#define ATTRIBUTE_PLAIN COLOUR_WHITE /* on black: what screens start with */
#define SHAPE_HIDDEN 0x2000

static void call_video(uint32_t eax, uint32_t ebx, uint32_t ecx, uint32_t edx)
{
	struct realmode r = { .eax = eax, .ebx = ebx, .ecx = ecx, .edx = edx };

	realmode_interrupt(0x10, &r);
}

static void send_terminal(struct console *console, const char *text)
{
	while (*text)
		uart_put(&console->uart, *text++);
}

/* VGA's blue, green, red are bits 0, 1, 2; ANSI's are 2, 1, 0. */
static uint32_t ansi_colour(uint8_t colour)
{
	return (colour & 1u) << 2 | (colour & 2u) | (colour & 4u) >> 2;
}

/* Writes what cannot be seen: a backspace at a line's beginning, which leaves the cursor
 * there, or a blank and a backspace over it. Some BIOSes send a character only once they
 * know what comes after it, but a backspace and all before it at once. */
static void write_nothing(bool blank)
{
	if (blank)
		call_video(VIDEO_TELETYPE | ' ', ATTRIBUTE_PLAIN, 0, 0);
	call_video(VIDEO_TELETYPE | '\b', ATTRIBUTE_PLAIN, 0, 0);
}

void console_open(struct console *console)
{
	console->attribute = ATTRIBUTE_PLAIN;
	console->debug_port = DEBUG_BUILD && x86_in8(DEBUG_PORT) == DEBUG_PORT;
	uart_open(&console->uart, write_nothing);
}

void console_close(struct console *console)
{
	if (console->drawn) {
		send_terminal(console, "\033[0m\033[?25h");
		if (console->mode != MODE_TEXT)
			call_video(VIDEO_SET_MODE | console->mode, 0, 0, 0);
		call_video(VIDEO_SET_SHAPE, 0, console->shape, 0);
		console->drawn = false;
	}
	uart_close(&console->uart);
}

static void put_char(struct console *console, char c)
{
	/* Teletype keeps the colours that the place on the screen has. */
	if (console->drawn && !console->plain && c >= ' ')
		call_video(VIDEO_WRITE | (uint8_t)c, console->attribute, 1, 0);
	call_video(VIDEO_TELETYPE | (uint8_t)c, ATTRIBUTE_PLAIN, 0, 0);
	uart_put(&console->uart, c);
	if (console->debug_port)
		x86_out8(DEBUG_PORT, (uint8_t)c);
}

void console_write(struct platform *p, const char *text, size_t length)
{
	struct console *console = &bios_of(p)->console;

	while (length--) {
		if (*text == '\n')
			put_char(console, '\r');
		put_char(console, *text++);
	}
}

/* Takes the screen over from programs that only write lines: sets text mode, hides the cursor. */
static void take_screen(struct console *console)
{
	struct realmode r = { .eax = VIDEO_GET_MODE };

	if (console->drawn)
		return;
	console->drawn = true;
	realmode_interrupt(0x10, &r);
	console->mode = r.eax & 0x7f; /* bit 7 says that the mode was set without clearing */
	if (console->mode == MODE_TEXT_MONO)
		console->mode = MODE_TEXT; /* it is 80x25 with the same plain attribute, too */
	if (console->mode != MODE_TEXT)
		call_video(VIDEO_SET_MODE | MODE_TEXT, 0, 0, 0);
	r = (struct realmode){ .eax = VIDEO_GET_CURSOR };
	realmode_interrupt(0x10, &r);
	console->shape = (uint16_t)r.ecx;
	call_video(VIDEO_SET_SHAPE, 0, SHAPE_HIDDEN, 0);
	send_terminal(console, "\033[?25l");
}

void console_clear(struct platform *p)
{
	struct console *console = &bios_of(p)->console;

	take_screen(console);
	console->plain = console->attribute == ATTRIBUTE_PLAIN;
	call_video(VIDEO_SCROLL_UP, (uint32_t)console->attribute << 8, 0, 24 << 8 | 79);
	send_terminal(console, "\033[2J");
	console_move(p, 0, 0);
}

void console_move(struct platform *p, unsigned int row, unsigned int column)
{
	char sequence[16];

	call_video(VIDEO_SET_CURSOR, 0, 0, row << 8 | column);
	text_format(sequence, sizeof(sequence), "\033[%u;%uH", row + 1, column + 1);
	send_terminal(&bios_of(p)->console, sequence);
}

void console_colours(struct platform *p, uint8_t text, uint8_t background)
{
	struct console *console = &bios_of(p)->console;
	char sequence[16];

	take_screen(console);
	console->attribute = (background & 7) << 4 | (text & 15);
	console->plain &= console->attribute == ATTRIBUTE_PLAIN;
	text_format(sequence, sizeof(sequence), "\033[0;%s3%u;4%um",
	            text & COLOUR_BRIGHT ? "1;" : "", ansi_colour(text), ansi_colour(background));
	send_terminal(console, sequence);
}
