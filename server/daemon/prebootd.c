/* SPDX-License-Identifier: BSD-2-Clause */
/* The policy server: answers machines that boot from the network what to do. */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "server/daemon/confine.h"
#include "server/daemon/writer.h"
#include "server/daemon/lockfile.h"
#include "server/daemon/metrics.h"
#include "server/daemon/options.h"
#include "server/daemon/real_path.h"
#include "server/daemon/log.h"
#include "server/daemon/service.h"
#include "server/daemon/threads.h"
#include "server/net/socket.h"
#include "server/tool/output.h"

#define WAIT_MS 200 /* from try to try, for a database that is locked at the start */

struct daemon {
	struct options options;
	char database[PATH_MAX];
	struct confinement confinement;
	struct server server;
	struct writer writer;
	struct threads threads;
	struct metrics metrics;
	struct listen listen[LISTEN_MAX];
};

/* Says why the daemon cannot start. */
static int fail_start(const char *why)
{
	output_line("prebootd", "%s", why);
	return EXIT_FAULT;
}

/* Takes the sockets that systemd passes. Returns how many, or -1. */
static int take_sockets(struct daemon *d)
{
	int sockets[LISTEN_MAX], count;
	char message[256];

	count = service_sockets(sockets, LISTEN_MAX, message, sizeof(message));
	for (int i = 0; i < count; i++) {
		if (socket_adopt(sockets[i], &d->listen[i].address)) {
			snprintf(message, sizeof(message), "socket %d of systemd: %s", i + 1,
			         strerror(errno));
			count = -1;
		}
		/* All threads share it. */
		for (size_t j = 0; j < d->threads.count; j++)
			d->listen[i].sockets[j] = sockets[i];
	}
	if (count < 0)
		fail_start(message);
	return count;
}

static int open_sockets(struct daemon *d)
{
	char name[ADDRESS_TEXT];
	int passed = take_sockets(d);

	if (passed < 0)
		return EXIT_FAULT;
	d->threads.listen_count = (size_t)passed;
	if (passed)
		return 0;
	if (!d->options.listen_count)
		address_parse("0.0.0.0", &d->options.listen[d->options.listen_count++]);
	d->threads.listen_count = d->options.listen_count;
	for (size_t i = 0; i < d->threads.listen_count; i++) {
		struct listen *listen = &d->listen[i];

		listen->address = d->options.listen[i];
		if (socket_open(&listen->address, listen->sockets, d->threads.count) == 0)
			continue;
		address_format(&listen->address, name);
		fprintf(stderr, "prebootd: cannot listen on %s: %s%s\n", name, strerror(errno),
		        errno == EADDRINUSE ? "; is another prebootd running? "
		                              "Stop it, or choose another --listen" : "");
		return EXIT_FAULT;
	}
	return 0;
}

static void announce(struct daemon *d)
{
	char line[LISTEN_MAX * ADDRESS_TEXT] = "", name[ADDRESS_TEXT];
	size_t at = 0;

	for (size_t i = 0; i < d->threads.listen_count; i++) {
		address_format(&d->listen[i].address, name);
		at += (size_t)snprintf(line + at, sizeof(line) - at, "%s%s", i ? ", " : "", name);
	}
	journal_line(&d->server.journal, JOURNAL_ALWAYS, "prebootd ready, listening on %s", line);
	journal_line(&d->server.journal, JOURNAL_ALWAYS, "%s", d->confinement.report);
	/* Nobody would know a machine any more where the old one was moved away. */
	if (d->writer.store.created)
		journal_line(&d->server.journal, JOURNAL_ALWAYS,
		             "%s: there was no database; this is a new one, which knows no device",
		             d->writer.store.path);
}

/* Blocks the signals that the main thread waits for, before there are others. */
static void block_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGHUP);
	signal(SIGPIPE, SIG_IGN);
	pthread_sigmask(SIG_BLOCK, signals, NULL);
}

/* Returns when the daemon is to stop. */
static void wait_for_signals(struct daemon *d, const sigset_t *signals)
{
	const struct timespec pause = { METRICS_SECONDS, 0 };

	for (;;) {
		int which = d->metrics.path ? sigtimedwait(signals, NULL, &pause)
		                            : sigwaitinfo(signals, NULL);

		if (which < 0)
			metrics_write(&d->metrics);
		if (which == SIGTERM || which == SIGINT)
			return;
		if (which == SIGHUP) {
			service_reloading();
			threads_reload(&d->threads);
		}
	}
}

static int serve(struct daemon *d, const sigset_t *signals)
{
	struct counters sum;

	d->threads.watchdog_ms = service_watchdog_ms();
	if (threads_start(&d->threads))
		return fail_start("cannot start its threads");
	announce(d);
	service_ready("serving");
	wait_for_signals(d, signals);
	service_stopping();
	threads_stop(&d->threads, &sum);
	log_counts(&d->server.journal, &sum);
	return d->writer.replaced ? EXIT_FAULT : 0;
}

/* Opens the database; where another program has it to itself, as soon as that has done. Returns 0,
 * a status to exit with, or -1 if a signal stopped it meanwhile. */
static int open_writer(struct daemon *d, const char *database, const sigset_t *signals)
{
	const struct timespec pause = { 0, WAIT_MS * 1000000 };
	const char *message = d->writer.store.message;
	bool logged = false;
	int rc;

	while ((rc = writer_open(&d->writer, &d->server, database)) == ERR_AGAIN) {
		int which;

		if (!logged)
			journal_line(&d->server.journal, JOURNAL_ALWAYS, "waiting: %s", message);
		logged = true;
		service_waiting("waiting for another program that has the database locked", 60);
		which = sigtimedwait(signals, NULL, &pause);
		if (which == SIGTERM || which == SIGINT)
			return -1;
	}
	return rc ? fail_start(message) : 0;
}

static int highest_socket(const struct daemon *d)
{
	int highest = 0;

	for (size_t i = 0; i < d->threads.listen_count; i++)
		for (size_t j = 0; j < d->threads.count; j++)
			if (d->listen[i].sockets[j] > highest)
				highest = d->listen[i].sockets[j];
	return highest;
}

/* Gives up what it has no use for, and opens the database. */
static int open_database(struct daemon *d, const sigset_t *signals)
{
	int status;

	/* By its one name, so that one that is reached by a link is locked and confined as well. */
	const char *database = real_path(d->options.database, d->database);
	char message[512];

	d->confinement = (struct confinement){ .user = d->options.user,
		.local_socket = service_open(highest_socket(d)),
		.no_sandbox = d->options.no_sandbox,
		.files = { database, d->options.metrics } };
	if (confine(&d->confinement))
		return fail_start(d->confinement.message);
	if (journal_detach(&d->server.journal))
		return fail_start("cannot start its threads");
	/* A second daemon must not even open the database. */
	if (lockfile_take(database, message, sizeof(message)) < 0)
		return fail_start(message);
	status = open_writer(d, database, signals);
	if (status)
		return status;
	d->metrics.path = d->options.metrics;
	d->metrics.journal = &d->server.journal;
	if (metrics_open(&d->metrics, database))
		return fail_start(d->metrics.store.message);
	return 0;
}

/* Ends prebootd before it has served. @status: to exit with; -1: a signal stopped it */
static int end_early(struct daemon *d, int status)
{
	journal_end(&d->server.journal);
	return status < 0 ? 0 : status;
}

int main(int argc, char **argv)
{
	static struct daemon d;
	int status = options_parse(&d.options, argc, argv);
	sigset_t signals;

	if (status >= 0)
		return status;
	setvbuf(stderr, NULL, _IOLBF, 8192);
	/* The writer takes and gives the same memory again and again: no page of it is
	 * worth giving back to the system in between. */
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	block_signals(&signals);
	if (server_start(&d.server, (uint32_t)d.options.rate))
		return fail_start("no memory");
	d.threads.server = &d.server;
	d.threads.writer = &d.writer;
	d.threads.listen = d.listen;
	d.threads.count = d.options.threads;
	status = open_sockets(&d);
	if (status == 0)
		status = open_database(&d, &signals);
	if (status)
		return end_early(&d, status);
	status = serve(&d, &signals);
	metrics_write(&d.metrics);
	metrics_close(&d.metrics);
	writer_close(&d.writer);
	if (status == 0)
		journal_line(&d.server.journal, JOURNAL_ALWAYS, "prebootd stopped");
	journal_end(&d.server.journal);
	server_end(&d.server);
	return status;
}
