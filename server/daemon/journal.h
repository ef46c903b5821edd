/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_JOURNAL_H
#define SERVER_DAEMON_JOURNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The log on standard error: whole lines, and no flood of them. Threads share it.
 * Once it has a thread of its own, no other thread ever waits for the program that reads the
 * lines: while that one stands still, lines past the buffer's capacity are counted as suppressed.
 */

#define JOURNAL_SIZE (256 << 10) /* bytes of lines that wait to be written */

enum journal_kind {
	JOURNAL_ALWAYS,  /* start, stop, failures of work: rare by nature */
	JOURNAL_ADMITTED, /* a machine has become a device by itself */
	JOURNAL_KNOWN,   /* decisions for devices we know: bursts as in a big switch-on */
	JOURNAL_UNKNOWN, /* anybody can cause these */
	JOURNAL_TROUBLE, /* the database fails: for every question again */
	JOURNAL_KINDS,
};

struct journal {
	pthread_mutex_t lock;
	bool stamps;    /* begin lines with the time: unless the system's journal does */
	struct {
		int64_t allowance; /* lines times 1000 that may be written now */
		int64_t last_ms;
		uint64_t suppressed;
	} kind[JOURNAL_KINDS];
	/* Lines for the thread, one behind the other; it alone takes the first away. */
	char *lines;
	size_t length;
	bool ending;
	pthread_t thread;
	pthread_cond_t news, drained;
};

/** Starts a journal with full allowances. */
void journal_start(struct journal *journal);

/** Lets a thread of its own write from now on. Returns 0 or ERR_SPACE. */
int journal_detach(struct journal *journal);

/** Waits until all is written, but not for long, and ends the thread if it can be ended. */
void journal_end(struct journal *journal);

/**
 * Says whether a line would be written, so that a line that would not need not be formatted;
 * the caller then calls journal_suppress().
 * @now_ms: monotonic
 */
bool journal_wants(const struct journal *journal, enum journal_kind kind, int64_t now_ms);

/** Counts @lines that were not even tried. */
void journal_suppress(struct journal *journal, enum journal_kind kind, uint64_t lines);

/**
 * Writes a line, unless too many of its kind came lately. A number of lines
 * suppressed is reported with the next that is written.
 * @format: as of printf(); strings in it must be printable
 */
void journal_line(struct journal *journal, enum journal_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
