/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/port.h"

#include <eficonex.h>

#include "nbp/proto/memory.h"

/*
 * Keys by EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL (UEFI 12.3), else by the plain protocol (12.4).
 * Both are only ever polled: on some machines the event WaitForKeyEx never fires, on others
 * it is not an event at all. Some firmware connects its keyboards at the first read, which
 * then may take a second.
 */

#define READS_MAX 8     /* key strokes that one call looks at; others wait for the next */
#define FORGET_MAX 1024 /* more key strokes than any firmware has waiting */

static int translate(const EFI_INPUT_KEY *key)
{
	static const uint16_t scan_codes[] = {
		[SCAN_UP] = KEY_UP,       [SCAN_DOWN] = KEY_DOWN,
		[SCAN_LEFT] = KEY_LEFT,   [SCAN_RIGHT] = KEY_RIGHT,
		[SCAN_HOME] = KEY_HOME,   [SCAN_END] = KEY_END,
		[SCAN_PAGE_UP] = KEY_PAGE_UP, [SCAN_PAGE_DOWN] = KEY_PAGE_DOWN,
		/* Some terminals send for the backspace key what is read as Delete. */
		[SCAN_DELETE] = KEY_BACKSPACE, [SCAN_ESC] = KEY_ESCAPE,
	};

	if (key->UnicodeChar == CHAR_BACKSPACE || key->UnicodeChar == CHAR_CARRIAGE_RETURN ||
	    (key->UnicodeChar >= ' ' && key->UnicodeChar <= '~'))
		return key->UnicodeChar;
	if (key->UnicodeChar == CHAR_LINEFEED)
		return KEY_ENTER;
	if (key->ScanCode < sizeof(scan_codes) / sizeof(scan_codes[0]))
		return scan_codes[key->ScanCode];
	return KEY_NONE;
}

/*
 * EDK2 since 2018 reports the shift keys also with EFI_NOT_READY; others report them only with
 * a key stroke, and a serial terminal never.
 */
static void keep_shift(struct keyboard *keyboard, const EFI_KEY_STATE *state)
{
	UINT32 shift = state->KeyShiftState;

	if (state->KeyToggleState & EFI_TOGGLE_STATE_VALID)
		keyboard->toggles = state->KeyToggleState &
			(EFI_SCROLL_LOCK_ACTIVE | EFI_NUM_LOCK_ACTIVE | EFI_CAPS_LOCK_ACTIVE);
	if (!(shift & EFI_SHIFT_STATE_VALID))
		return;
	keyboard->shift = SHIFT_KNOWN;
	if (shift & (EFI_LEFT_SHIFT_PRESSED | EFI_RIGHT_SHIFT_PRESSED))
		keyboard->shift |= SHIFT_SHIFT;
	if (shift & (EFI_LEFT_CONTROL_PRESSED | EFI_RIGHT_CONTROL_PRESSED))
		keyboard->shift |= SHIFT_CTRL;
	if (shift & (EFI_LEFT_ALT_PRESSED | EFI_RIGHT_ALT_PRESSED))
		keyboard->shift |= SHIFT_ALT;
}

/* Reads one key stroke. Returns false if none waits. A shift key alone gives KEY_NONE. */
static bool read_stroke(struct efi *efi, int *key)
{
	static const EFI_GUID ex_guid = EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL_GUID;
	struct keyboard *keyboard = &efi->keyboard;
	EFI_KEY_DATA data;
	EFI_STATUS status;

	if (!keyboard->open) {
		keyboard->ex = efi_protocol(efi, efi->system->ConsoleInHandle, &ex_guid);
		keyboard->open = true;
	}
	memset(&data, 0, sizeof(data)); /* not all firmware writes all of it */
	if (keyboard->ex) {
		status = keyboard->ex->ReadKeyStrokeEx(keyboard->ex, &data);
		if (status == EFI_SUCCESS || status == EFI_NOT_READY)
			keep_shift(keyboard, &data.KeyState);
	} else if (efi->system->ConIn) {
		status = efi->system->ConIn->ReadKeyStroke(efi->system->ConIn, &data.Key);
	} else {
		return false; /* a machine without a keyboard */
	}
	*key = translate(&data.Key);
	return status == EFI_SUCCESS;
}

int keys_read(struct platform *p)
{
	struct keyboard *keyboard = &efi_of(p)->keyboard;
	int key = KEY_NONE;

	if (keyboard->count > 0) {
		key = keyboard->waiting[0];
		memmove(keyboard->waiting, keyboard->waiting + 1,
		        --keyboard->count * sizeof(keyboard->waiting[0]));
		return key;
	}
	for (int i = 0; i < READS_MAX && key == KEY_NONE; i++)
		if (!read_stroke(efi_of(p), &key))
			return KEY_NONE;
	return key;
}

/* Has the firmware report, or not, a shift key that goes down or up alone as a key stroke. */
static void expose_shift(struct keyboard *keyboard, bool on)
{
	EFI_KEY_TOGGLE_STATE state = EFI_TOGGLE_STATE_VALID | keyboard->toggles;

	if (on)
		state |= EFI_KEY_STATE_EXPOSED;
	keyboard->exposed = on;
	keyboard->ex->SetState(keyboard->ex, &state);
}

uint8_t keys_shift(struct platform *p)
{
	struct keyboard *keyboard = &efi_of(p)->keyboard;
	int key;

	for (int i = 0; i < READS_MAX; i++) {
		/* Keys that nobody takes stay with the firmware, for the next program. */
		if (keyboard->count == sizeof(keyboard->waiting) / sizeof(keyboard->waiting[0]) ||
		    !read_stroke(efi_of(p), &key))
			break;
		if (key != KEY_NONE)
			keyboard->waiting[keyboard->count++] = key;
	}
	/* The first read comes before, as it reports the lock keys' state. */
	if (keyboard->ex && !keyboard->exposed)
		expose_shift(keyboard, true);
	return keyboard->shift;
}

void keys_forget(struct platform *p)
{
	struct efi *efi = efi_of(p);
	int key;

	memset(efi->keyboard.waiting, 0, sizeof(efi->keyboard.waiting));
	efi->keyboard.count = 0;
	for (int i = 0; i < FORGET_MAX && read_stroke(efi, &key); i++)
		continue;
}

void keys_restore(struct efi *efi)
{
	if (efi->keyboard.exposed)
		expose_shift(&efi->keyboard, false);
}

void keys_find_again(struct efi *efi)
{
	memset(&efi->keyboard, 0, sizeof(efi->keyboard));
}
