/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BIOS_KEYBOARD_H
#define BIOS_KEYBOARD_H

#include "nbp/platform.h"

/**
 * Translates a key as INT 16h AH=10h gives it.
 * @ax: scan code in the high byte; in the low one ASCII, or 0 or E0h for none
 * Returns a key as platform.h's key() does; KEY_NONE: none of those.
 */
int keyboard_key(uint16_t ax);

/** Translates the shift state of INT 16h AH=02h to SHIFT_ bits. */
uint8_t keyboard_shift(uint8_t al);

#endif
