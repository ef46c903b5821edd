/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_MENU_ASK_H
#define NBP_MENU_ASK_H

#include "nbp/menu_screen.h"

/* What the menu asks a person, and for how long; only menu_view.c calls these. */

#define TIME_OVER (-1) /* in place of a key: the time is over */

struct dialogue {
	struct screen screen;
	uint32_t begun;         /* when the menu came up, ms */
	uint32_t countdown;     /* ms, until a key is pressed; 0: the idle limit */
	bool touched;           /* somebody pressed a key since then */
	const struct menu_entry *target; /* what it leads to; NULL: to @otherwise */
	const char *otherwise;
};

/** Draws what the time leads to, and how long that will take. */
void dialogue_show_left(struct dialogue *dialogue, uint32_t seconds);

/** Waits for a key while the menu may wait. */
int dialogue_key(struct dialogue *dialogue);

/**
 * Asks for the password of the hash @text; an empty one needs none.
 * Returns 0, or the key it ended with: Escape, Enter after too many tries, TIME_OVER.
 */
int dialogue_password(struct dialogue *dialogue, struct span text);

#endif
