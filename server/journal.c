/* SPDX-License-Identifier: BSD-2-Clause */
#include "journal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Lines a second in the long run, and at once after a rest. */
static const struct {
	int64_t rate, burst;
} limits[JOURNAL_KINDS] = {
	[JOURNAL_ALWAYS] = { 0, 0 },
	[JOURNAL_KNOWN] = { 200, 20000 },
	[JOURNAL_UNKNOWN] = { 1, 50 },
	[JOURNAL_TROUBLE] = { 1, 20 },
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void journal_start(struct journal *journal)
{
	memset(journal, 0, sizeof(*journal));
	/* systemd sets this for services whose lines it stamps itself. */
	journal->stamps = !getenv("JOURNAL_STREAM");
	for (int i = 0; i < JOURNAL_KINDS; i++) {
		journal->kind[i].allowance = limits[i].burst * 1000;
		journal->kind[i].last_ms = now_ms();
	}
}

static bool allowed(struct journal *journal, enum journal_kind kind)
{
	int64_t now = now_ms();

	if (kind == JOURNAL_ALWAYS)
		return true;
	journal->kind[kind].allowance += (now - journal->kind[kind].last_ms) * limits[kind].rate;
	journal->kind[kind].last_ms = now;
	if (journal->kind[kind].allowance > limits[kind].burst * 1000)
		journal->kind[kind].allowance = limits[kind].burst * 1000;
	if (journal->kind[kind].allowance < 1000) {
		journal->kind[kind].held_back++;
		return false;
	}
	journal->kind[kind].allowance -= 1000;
	return true;
}

void journal_line(struct journal *journal, enum journal_kind kind, const char *format, ...)
{
	char stamp[32] = "", held[64] = "", line[2048];
	time_t now = time(NULL);
	struct tm utc;
	va_list args;

	if (!allowed(journal, kind))
		return;
	if (journal->stamps && gmtime_r(&now, &utc))
		strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ ", &utc);
	if (journal->kind[kind].held_back)
		snprintf(held, sizeof(held), " (%llu lines like this held back)",
		         (unsigned long long)journal->kind[kind].held_back);
	journal->kind[kind].held_back = 0;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	fprintf(stderr, "%s%s%s\n", stamp, line, held);
}
