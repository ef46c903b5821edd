/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/efi_port.h"

#define CHUNK 80
#define DEBUG_PORT 0xE9
#define COLUMNS 80
#define ROWS 25
#define MODE_80X25 0 /* which every console has (UEFI 12.4) */

/*
 * Port 0xE9 is a virtual machine's debug console: reading it gives its own
 * number there, and something else where there is none.
 */
static void debug_port_write(const char *text, size_t length)
{
	if (!DEBUG_BUILD || x86_in8(DEBUG_PORT) != DEBUG_PORT)
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

/* The attributes to go back to are those before our first change. */
static SIMPLE_TEXT_OUTPUT_INTERFACE *console_change(struct efi_port *port)
{
	SIMPLE_TEXT_OUTPUT_INTERFACE *out = port->system->ConOut;

	if (out != NULL && !port->console_changed) {
		port->attribute = out->Mode->Attribute;
		port->console_changed = true;
	}
	return out;
}

/*
 * A larger text mode would leave the menu in a corner; mode 0 puts it into the
 * middle. Where even that is no 80x25, moves out of the screen are refused.
 */
void console_clear(struct platform *p)
{
	SIMPLE_TEXT_OUTPUT_INTERFACE *out = console_change(efi_port(p));
	UINTN columns = 0, rows = 0;

	if (out == NULL)
		return;
	if (EFI_ERROR(out->QueryMode(out, (UINTN)out->Mode->Mode, &columns, &rows)) ||
	    columns != COLUMNS || rows != ROWS) {
		INT32 attribute = out->Mode->Attribute;

		out->SetMode(out, MODE_80X25);
		out->SetAttribute(out, (UINTN)attribute);
	}
	out->EnableCursor(out, FALSE);
	out->ClearScreen(out);
}

void console_move(struct platform *p, unsigned int row, unsigned int column)
{
	SIMPLE_TEXT_OUTPUT_INTERFACE *out = efi_port(p)->system->ConOut;

	if (out != NULL)
		out->SetCursorPosition(out, column, row);
}

/* UEFI's attributes number the colours as enum colour does. */
void console_colours(struct platform *p, uint8_t text, uint8_t background)
{
	SIMPLE_TEXT_OUTPUT_INTERFACE *out = console_change(efi_port(p));

	if (out != NULL)
		out->SetAttribute(out, EFI_TEXT_ATTR(text & 15u, background & 7u));
}

void console_restore(struct efi_port *port)
{
	SIMPLE_TEXT_OUTPUT_INTERFACE *out = port->system->ConOut;

	if (!port->console_changed)
		return;
	out->SetAttribute(out, (UINTN)port->attribute);
	out->EnableCursor(out, TRUE);
	port->console_changed = false;
}
