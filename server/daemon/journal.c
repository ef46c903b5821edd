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

#define read_one(value)       __atomic_load_n(&(value), __ATOMIC_RELAXED)
#define write_one(value, new) __atomic_store_n(&(value), (new), __ATOMIC_RELAXED)

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void journal_start(struct journal *journal)
{
	memset(journal, 0, sizeof(*journal));
	pthread_mutex_init(&journal->lock, NULL);
	/* systemd sets this for services whose lines it stamps itself. */
	journal->stamps = !getenv("JOURNAL_STREAM");
	for (int i = 0; i < JOURNAL_KINDS; i++) {
		journal->kind[i].allowance = limits[i].burst * 1000;
		journal->kind[i].last_ms = now_ms();
	}
}

static int64_t allowance(const struct journal *journal, enum journal_kind kind, int64_t now)
{
	int64_t sum = read_one(journal->kind[kind].allowance) +
	              (now - read_one(journal->kind[kind].last_ms)) * limits[kind].rate;

	return sum < limits[kind].burst * 1000 ? sum : limits[kind].burst * 1000;
}

bool journal_wants(const struct journal *journal, enum journal_kind kind, int64_t now)
{
	return kind == JOURNAL_ALWAYS || allowance(journal, kind, now) >= 1000;
}

void journal_hold(struct journal *journal, enum journal_kind kind, uint64_t lines)
{
	if (lines)
		__atomic_fetch_add(&journal->kind[kind].held_back, lines, __ATOMIC_RELAXED);
}

/* Takes one line's allowance. With the lock held. */
static bool allowed(struct journal *journal, enum journal_kind kind)
{
	int64_t now = now_ms(), left = allowance(journal, kind, now);
	bool allow = kind == JOURNAL_ALWAYS || left >= 1000;

	write_one(journal->kind[kind].allowance, allow ? left - 1000 : left);
	write_one(journal->kind[kind].last_ms, now);
	if (!allow)
		journal_hold(journal, kind, 1);
	return allow;
}

void journal_line(struct journal *journal, enum journal_kind kind, const char *format, ...)
{
	char stamp[32] = "", held[64] = "", line[2048];
	time_t now = time(NULL);
	uint64_t held_back;
	struct tm utc;
	va_list args;

	pthread_mutex_lock(&journal->lock);
	if (!allowed(journal, kind)) {
		pthread_mutex_unlock(&journal->lock);
		return;
	}
	if (journal->stamps && gmtime_r(&now, &utc))
		strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ ", &utc);
	held_back = __atomic_exchange_n(&journal->kind[kind].held_back, 0, __ATOMIC_RELAXED);
	if (held_back)
		snprintf(held, sizeof(held), " (%llu lines like this held back)",
		         (unsigned long long)held_back);
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	fprintf(stderr, "%s%s%s\n", stamp, line, held);
	pthread_mutex_unlock(&journal->lock);
}
