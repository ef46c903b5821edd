/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_MENU_TEXT_H
#define NBP_MENU_TEXT_H

#include <stdbool.h>

#include "nbp/proto/span.h"

/* Lines, words and fields of a menu file, as parts of its text; only menu.c uses these. */

#define MENU_TEXT_FIELDS_MAX 7 /* of an execute option, from the kind to the password */

/* The fields of a line, which semicolons separate. */
struct menu_text_fields {
	struct span at[MENU_TEXT_FIELDS_MAX]; /* an absent field is empty, at the line's end */
	size_t count;
	struct span password;   /* the HASH of a last field "password HASH", which is not in @at */
	const uint8_t *surplus; /* a field too many, or one with an open quote; NULL if none */
};

/** Returns the line that begins at @offset of @length bytes of text, without its blanks. */
struct span menu_text_line(const char *text, size_t length, size_t offset);

/** Returns @span without the blanks at both ends. */
struct span menu_text_trim(struct span span);

/** Says whether @span is @word, in either case of letters. */
bool menu_text_is(struct span span, const char *word);

/** Says whether both spans are the same, in either case of letters. */
bool menu_text_same(struct span a, struct span b);

/**
 * Returns which of @words @span is, from 0, or -1.
 * @words: each ends with a NUL, the last one with two
 */
int menu_text_find(struct span span, const char *words);

/** Splits @line at its semicolons, except those in quotes. */
void menu_text_split(struct span line, struct menu_text_fields *fields);

#endif
