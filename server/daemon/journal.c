/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/daemon/journal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "nbp/proto/error.h"
#include "server/tool/output.h"

/* Lines a second in the long run, and at once after a rest. */
static const struct {
	int64_t rate, burst;
} limits[JOURNAL_KINDS] = {
	[JOURNAL_ALWAYS] = { 0, 0 },
	[JOURNAL_ADMITTED] = { 1, 200 },
	[JOURNAL_KNOWN] = { 200, 20000 },
	[JOURNAL_UNKNOWN] = { 1, 50 },
	[JOURNAL_TROUBLE] = { 1, 20 },
};

#define END_MS    500 /* for what still waits when it ends */
#define GATHER_MS 10  /* lines that come so soon after each other are written together */
#define PIECE     (16 << 10) /* bytes written at a time: so that soon there is space again */

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

void journal_suppress(struct journal *journal, enum journal_kind kind, uint64_t lines)
{
	if (lines)
		__atomic_fetch_add(&journal->kind[kind].suppressed, lines, __ATOMIC_RELAXED);
}

/* Takes one line's allowance. With the lock held. */
static bool allowed(struct journal *journal, enum journal_kind kind)
{
	int64_t now = now_ms(), left = allowance(journal, kind, now);
	bool allow = kind == JOURNAL_ALWAYS || left >= 1000;

	write_one(journal->kind[kind].allowance, allow ? left - 1000 : left);
	write_one(journal->kind[kind].last_ms, now);
	if (!allow)
		journal_suppress(journal, kind, 1);
	return allow;
}

/* --- the thread ------------------------------------------------------------ */

/* To be woken for each line of many would cost more than the line. */
static void gather(void)
{
	const struct timespec pause = { .tv_nsec = GATHER_MS * 1000000 };

	nanosleep(&pause, NULL);
}

/* Writes all of it, however long that takes. */
static void write_all(const char *text, size_t length)
{
	while (length) {
		ssize_t written = write(STDERR_FILENO, text, length);

		if (written < 0 && errno != EINTR)
			return; /* nobody will ever read it */
		if (written > 0) {
			text += written;
			length -= (size_t)written;
		}
	}
}

static void *write_lines(void *data)
{
	struct journal *journal = data;
	size_t taken;

	pthread_mutex_lock(&journal->lock);
	for (;;) {
		bool waited = !journal->length;

		while (!journal->length && !journal->ending)
			pthread_cond_wait(&journal->news, &journal->lock);
		if (!journal->length)
			break;
		if (waited && !journal->ending) {
			pthread_mutex_unlock(&journal->lock);
			gather();
			pthread_mutex_lock(&journal->lock);
		}
		/* What comes meanwhile is put behind these. */
		taken = journal->length < PIECE ? journal->length : PIECE;
		pthread_mutex_unlock(&journal->lock);
		write_all(journal->lines, taken);
		pthread_mutex_lock(&journal->lock);
		journal->length -= taken;
		memmove(journal->lines, journal->lines + taken, journal->length);
	}
	pthread_cond_signal(&journal->drained);
	pthread_mutex_unlock(&journal->lock);
	return NULL;
}

int journal_detach(struct journal *journal)
{
	journal->lines = malloc(JOURNAL_SIZE);
	pthread_cond_init(&journal->news, NULL);
	pthread_cond_init(&journal->drained, NULL);
	if (!journal->lines || pthread_create(&journal->thread, NULL, write_lines, journal)) {
		free(journal->lines);
		journal->lines = NULL;
		return ERR_SPACE;
	}
	return 0;
}

void journal_end(struct journal *journal)
{
	struct timespec until;
	int rc = 0;

	if (!journal->lines)
		return;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += END_MS * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&journal->lock);
	journal->ending = true;
	pthread_cond_signal(&journal->news);
	while (rc == 0 && journal->length)
		rc = pthread_cond_timedwait(&journal->drained, &journal->lock, &until);
	pthread_mutex_unlock(&journal->lock);
	/* A thread that stands in a write ends with the process. */
	if (rc)
		return;
	pthread_join(journal->thread, NULL);
	free(journal->lines);
	journal->lines = NULL;
}

/* --- lines ----------------------------------------------------------------- */

/* Hands a line on, with the lock held. Returns whether the buffer could take it. */
static bool hand_on(struct journal *journal, const char *line, size_t length)
{
	if (!journal->lines)
		return fwrite(line, 1, length, stderr) == length;
	if (journal->length + length > JOURNAL_SIZE)
		return false;
	memcpy(journal->lines + journal->length, line, length);
	journal->length += length;
	pthread_cond_signal(&journal->news);
	return true;
}

void journal_line(struct journal *journal, enum journal_kind kind, const char *format, ...)
{
	char stamp[32] = "", line[2048], shown[2048], whole[2048 + 128];
	time_t now = time(NULL);
	uint64_t suppressed;
	size_t length;
	struct tm utc;
	va_list args;

	pthread_mutex_lock(&journal->lock);
	if (!allowed(journal, kind)) {
		pthread_mutex_unlock(&journal->lock);
		return;
	}
	if (journal->stamps && gmtime_r(&now, &utc))
		strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ ", &utc);
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* Of machines there are none in it; names of files, as its administrator has them, may have
	 * characters that terminals obey. */
	output_escape(line, shown, sizeof(shown));
	length = (size_t)snprintf(whole, sizeof(whole), "%s%s", stamp, shown);
	suppressed = __atomic_exchange_n(&journal->kind[kind].suppressed, 0, __ATOMIC_RELAXED);
	if (suppressed)
		length += (size_t)snprintf(whole + length, sizeof(whole) - length,
		                           " (%llu similar messages suppressed)",
		                           (unsigned long long)suppressed);
	whole[length++] = '\n';
	if (!hand_on(journal, whole, length))
		journal_suppress(journal, kind, suppressed + 1);
	pthread_mutex_unlock(&journal->lock);
}
