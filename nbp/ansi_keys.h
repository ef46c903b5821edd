/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_ANSI_KEYS_H
#define NBP_ANSI_KEYS_H

#include <stdint.h>

#include "nbp/platform.h"

/* How long a terminal may take to send on after an Escape, ms. A lone one is
 * known by that: nothing comes after it. */
#define KEYS_ESCAPE_TIME 100

/* A decoder of what a terminal sends; starts as all zeros. */
struct keys {
	uint8_t state;
	uint8_t number;     /* in an escape sequence */
	uint32_t last;      /* when the last byte came */
};

/**
 * Takes one byte from a terminal and says which key it completes. Knows what
 * VT100, VT220, ANSI terminals, xterm and rxvt send (ECMA-48 section 5.4);
 * other sequences are swallowed whole.
 * @byte: the byte, or -1 where none is waiting: time alone makes a lone Escape a key
 * @now_ms: of the clock
 * Returns a key as platform.h's key() does; KEY_NONE: none yet.
 */
int keys_decode(struct keys *keys, int byte, uint32_t now_ms);

#endif
