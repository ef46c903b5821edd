/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_MENU_H
#define NBP_MENU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nbp/platform.h"

/*
 * The menu file, pxemenu.txt: nbp/menu.md has the grammar. The
 * parsed menu points into the text and copies nothing, so the text must stay
 * where it is for as long as the menu is used.
 */

#define MENU_TEXT_MAX     16384 /* bytes of a menu file */
#define MENU_SECTIONS_MAX 16
#define MENU_ENTRIES_MAX  64    /* in one section */
#define MENU_DEPTH_MAX    8     /* menus open at once, [Main] included */
#define MENU_TIMEOUT_MAX  3600  /* seconds */
#define MENU_SECTION_SIZE 32    /* characters of a section's name at most, */
#define MENU_NAME_SIZE    60    /* of a title or an entry's name, */
#define MENU_ABOUT_SIZE   200   /* of an entry's description */

/* What choosing an entry does. The order is that of the names in menu.c. */
enum menu_kind {
	KIND_EXECUTE,  /* chains a loader */
	KIND_SUBMENU,
	KIND_RETURN,   /* back to the menu that this one was opened from */
	KIND_EXIT,     /* local boot */
	KIND_AUTO,     /* goes on with assigned work */
	KIND_REBOOT,
	KIND_POWEROFF,
};

/* Parts of the screen that have colours of their own, in the order of their names in menu.c. */
enum menu_part {
	PART_SCREEN,
	PART_TITLE,
	PART_ENTRIES,
	PART_CHOSEN,
	PART_DESCRIPTION,
	PART_COUNT,
};

/* An entry's fields, for menu_field(). */
enum menu_field {
	FIELD_NAME = 1,
	FIELD_ABOUT = 2,   /* its description; may be empty */
	FIELD_LOADER = 3,  /* of KIND_EXECUTE: see menu_loader() */
	FIELD_SECTION = 3, /* of KIND_SUBMENU */
	FIELD_CONFIG = 4,  /* of KIND_EXECUTE; may be empty */
	FIELD_PREFIX = 5,  /* of KIND_EXECUTE; may be empty */
};

/* Positions in the text are offsets; 0, where no value can stand, is none. */
struct menu_entry {
	uint16_t value;    /* what follows "option =" */
	uint8_t kind;      /* enum menu_kind */
	uint8_t submenu;   /* of KIND_SUBMENU: the section it opens */
};

struct menu_section {
	uint16_t name;     /* what follows "[" */
	uint16_t title;    /* what follows "title =" */
	uint16_t password; /* what follows "password =" */
	uint16_t fallback; /* what follows "default =" */
	uint16_t timeout;  /* seconds; 0: none */
	uint16_t first;    /* its entries in menu->entries */
	uint8_t count;
	uint8_t chosen;    /* the default's index, counted from first */
};

struct menu {
	const char *text;
	size_t length;
	size_t section_count;
	uint8_t main;                  /* [Main]'s index in sections */
	uint8_t colours[PART_COUNT];   /* background << 4 | text, of enum colour */
	struct menu_section sections[MENU_SECTIONS_MAX];
	struct menu_entry entries[MENU_SECTIONS_MAX * MENU_ENTRIES_MAX];
};

struct menu_error {
	uint16_t line, column; /* from 1; a tab is one column */
	const char *message;   /* what is expected there; in static memory */
};

/**
 * Reads the menu file of @length bytes at @text.
 * @error: receives the first error found
 * Returns 0, or ERR_MALFORMED; then @menu is not to be used.
 */
int menu_parse(const char *text, size_t length, struct menu *menu, struct menu_error *error);

/**
 * The same, but goes on after an error, for those who mend the file.
 * @errors: receives the first @capacity errors: line by line, then those that
 *	only the whole file shows
 * Returns how many are in @errors; 0: the menu is good.
 */
size_t menu_check(const char *text, size_t length, struct menu *menu,
                  struct menu_error *errors, size_t capacity);

/** Returns a field of @entry, without blanks and quotes around it; empty where it has none. */
struct span menu_field(const struct menu *menu, const struct menu_entry *entry, size_t field);

/** Returns the password hash that guards @entry; empty: none. */
struct span menu_entry_password(const struct menu *menu, const struct menu_entry *entry);

/** Returns the name of @section, as it stands in brackets. */
struct span menu_name(const struct menu *menu, const struct menu_section *section);

/** Returns the title of @section, or its name where it has none. */
struct span menu_title(const struct menu *menu, const struct menu_section *section);

/** Returns the password hash that guards @section; empty: none. */
struct span menu_section_password(const struct menu *menu, const struct menu_section *section);

/** Finds the section called @name, in either case; -1: there is none. */
int menu_find(const struct menu *menu, struct span name);

/**
 * Returns the name of the loader that @entry of KIND_EXECUTE starts on
 * @firmware; empty: the entry is not for machines with that firmware.
 */
struct span menu_loader(const struct menu *menu, const struct menu_entry *entry,
                        enum firmware_kind firmware);

#endif
