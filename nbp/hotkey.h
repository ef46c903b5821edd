/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_HOTKEY_H
#define NBP_HOTKEY_H

#include "nbp/platform.h"
#include "nbp/proto/message.h"

/*
 * The hot key. Which one it is, the answer tells; so all that is held or
 * pressed until then is noted, and an unattended boot waits not a millisecond
 * for it where the firmware tells the shift state.
 */

struct hotkey {
	uint8_t chords;      /* bit n: shift state n (SHIFT_ bits 0 to 2) was seen */
	bool shift_known;    /* the firmware tells the shift state */
	bool enter;          /* Enter was pressed */
	uint8_t keys[8];     /* plain keys pressed, the first ones */
	size_t key_count;
};

/** Notes what is held and pressed now; never waits. */
void hotkey_watch(struct platform *p, struct hotkey *hotkey);

/**
 * Says whether the menu is called for by @answer's hot key. A chord counts if
 * it was held at any time since the first hotkey_watch(). Since a serial
 * terminal has no chords, Enter stands for one. Where the firmware tells no
 * shift state and nothing was pressed, asks for Enter and waits for as long as
 * the answer says.
 */
bool hotkey_pressed(struct platform *p, struct hotkey *hotkey, const struct answer *answer);

#endif
