/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_MENU_VIEW_H
#define NBP_MENU_VIEW_H

#include "nbp/menu.h"
#include "nbp/platform.h"
#include "nbp/proto/message.h"

enum menu_action {
	MENU_LOCAL = 0,  /* boot the local disk */
	MENU_AUTO,       /* go on as though there had been no menu */
	MENU_EXECUTE,    /* start the loader with config and prefix */
	MENU_REBOOT,
	MENU_POWER_OFF,
};

struct menu_choice {
	enum menu_action action;
	char name[MENU_NAME_SIZE + 1]; /* the chosen entry's; empty if none was chosen */
	const char *reason;            /* why: "chosen" or "default" for an entry */
	/* only with MENU_EXECUTE: */
	char loader[FILE_SIZE];        /* not empty */
	char config[FILE_SIZE];        /* may be empty */
	char prefix[FILE_SIZE];        /* may be empty */
};

/**
 * Shows @menu on screen and terminal until something is chosen or a limit
 * passes; clears the screen again before it returns. It needs these of the
 * platform: now, idle, write, clear, move, colours, key, forget_keys, watchdog,
 * machine.firmware. It renews the watchdog while it shows and leaves it armed.
 * @untouched: the action in place of MENU_LOCAL if nobody pressed a key at all:
 *             MENU_AUTO where a stray key may have called the menu, else MENU_LOCAL
 */
void menu_run(struct platform *p, const struct menu *menu, enum menu_action untouched,
              struct menu_choice *choice);

/** Draws one section as menu_run() does, and returns at once. */
void menu_draw(struct platform *p, const struct menu *menu, size_t section);

#endif
