/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_MENU_ASK_H
#define NBP_MENU_ASK_H

#include "nbp/menu_screen.h"

/* What the menu asks a person, and for how long; only menu_view.c calls these. */

/* The time without a key after which the machine boots its disk, in ms. It does not count
 * while a countdown runs. */
#define MENU_IDLE_LIMIT  300000
/* The time after which the menu ends in any case, in ms: a key may be stuck, or the serial
 * line noisy. */
#define MENU_TOTAL_LIMIT 3600000

#define MENU_ASK_TIME_OVER (-1) /* stands for a key when the time is over */

struct menu_ask {
	struct menu_screen screen;
	uint32_t begun;         /* when the menu came up, ms */
	uint32_t countdown;     /* ms, until a key is pressed; 0: the idle limit counts */
	bool touched;           /* somebody has pressed a key since the menu came up */
	const struct menu_entry *target; /* the entry that the countdown leads to, or NULL */
	const char *action;     /* the name of what it leads to without a target */
};

/** Draws what the time leads to, and how many seconds are left. */
void menu_ask_show_left(struct menu_ask *ask, uint32_t seconds);

/** Waits for a key for as long as the menu may; returns it, or MENU_ASK_TIME_OVER. */
int menu_ask_key(struct menu_ask *ask);

/**
 * Asks for the password whose hash is @text; an empty hash needs none.
 * Returns 0, or the key that ended it: Escape, Enter after too many tries, or
 * MENU_ASK_TIME_OVER.
 */
int menu_ask_password(struct menu_ask *ask, struct span text);

#endif
