/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_TRANSFER_IMPORT_ERRORS_H
#define SERVER_TRANSFER_IMPORT_ERRORS_H

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * What is wrong with a file that is imported, and what may be: kept until all of it has been read.
 */

#define IMPORT_ERRORS_ALIKE 3 /* errors of one kind that are kept; further ones are counted */

struct import_error {
	size_t line, column; /* from 1; column 0: the line alone */
	size_t more;         /* further errors like it, which are not kept */
	bool warning;
	char *text;
	size_t number;       /* of the order in which they were found */
};

/* Zeros at first. Who has it ends it with import_errors_free(). */
struct import_errors {
	struct import_error *list;
	size_t count;
	size_t errors, warnings; /* all that there were */
	size_t dropped;          /* errors and warnings that do not fit @max */
	size_t max;              /* how many are kept; 0: any number */
	json_t *kinds;           /* by kind: how many are kept, and the last one's place in @list */
};

/**
 * Counts an error, or a warning. Returns whether it is to be kept with import_errors_keep(): not
 * where there are @alike of its kind already, nor where there are errors->max.
 */
bool import_errors_count(struct import_errors *errors, bool warning, const char *kind,
                         size_t alike);
/** Keeps what was counted last. */
void import_errors_keep(struct import_errors *errors, size_t line, size_t column,
                        const char *format, va_list args);
/** Puts them in the order of their places in the file. */
void import_errors_sort(struct import_errors *errors);
/** Frees what it has. */
void import_errors_free(struct import_errors *errors);

#endif
