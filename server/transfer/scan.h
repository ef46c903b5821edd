/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_TRANSFER_SCAN_H
#define SERVER_TRANSFER_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Finds places in a JSON text without reading it whole: jansson names a line
 * only of what is not JSON at all. Positions are in bytes; what is found has
 * still to be parsed.
 */

/** Returns the position after the blanks at @at. */
size_t scan_blanks(const char *text, size_t length, size_t at);

/** Returns the position after the value at @at; @length where it does not end. */
size_t scan_skip(const char *text, size_t length, size_t at);

/**
 * Goes through the object or list whose "{" or "[" is at *@at, or that has been
 * gone through up to *@at: sets *@at to the next value inside.
 * @key: receives where its key's quote is, in an object
 * Returns 1 where there is one, 0 at the end (*@at is after it), -1 where the
 * text is not such a thing.
 */
int scan_next(const char *text, size_t length, size_t *at, bool first, size_t *key);

/** Returns the line, from 1, of the position @at. */
size_t scan_line(const char *text, size_t at);

#endif
