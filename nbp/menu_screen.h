/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_MENU_SCREEN_H
#define NBP_MENU_SCREEN_H

#include "nbp/menu.h"

/* How the menu looks; only menu_view.c and menu_ask.c call these. The last column
 * of row 24 is never written to, since that would scroll many terminals. */

enum menu_row {
	MENU_ROW_PROMPT = 22,
	MENU_ROW_TIME = 23,
	MENU_ROW_HELP = 24,
};

struct menu_screen {
	struct platform *p;
	const struct menu *menu;
	const struct menu_section *section; /* the one that shows */
	uint8_t chosen;                     /* its highlighted entry */
	uint8_t top;                        /* its uppermost visible entry */
	uint8_t description_rows;           /* rows that a description fills now */
};

/** Draws the whole screen for @section. @escape: what the Escape key does, for the last line */
void menu_screen_show(struct menu_screen *screen, const struct menu_section *section,
                      uint8_t chosen, const char *escape);

/** Draws an empty screen with the title of @section. */
void menu_screen_title(struct menu_screen *screen, const struct menu_section *section);

/** Highlights @entry, and draws what that changes. */
void menu_screen_choose(struct menu_screen *screen, uint8_t entry);

/** Draws one of the lines at the bottom. */
void menu_screen_text(struct menu_screen *screen, enum menu_row row, const char *text);

/** Returns an entry of the section that shows. */
const struct menu_entry *menu_screen_entry(const struct menu_screen *screen, uint8_t entry);

/** Says whether @entry can be chosen on this machine: whether it names a loader for its
 *  firmware, or needs none. */
bool menu_screen_usable(const struct menu_screen *screen, const struct menu_entry *entry);

#endif
