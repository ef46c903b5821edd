/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_HOTKEY_H
#define NBP_HOTKEY_H

#include "nbp/platform.h"
#include "nbp/proto/message.h"

/*
 * The hot key. The answer says which key it is, so all keys held or pressed before
 * are kept, and an unattended boot does not wait for it where the firmware reports
 * the shift state.
 */

struct hotkey {
	uint8_t chords;      /* bit n: shift state n (SHIFT_ bits 0 to 2) was seen */
	bool shift_known;    /* the firmware reports the shift state */
	bool enter;          /* Enter was pressed */
	uint8_t keys[8];     /* the first plain keys that were pressed */
	size_t key_count;
};

/** Keeps the keys that are held or pressed now; never waits. */
void hotkey_watch(struct platform *p, struct hotkey *hotkey);

/**
 * Says whether somebody pressed @answer's hot key. A chord counts if it was held at
 * any time since the first hotkey_watch(). Enter stands for it, since a serial
 * terminal has no chords. If the firmware reports no shift state and nothing was
 * pressed, this function prompts for Enter and waits for as long as the answer says.
 */
bool hotkey_pressed(struct platform *p, struct hotkey *hotkey, const struct answer *answer);

#endif
