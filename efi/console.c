/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi_port.h"

#define CHUNK 80
#define DEBUG_PORT 0xE9

/*
 * Port 0xE9 is a virtual machine's debug console: reading it gives its own
 * number there, and something else where there is none.
 */
static void debug_port_write(const char *text, size_t length)
{
	if (DEBUG_LEVEL == 0 || x86_in8(DEBUG_PORT) != DEBUG_PORT)
		return;
	for (size_t i = 0; i < length; i++)
		x86_out8(DEBUG_PORT, (uint8_t)text[i]);
}

/* The firmware's own console goes to whatever it has: screen, serial port. */
void console_write(struct platform *p, const char *text, size_t length)
{
	SIMPLE_TEXT_OUTPUT_INTERFACE *out = efi_port(p)->system->ConOut;
	CHAR16 chunk[CHUNK + 3]; /* room for CR LF NUL after CHUNK - 1 characters */
	size_t used = 0;

	debug_port_write(text, length);
	if (out == NULL) /* a machine without a console */
		return;
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n')
			chunk[used++] = '\r';
		chunk[used++] = (unsigned char)text[i];
		if (used >= CHUNK || i + 1 == length) {
			chunk[used] = 0;
			out->OutputString(out, chunk);
			used = 0;
		}
	}
}
