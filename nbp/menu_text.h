/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_MENU_TEXT_H
#define NBP_MENU_TEXT_H

#include <stdbool.h>

#include "nbp/platform.h"

/* Words and fields of a menu file; only menu.c and its view use these. */

#define FIELDS_MAX 7 /* execute with all there is: kind to password */

/* What stands between the semicolons of a line. */
struct fields {
	struct span at[FIELDS_MAX]; /* those not there: empty, at the line's end */
	size_t count;
	struct span password;   /* of a last field "password HASH"; it is not in @at */
	const uint8_t *surplus; /* a field too many, or one with an open quote; NULL: none */
};

/** Returns the line that begins at @offset of @length bytes of text, without its blanks. */
struct span line_at(const char *text, size_t length, size_t offset);

/** Takes blanks off both ends. */
struct span trim(struct span span);

/** Says whether @span is @word, in either case of letters. */
bool same(struct span span, const char *word);

/** Says whether both are the same, in either case of letters. */
bool same_span(struct span a, struct span b);

/** Returns which of @words @span is, from 0, or -1. Each ends with a NUL, the last with two. */
int index_of(struct span span, const char *words);

/** Splits @line at its semicolons, but for those in quotes. */
void split(struct span line, struct fields *fields);

#endif
