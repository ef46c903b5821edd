/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/daemon/threads.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "nbp/proto/error.h"
#include "server/daemon/log.h"
#include "server/daemon/service.h"
#include "server/daemon/writer_index.h"
#include "server/daemon/writer_sweep.h"
#include "server/net/socket.h"

#define FOLLOW_MS      25                        /* how often the writer looks for changes */
#define RETRY_MS       5                         /* the same for the lock, if messages wait for
                                                    it */
#define HEARTBEAT_MS   500                       /* how long a serving thread sleeps at most */
#define BATCHES_MAX    16
#define HISTORY_NS     ((int64_t)100000000)      /* between transactions of history */
#define SWEEP_NS       ((int64_t)1000000000)     /* between sweeps */
#define COUNTS_NS      ((int64_t)60 * 1000000000) /* between log lines of drops */

struct worker {
	pthread_t thread;
	struct threads *threads;
	size_t number;
	unsigned heartbeat; /* counts up for as long as it lives */
	unsigned seen;      /* the heartbeat when the writer looked last */
	struct serving serving;
	struct datagram batch[BATCH];
};

/* --- serving --------------------------------------------------------------- */

/* Takes and answers what waits at a socket, at most a batch. Returns how many there were. */
static size_t take_batch(struct worker *w, int fd)
{
	size_t taken = socket_receive(fd, w->batch);
	struct timestamp timestamp = timestamp_now();
	uint64_t answers;

	if (!taken)
		return 0;
	answers = serve_batch(&w->serving, w->batch, taken, &timestamp);
	if (!answers)
		return taken;
	count(&w->serving.counters.dropped[DROP_SEND], socket_send(w->batch, taken));
	counters_took(&w->serving.counters, answers,
	              timestamp_now().monotonic - timestamp.monotonic);
	return taken;
}

/* A few batches: no socket can starve the others, and when much comes, the next batch is
 * there without state whether it is. */
static void take_batches(struct worker *w, int fd)
{
	for (int more = BATCHES_MAX; more > 0 && take_batch(w, fd) >= BATCH / 8; more--)
		continue;
}

static void *serve_sockets(void *data)
{
	struct worker *w = data;
	struct threads *t = w->threads;
	struct pollfd poll_[LISTEN_MAX + 1];

	for (size_t i = 0; i < t->listen_count; i++)
		poll_[i] = (struct pollfd){ t->listen[i].sockets[w->number], POLLIN, 0 };
	poll_[t->listen_count] = (struct pollfd){ t->stop[0], POLLIN, 0 };
	for (;;) {
		int ready = poll(poll_, t->listen_count + 1, HEARTBEAT_MS);

		__atomic_store_n(&w->heartbeat, w->heartbeat + 1, __ATOMIC_RELAXED);
		if (ready < 0 && errno != EINTR)
			break;
		if (ready > 0 && poll_[t->listen_count].revents)
			break;
		for (size_t i = 0; ready > 0 && i < t->listen_count; i++)
			if (poll_[i].revents)
				take_batches(w, poll_[i].fd);
	}
	/* What has come until now is taken still. */
	for (size_t i = 0; i < t->listen_count; i++)
		take_batches(w, poll_[i].fd);
	return NULL;
}

/* --- the writer ------------------------------------------------------------ */

/* Reports to systemd that all threads live, unless one of them has stood still. */
static void report_alive(struct threads *t)
{
	bool all = true;

	for (size_t i = 0; i < t->count; i++) {
		unsigned heartbeat = __atomic_load_n(&t->workers[i].heartbeat, __ATOMIC_RELAXED);

		all = all && heartbeat != t->workers[i].seen;
		t->workers[i].seen = heartbeat;
	}
	if (all)
		service_alive();
}

/* Logs the counters, if datagrams were dropped since. */
static void log_drops(struct threads *t, uint64_t *logged)
{
	struct counters sum;

	server_counters(t->server, &sum);
	if (counters_dropped(&sum) != *logged)
		log_counts(&t->server->journal, &sum);
	*logged = counters_dropped(&sum);
}

/* Periodic tasks: when each is due next, monotonic ns. */
struct tasks {
	int64_t history, sweep, alive, counts;
	uint64_t drops_logged;
};

/* Says whether a task is due; if so, it is due again after @every. */
static bool is_due(int64_t *next, int64_t every, int64_t now)
{
	if (now < *next)
		return false;
	*next = now + every;
	return true;
}

static void do_tasks(struct threads *t, struct tasks *tasks, const struct timestamp *timestamp)
{
	size_t waiting = queue_count(&t->server->history);
	int64_t now = timestamp->monotonic;

	/* The end that an administrator would make; once is enough, more does no harm. */
	if (t->writer->replaced) {
		pthread_kill(t->main_thread, SIGTERM);
		return;
	}
	/* Nobody waits for history, and a transaction for each entry would take most of the time:
	 * one that comes alone is stored at once, many are stored together. */
	if (waiting && (is_due(&tasks->history, HISTORY_NS, now) || waiting >= WRITER_BATCH))
		writer_history(t->writer);
	/* A long task is done in parts, with the messages that wait between them. */
	if (is_due(&tasks->sweep, SWEEP_NS, now) && writer_sweep(t->writer, timestamp))
		tasks->sweep = now;
	if (__atomic_exchange_n(&t->reload, 0, __ATOMIC_ACQUIRE)) {
		writer_reload(t->writer, timestamp);
		service_ready("serving");
	}
	if (t->watchdog_ms && is_due(&tasks->alive, (int64_t)t->watchdog_ms * 1000000, now))
		report_alive(t);
	if (is_due(&tasks->counts, COUNTS_NS, now))
		log_drops(t, &tasks->drops_logged);
}

static void *write_database(void *data)
{
	struct threads *t = data;
	struct pollfd poll_[] = { { t->server->wake, POLLIN, 0 }, { t->stop[1], POLLIN, 0 } };
	struct timestamp timestamp = timestamp_now();
	struct tasks tasks = { .counts = timestamp.monotonic + COUNTS_NS };
	struct timespec boot;
	uint64_t ignored;
	bool more = false;

	for (;;) {
		bool stopping = poll_[1].revents, waits = writer_waits(t->writer);

		if (!more)
			poll(poll_, stopping ? 1 : 2, waits ? RETRY_MS : FOLLOW_MS);
		stopping = poll_[1].revents;
		if (poll_[0].revents)
			(void)!read(t->server->wake, &ignored, sizeof(ignored));
		timestamp = timestamp_now();
		clock_gettime(CLOCK_BOOTTIME, &boot);
		writer_clock(t->writer, timestamp.now, boot.tv_sec);
		more = writer_turn(t->writer, &timestamp);
		if (stopping && !more && !writer_waits(t->writer))
			break;
		do_tasks(t, &tasks, &timestamp);
		/* Nothing more is done with a database that is lost: the writer waits to be
		 * stopped. */
		more = more || (!t->writer->replaced &&
		       (tasks.sweep <= timestamp.monotonic ||
		        (queue_count(&t->server->history) >= WRITER_BATCH &&
		         !t->writer->history_waits)));
	}
	writer_last(t->writer);
	while (writer_history(t->writer))
		continue;
	return NULL;
}

/* --- from start to end ----------------------------------------------------- */

int threads_start(struct threads *t)
{
	t->stop[0] = eventfd(0, EFD_CLOEXEC);
	t->stop[1] = eventfd(0, EFD_CLOEXEC);
	t->workers = calloc(t->count, sizeof(*t->workers));
	if (t->stop[0] < 0 || t->stop[1] < 0 || !t->workers)
		return ERR_SPACE; /* the process ends, so nothing needs undoing */
	/* All is in place before the first of them looks at it. */
	for (size_t i = 0; i < t->count; i++) {
		t->workers[i].threads = t;
		t->workers[i].number = i;
		serving_start(&t->workers[i].serving, t->server);
	}
	t->main_thread = pthread_self();
	if (pthread_create(&t->writer_thread, NULL, write_database, t))
		return ERR_SPACE;
	for (size_t i = 0; i < t->count; i++)
		if (pthread_create(&t->workers[i].thread, NULL, serve_sockets, &t->workers[i]))
			return ERR_SPACE;
	return 0;
}

void threads_reload(struct threads *t)
{
	__atomic_store_n(&t->reload, 1, __ATOMIC_RELEASE);
	(void)!write(t->server->wake, &(uint64_t){ 1 }, sizeof(uint64_t));
}

static void signal_end(int eventfd_)
{
	(void)!write(eventfd_, &(uint64_t){ 1 }, sizeof(uint64_t));
}

void threads_stop(struct threads *t, struct counters *sum)
{
	signal_end(t->stop[0]);
	for (size_t i = 0; i < t->count; i++)
		pthread_join(t->workers[i].thread, NULL);
	signal_end(t->stop[1]);
	pthread_join(t->writer_thread, NULL);
	close(t->stop[0]);
	close(t->stop[1]);
	server_counters(t->server, sum);
	writer_count(t->writer);
	t->server->counters_count = 0; /* they go with the threads */
	free(t->workers);
}
