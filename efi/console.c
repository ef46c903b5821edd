/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/cpu.h"
#include "efi/port.h"

#define CHUNK 80
#define COLUMNS 80
#define ROWS 25
#define MODE_80X25 0 /* which every console has (UEFI 12.4) */

/* The firmware's console writes to whatever the machine has: screen, serial port. */
void console_write(struct platform *p, const char *text, size_t length)
{
	SIMPLE_TEXT_OUTPUT_INTERFACE *out = efi_of(p)->system->ConOut;
	CHAR16 chunk[CHUNK + 3]; /* CR LF NUL may follow CHUNK - 1 characters */
	size_t used = 0;

	if (DEBUG_BUILD)
		cpu_write_debug(text, length);
	if (!out) /* a machine without a console */
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

/* Returns the console for a change; before the first one it keeps the attribute to restore. */
static SIMPLE_TEXT_OUTPUT_INTERFACE *begin_change(struct efi *efi)
{
	SIMPLE_TEXT_OUTPUT_INTERFACE *out = efi->system->ConOut;

	if (out && !efi->console_changed) {
		efi->attribute = out->Mode->Attribute;
		efi->console_changed = true;
	}
	return out;
}

/*
 * A larger text mode would leave the menu in a corner; mode 0 puts it into the middle. Where
 * even mode 0 is not 80x25, the firmware refuses moves out of the screen.
 */
void console_clear(struct platform *p)
{
	SIMPLE_TEXT_OUTPUT_INTERFACE *out = begin_change(efi_of(p));
	UINTN columns = 0, rows = 0;

	if (!out)
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
	SIMPLE_TEXT_OUTPUT_INTERFACE *out = efi_of(p)->system->ConOut;

	if (out)
		out->SetCursorPosition(out, column, row);
}

/* UEFI's attributes number the colours as enum colour does. */
void console_colours(struct platform *p, uint8_t text, uint8_t background)
{
	SIMPLE_TEXT_OUTPUT_INTERFACE *out = begin_change(efi_of(p));

	if (out)
		out->SetAttribute(out, EFI_TEXT_ATTR(text & 15u, background & 7u));
}

void console_restore(struct efi *efi)
{
	SIMPLE_TEXT_OUTPUT_INTERFACE *out = efi->system->ConOut;

	if (!efi->console_changed)
		return;
	out->SetAttribute(out, (UINTN)efi->attribute);
	out->EnableCursor(out, TRUE);
	efi->console_changed = false;
}
