/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_TRANSFER_CSV_H
#define SERVER_TRANSFER_CSV_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Comma-separated values as RFC 4180 has them, with LF or CRLF, and with ";" or a
 * tab in place of the comma where the first line has no comma: so do spreadsheets in
 * half of the world. A first line "sep=;" says it outright. A Ctrl+Z at the end
 * counts as nothing.
 */

#define CSV_FIELDS_MAX 16

struct csv_field {
	char *text;          /* without quotes; NUL at its end */
	size_t line, column; /* where it begins, from 1, in characters */
};

struct csv {
	char *text;
	size_t at, length;
	size_t line, column;
	char separator;
	/* the row at hand: */
	size_t count;
	struct csv_field fields[CSV_FIELDS_MAX];
	/* what is wrong with it: */
	const char *message;
	size_t error_line, error_column;
};

/**
 * Starts with @length bytes and a NUL at @text, which are changed and must stay.
 * Returns 0 or ERR_MALFORMED with csv->message: it is not text in UTF-8.
 */
int csv_start(struct csv *csv, char *text, size_t length);

/**
 * Goes to the next row that has something in it. Returns 1, 0 at the end, or
 * ERR_MALFORMED with csv->message: then the next call goes on with the next line.
 */
int csv_next(struct csv *csv);

#endif
