/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_MENU_SCREEN_H
#define NBP_MENU_SCREEN_H

#include "nbp/menu.h"

/* How the menu looks; only menu_view.c calls these. Row 24's last column is
 * never written to, which would scroll many terminals. */

enum screen_row {
	ROW_PROMPT = 22,
	ROW_TIME = 23,
	ROW_HELP = 24,
};

struct screen {
	struct platform *p;
	const struct menu *menu;
	const struct menu_section *section; /* the one that shows */
	uint8_t chosen;                     /* its highlighted entry, */
	uint8_t top;                        /* and its uppermost visible one */
	uint8_t about_rows;                 /* of the description, in use */
};

/** Draws the whole screen for @section. @escape: what the key does, for the last line */
void screen_show(struct screen *screen, const struct menu_section *section, uint8_t chosen,
                 const char *escape);

/** Draws an empty screen with the title of @section. */
void screen_title(struct screen *screen, const struct menu_section *section);

/** Highlights @entry, and draws what that changes. */
void screen_choose(struct screen *screen, uint8_t entry);

/** Draws one of the lines at the bottom. */
void screen_text(struct screen *screen, enum screen_row row, const char *text);

/** Returns an entry of the section that shows. */
const struct menu_entry *screen_entry(const struct screen *screen, uint8_t entry);

/** Says whether this machine's firmware has a loader for it; true where it needs none. */
bool screen_usable(const struct screen *screen, const struct menu_entry *entry);

#endif
