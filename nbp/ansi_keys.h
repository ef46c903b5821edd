/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_ANSI_KEYS_H
#define NBP_ANSI_KEYS_H

#include <stdint.h>

#include "nbp/platform.h"

/* The time in which a terminal continues an escape sequence, in ms. An Escape after
 * which nothing comes for so long is the key itself. */
#define ANSI_KEYS_ESCAPE_MS 100

/* A decoder of a terminal's bytes; starts as all zeros. */
struct ansi_keys {
	uint8_t state;
	uint8_t number;     /* the number in an escape sequence */
	uint32_t last;      /* when the last byte came, ms */
};

/**
 * Decodes one byte of a terminal. Knows the sequences of VT100, VT220, ANSI terminals,
 * xterm and rxvt (ECMA-48 section 5.4), and ignores others as a whole.
 * @byte: the byte, or -1 if none is waiting, since time makes a single Escape a key
 * @now_ms: the time by the platform's clock
 * Returns the key that the byte completes, as platform.h's key(); KEY_NONE if none.
 */
int ansi_keys_decode(struct ansi_keys *keys, int byte, uint32_t now_ms);

#endif
