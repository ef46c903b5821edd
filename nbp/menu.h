/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_MENU_H
#define NBP_MENU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nbp/platform.h"

/*
 * The menu file, pxemenu.txt; nbp/menu.md has the grammar. The parsed menu
 * points into the text and copies nothing, so the text must stay where it is for
 * as long as the menu is used.
 */

#define MENU_TEXT_MAX     16384 /* bytes of a menu file */
#define MENU_SECTIONS_MAX 16
#define MENU_ENTRIES_MAX  64    /* in one section */
#define MENU_DEPTH_MAX    8     /* menus open at once, [Main] included */
#define MENU_TIMEOUT_MAX  3600  /* seconds */

/* The largest number of characters in the name of a section, in a title or the
 * name of an entry, and in a description. */
#define MENU_SECTION_SIZE     32
#define MENU_NAME_SIZE        60
#define MENU_DESCRIPTION_SIZE 200

/* What choosing an entry does, in the order of the words in menu.c. */
enum menu_kind {
	MENU_KIND_EXECUTE,  /* starts a loader */
	MENU_KIND_SUBMENU,
	MENU_KIND_RETURN,   /* goes back to the menu that this one was opened from */
	MENU_KIND_EXIT,     /* boots the local disk */
	MENU_KIND_AUTO,     /* goes on as though there had been no menu */
	MENU_KIND_REBOOT,
	MENU_KIND_POWEROFF,
};

/* Parts of the screen with colours of their own, in the order of the words in menu.c. */
enum menu_part {
	MENU_PART_SCREEN,
	MENU_PART_TITLE,
	MENU_PART_ENTRIES,
	MENU_PART_CHOSEN,
	MENU_PART_DESCRIPTION,
	MENU_PART_COUNT,
};

/* The fields of an entry, for menu_field(). */
enum menu_field {
	MENU_FIELD_NAME = 1,
	MENU_FIELD_DESCRIPTION = 2, /* may be empty */
	MENU_FIELD_LOADER = 3,  /* of MENU_KIND_EXECUTE; see menu_loader() */
	MENU_FIELD_SECTION = 3, /* of MENU_KIND_SUBMENU */
	MENU_FIELD_CONFIG = 4,  /* of MENU_KIND_EXECUTE; may be empty */
	MENU_FIELD_PREFIX = 5,  /* of MENU_KIND_EXECUTE; may be empty */
};

/* Positions in the text are offsets; 0, where no value can stand, means none. */
struct menu_entry {
	uint16_t value;    /* what follows "option =" */
	uint8_t kind;      /* enum menu_kind */
	uint8_t submenu;   /* the section that MENU_KIND_SUBMENU opens */
};

struct menu_section {
	uint16_t name;     /* what follows "[" */
	uint16_t title;    /* what follows "title =" */
	uint16_t password; /* what follows "password =" */
	uint16_t default_name; /* what follows "default =" */
	uint16_t timeout;  /* seconds; 0: none */
	uint16_t first;    /* the index of its first entry in menu->entries */
	uint8_t count;
	uint8_t chosen;    /* the default entry, counted from first */
};

struct menu {
	const char *text;
	size_t length;
	size_t section_count;
	uint8_t main;                  /* [Main]'s index in sections */
	uint8_t colours[MENU_PART_COUNT];   /* background << 4 | text, of enum colour */
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
 * Reads the menu file as menu_parse() does, but goes on after an error, for
 * whoever repairs the file.
 * @errors: receives the first @capacity errors: line by line, then those that
 *          only the whole file shows
 * Returns how many are in @errors; 0: the menu is good.
 */
size_t menu_check(const char *text, size_t length, struct menu *menu,
                  struct menu_error *errors, size_t capacity);

/** Returns a field of @entry, without blanks and quotes around it; empty if it has none. */
struct span menu_field(const struct menu *menu, const struct menu_entry *entry, size_t field);

/** Returns the password hash that guards @entry; empty if it has none. */
struct span menu_entry_password(const struct menu *menu, const struct menu_entry *entry);

/** Returns the name of @section, as it stands in brackets. */
struct span menu_name(const struct menu *menu, const struct menu_section *section);

/** Returns the title of @section, or its name if it has none. */
struct span menu_title(const struct menu *menu, const struct menu_section *section);

/** Returns the password hash that guards @section; empty if it has none. */
struct span menu_section_password(const struct menu *menu, const struct menu_section *section);

/** Returns the index of the section @name, in either case of letters; -1 if there is none. */
int menu_find(const struct menu *menu, struct span name);

/**
 * Returns the name of the loader that @entry of MENU_KIND_EXECUTE starts on machines of
 * @kind, LOADERS excluded; empty if the entry is not for such machines.
 */
struct span menu_loader(const struct menu *menu, const struct menu_entry *entry,
                        enum loader_kind kind);

#endif
