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
#include "server/daemon/serve_log.h"
#include "server/daemon/service.h"
#include "server/net/socket.h"

#define FOLLOW_MS      25                        /* how often the writer looks for changes */
#define RETRY_MS       5                         /* how often for the lock, if questions wait for it */
#define BEAT_MS        500                       /* how long a serving thread sleeps at most */
#define BATCHES_MAX    16
#define NOTES_NS       ((int64_t)100000000)      /* at least, from notes to notes */
#define SWEEP_NS       ((int64_t)1000000000)     /* for what is due by the clock */
#define COUNTS_NS      ((int64_t)60 * 1000000000) /* for drops to tell of */

struct worker {
	pthread_t thread;
	struct threads *threads;
	size_t number;
	unsigned beats;    /* rises for as long as it lives */
	unsigned seen;     /* the writer's: where they were last */
	struct serving serving;
	struct datagram batch[BATCH];
};

/* --- serving --------------------------------------------------------------- */

/* Takes and answers what waits at a socket, at most a batch. Returns how many there were. */
static size_t take(struct worker *w, int fd)
{
	size_t taken = socket_receive(fd, w->batch);
	struct moment moment = moment_now();
	uint64_t answers;

	if (!taken)
		return 0;
	answers = serve_batch(&w->serving, w->batch, taken, &moment);
	if (!answers)
		return taken;
	count(&w->serving.counters.dropped[DROP_SEND], socket_send(w->batch, taken));
	counters_took(&w->serving.counters, answers, moment_now().monotonic - moment.monotonic);
	return taken;
}

/* A few batches: no socket can starve the others, and when much comes, the next batch is
 * there without asking whether it is. */
static void take_some(struct worker *w, int fd)
{
	for (int more = BATCHES_MAX; more > 0 && take(w, fd) >= BATCH / 8; more--)
		continue;
}

static void *serve(void *data)
{
	struct worker *w = data;
	struct threads *t = w->threads;
	struct pollfd poll_[LISTEN_MAX + 1];

	for (size_t i = 0; i < t->listen_count; i++)
		poll_[i] = (struct pollfd){ t->listen[i].sockets[w->number], POLLIN, 0 };
	poll_[t->listen_count] = (struct pollfd){ t->stop[0], POLLIN, 0 };
	for (;;) {
		int ready = poll(poll_, t->listen_count + 1, BEAT_MS);

		__atomic_store_n(&w->beats, w->beats + 1, __ATOMIC_RELAXED);
		if (ready < 0 && errno != EINTR)
			break;
		if (ready > 0 && poll_[t->listen_count].revents)
			break;
		for (size_t i = 0; ready > 0 && i < t->listen_count; i++)
			if (poll_[i].revents)
				take_some(w, poll_[i].fd);
	}
	/* What has come until now is taken still. */
	for (size_t i = 0; i < t->listen_count; i++)
		take_some(w, poll_[i].fd);
	return NULL;
}

/* --- keeping --------------------------------------------------------------- */

/* Tells systemd that all live, unless one of them has stood still. */
static void tell_alive(struct threads *t)
{
	bool all = true;

	for (size_t i = 0; i < t->count; i++) {
		unsigned beats = __atomic_load_n(&t->workers[i].beats, __ATOMIC_RELAXED);

		all = all && beats != t->workers[i].seen;
		t->workers[i].seen = beats;
	}
	if (all)
		service_alive();
}

static void tell_counts(struct threads *t, uint64_t *told)
{
	struct counters sum;

	server_counters(t->server, &sum);
	if (counters_dropped(&sum) != *told)
		log_counts(&t->server->journal, &sum);
	*told = counters_dropped(&sum);
}

/* What the writer does by the clock, and when the next time is, monotonic ns. */
struct chores {
	int64_t notes, sweep, alive, counts;
	uint64_t drops_told;
};

static bool due(int64_t *next, int64_t every, int64_t now)
{
	if (now < *next)
		return false;
	*next = now + every;
	return true;
}

static void do_chores(struct threads *t, struct chores *chores, const struct moment *moment)
{
	size_t waiting = queue_count(&t->server->notes);
	int64_t now = moment->monotonic;

	/* The end that an administrator would make; once is enough, more does no harm. */
	if (t->writer->replaced) {
		pthread_kill(t->main_thread, SIGTERM);
		return;
	}
	/* Nobody waits for notes, and a transaction for each would take most of the time:
	 * one that comes alone is kept at once, many come together. */
	if (waiting && (due(&chores->notes, NOTES_NS, now) || waiting >= WRITER_BATCH))
		writer_notes(t->writer);
	/* What is much is done in parts, with the questions that wait between them. */
	if (due(&chores->sweep, SWEEP_NS, now) && writer_sweep(t->writer, moment))
		chores->sweep = now;
	if (__atomic_exchange_n(&t->reload, 0, __ATOMIC_ACQUIRE)) {
		writer_reload(t->writer, moment);
		service_ready("serving");
	}
	if (t->watchdog_ms && due(&chores->alive, (int64_t)t->watchdog_ms * 1000000, now))
		tell_alive(t);
	if (due(&chores->counts, COUNTS_NS, now))
		tell_counts(t, &chores->drops_told);
}

static void *keep(void *data)
{
	struct threads *t = data;
	struct pollfd poll_[] = { { t->server->wake, POLLIN, 0 }, { t->stop[1], POLLIN, 0 } };
	struct moment moment = moment_now();
	struct chores chores = { .counts = moment.monotonic + COUNTS_NS };
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
		moment = moment_now();
		clock_gettime(CLOCK_BOOTTIME, &boot);
		writer_clock(t->writer, moment.now, boot.tv_sec);
		more = writer_turn(t->writer, &moment);
		if (stopping && !more && !writer_waits(t->writer))
			break;
		do_chores(t, &chores, &moment);
		/* Nothing more is done with a database that is lost: then it waits to be stopped. */
		more = more || (!t->writer->replaced &&
		       (chores.sweep <= moment.monotonic ||
		        (queue_count(&t->server->notes) >= WRITER_BATCH && !t->writer->notes_wait)));
	}
	writer_last(t->writer);
	while (writer_notes(t->writer))
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
		return ERR_SPACE; /* the process ends: nothing that was told needs undoing */
	/* All is in place before the first of them looks at it. */
	for (size_t i = 0; i < t->count; i++) {
		t->workers[i].threads = t;
		t->workers[i].number = i;
		serving_start(&t->workers[i].serving, t->server);
	}
	t->main_thread = pthread_self();
	if (pthread_create(&t->writer_thread, NULL, keep, t))
		return ERR_SPACE;
	for (size_t i = 0; i < t->count; i++)
		if (pthread_create(&t->workers[i].thread, NULL, serve, &t->workers[i]))
			return ERR_SPACE;
	return 0;
}

void threads_reload(struct threads *t)
{
	__atomic_store_n(&t->reload, 1, __ATOMIC_RELEASE);
	(void)!write(t->server->wake, &(uint64_t){ 1 }, sizeof(uint64_t));
}

static void stop(int eventfd_)
{
	(void)!write(eventfd_, &(uint64_t){ 1 }, sizeof(uint64_t));
}

void threads_stop(struct threads *t, struct counters *sum)
{
	stop(t->stop[0]);
	for (size_t i = 0; i < t->count; i++)
		pthread_join(t->workers[i].thread, NULL);
	stop(t->stop[1]);
	pthread_join(t->writer_thread, NULL);
	close(t->stop[0]);
	close(t->stop[1]);
	server_counters(t->server, sum);
	writer_count(t->writer);
	t->server->counters_count = 0; /* they go with the threads */
	free(t->workers);
}
