/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_MENU_READ_H
#define NBP_MENU_READ_H

#include "nbp/menu.h"

/* How menu.c reads the file line by line; for nobody else. */

#define NOWHERE 0xff /* a submenu that is not known yet */

struct parser {
	struct menu *menu;
	struct menu_section *section; /* the one being read; NULL: none yet */
	bool skipping;                /* until the next one; this one was wrong */
	struct menu_error *errors;
	size_t capacity, count;
};

/** Notes an error at @where in the text, unless there are @capacity of them. */
void menu_fail(struct parser *parser, const uint8_t *where, const char *message);

/** Reads one line, without blanks around it, into the menu. */
void menu_read_line(struct parser *parser, struct span line);

#endif
