/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_TOOL_OUTPUT_H
#define SERVER_TOOL_OUTPUT_H

#include <stdarg.h>
#include <stdbool.h>

/*
 * Standard output and standard error of the tools. Much of what they print was typed, read from
 * a file or reported by a machine, and may go to a terminal. So all of it passes this module:
 * control characters, and bytes that are no UTF-8, are printed as "\x1b", in JSON as "\u001b".
 * While a transaction that writes is open, nothing waits for the reader of a pipe: output is
 * kept until the transaction has ended.
 */

enum { OUTPUT_STDOUT = 1, OUTPUT_STDERR = 2 };

/**
 * Passes OUTPUT_STDOUT, OUTPUT_STDERR or both through this module until output_stop(), which
 * the exit of the program calls, too.
 * @busy: says whether what is printed must be kept for now; NULL: never
 */
void output_start(int which, bool (*busy)(void *context), void *context);

/** What is printed to standard output from now on is JSON, where "\x1b" would be wrong. */
void output_json(void);

/** Writes what was kept. Returns 0, or -1 where some of standard output could not be written. */
int output_flush(void);

/** Writes what was kept, and leaves both streams as they were before output_start(). */
void output_stop(void);

/**
 * Prints "NAME: text" as one line to standard error: line ends within it do not show as such.
 * @name: of the program; NULL: the text alone
 */
void output_line(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
void output_vline(const char *name, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/**
 * Writes @text as it may be shown on one line into @out, cut to @size.
 * Returns how many bytes that are, without the NUL.
 */
unsigned long output_escape(const char *text, char *out, unsigned long size);

#endif
