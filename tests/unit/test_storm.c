/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Datagrams by the hundred thousand, in process: nothing may kill the server, nothing
 * leak, no answer be longer than its question, and each datagram be accounted for.
 *
 * STORM=N in the environment: so many; SEED=N: not the usual ones
 */
#include "tests/unit/unit.h"

#include <sqlite3.h>

#include <sanitizer/asan_interface.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/daemon/writer.h"
#include "tests/unit/storm.h"

#include "server/daemon/writer_index.h"
#include "server/daemon/writer_sweep.h"

#define USUAL     200000
#define EPOCH     250000 /* with a database of their own */
#define BEGINNING 1000000

struct whirl {
	struct storm storm;
	struct server server;
	struct serving serving;
	struct writer writer;
	struct datagram batch[BATCH];
	struct timestamp timestamp;
	char path[64];
	uint64_t replies;
	FILE *terminal; /* where errors go, while the journal goes nowhere */
};

static struct whirl *the_whirl; /* to which the writer's answers go */

static uint64_t from_environment(const char *name, uint64_t usual)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : usual;
}

static size_t check_replies(struct datagram *batch, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!batch[i].reply_length)
			continue;
		storm_check(&the_whirl->storm, batch[i].data, batch[i].length, batch[i].reply,
		            batch[i].reply_length);
		the_whirl->replies++;
	}
	return 0;
}

/* --- an epoch -------------------------------------------------------------- */

static void open_server(struct whirl *w)
{
	struct stat status;
	int fd;

	/* In memory if possible: that it is on the disk is not the point here. */
	snprintf(w->path, sizeof(w->path), "%s/preboot-storm-XXXXXX",
	         stat("/dev/shm", &status) == 0 ? "/dev/shm" : "/tmp");
	fd = mkstemp(w->path);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(server_start(&w->server, 0), 0);
	assert_int_equal(writer_open(&w->writer, &w->server, w->path), 0);
	serving_start(&w->serving, &w->server);
	w->writer.send = check_replies;
	w->timestamp = (struct timestamp){ .now = BEGINNING, .monotonic = 1 };
	assert_int_equal(sqlite3_exec(w->writer.store.db, storm_site, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(writer_follow(&w->writer), 0);
}

static void close_server(struct whirl *w)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char path[80];

	writer_close(&w->writer);
	server_end(&w->server);
	for (size_t i = 0; i < COUNT(suffixes); i++) {
		snprintf(path, sizeof(path), "%s%s", w->path, suffixes[i]);
		unlink(path);
	}
}

/* The next datagram, from anywhere. */
static void put(struct whirl *w, struct datagram *d)
{
	struct storm *s = &w->storm;
	struct request_peek peek;

	memset(&d->from, 0, sizeof(d->from));
	d->from.in.sin_family = AF_INET;
	d->from.in.sin_port = (uint16_t)(storm_below(s, 500) ? 1 + storm_below(s, 65535) : 0);
	d->from.in.sin_addr.s_addr = storm_below(s, 1u << 16) * 65537;
	if (storm_below(s, 4) == 0) {
		d->from.in6.sin6_family = AF_INET6;
		d->from.in6.sin6_addr.s6_addr[0] = 0xfd;
	}
	d->length = (uint16_t)storm_next(s, d->data);
	/* What is read without the cursor stays within it as well. */
	ASAN_POISON_MEMORY_REGION(d->data + d->length, sizeof(d->data) - d->length);
	peek_request(d->data, d->length, &peek);
	ASAN_UNPOISON_MEMORY_REGION(d->data + d->length, sizeof(d->data) - d->length);
}

static void keep(struct whirl *w)
{
	while (writer_turn(&w->writer, &w->timestamp))
		continue;
	while (writer_history(&w->writer))
		continue;
}

/* Serves one batch; the writer comes now and then. */
static void serve(struct whirl *w, size_t count)
{
	uint64_t answered;

	w->timestamp.now_ms = storm_below(&w->storm, 1000);
	w->timestamp.now += storm_below(&w->storm, 200) == 0;
	w->timestamp.monotonic += 1000000;
	answered = w->replies + serve_batch(&w->serving, w->batch, count, &w->timestamp);
	check_replies(w->batch, count);
	assert_int_equal(w->replies, answered);
	if (storm_below(&w->storm, 8) == 0)
		keep(w);
	if (storm_below(&w->storm, 40) == 0) {
		writer_sweep(&w->writer, &w->timestamp);
		assert_int_equal(writer_follow(&w->writer), 0);
	}
}

/* Each datagram was answered, taken without an answer, or dropped for a reason. */
static void account(struct whirl *w, uint64_t sent, uint64_t answered)
{
	struct counters sum;

	server_counters(&w->server, &sum);
	assert_int_equal(counters_answered(&sum), answered);
	assert_int_equal(answered + counters_dropped(&sum) + sum.asked[ASKED_EVENT], sent);
	assert_int_equal(sum.dropped[DROP_STORE], 0);
	assert_int_equal(sum.dropped[DROP_QUEUE], 0);
	/* It got everywhere. */
	for (int i = 0; i < ASKED_COUNT; i++)
		assert_true(sum.asked[i] > sent / 1000);
	for (int i = 0; i < ANSWERED_COUNT; i++)
		assert_true(sum.answered[i] > sent / 1000);
	for (int i = DROP_TRUNCATED; i <= DROP_SMALL; i++)
		assert_true(sum.dropped[i] > 0);
}

/* The journal, of which there is much, goes to stderr. */
static int set_up(void **state)
{
	struct whirl *w = calloc(1, sizeof(*w));

	*state = the_whirl = w;
	w->terminal = stderr;
	stderr = fopen("/dev/null", "w");
	return stderr ? 0 : -1;
}

static int tear_down(void **state)
{
	struct whirl *w = *state;

	fclose(stderr);
	stderr = w->terminal;
	free(w);
	return 0;
}

static void test_storm(void **state)
{
	uint64_t left = from_environment("STORM", USUAL), all = left;
	struct whirl *w = *state;

	storm_start(&w->storm, from_environment("SEED", 1));
	while (left) {
		uint64_t epoch = left < EPOCH ? left : EPOCH, sent = 0, before = w->replies;

		open_server(w);
		while (sent < epoch) {
			size_t count = 1 + storm_below(&w->storm, BATCH);

			if (count > epoch - sent)
				count = (size_t)(epoch - sent);
			for (size_t i = 0; i < count; i++)
				put(w, &w->batch[i]);
			serve(w, count);
			sent += count;
		}
		keep(w);
		account(w, sent, w->replies - before);
		close_server(w);
		left -= epoch;
		if (all > USUAL)
			fprintf(w->terminal, "%llu datagrams, %llu answers\n",
			        (unsigned long long)(all - left), (unsigned long long)w->replies);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_storm, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("storm", tests, NULL, NULL);
}
