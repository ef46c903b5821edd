/* SPDX-License-Identifier: BSD-2-Clause */
/* The policy server: tells machines that boot from the network what to do. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "endpoint.h"
#include "serve.h"
#include "socket.h"

#define LISTEN_MAX 16
#define SWEEP_SECONDS 5    /* how often overdue work is looked for */
#define COUNTS_SECONDS 60  /* how often drops are told of, where there are new ones */

enum { EXIT_FAULT = 1, EXIT_USAGE = 2 };

struct daemon {
	struct server server;
	struct datagram *batch;  /* SERVE_BATCH of them */
	struct sockaddr_in listen[LISTEN_MAX];
	size_t listen_count;
	struct pollfd poll[LISTEN_MAX + 1]; /* the sockets, then the signals */
	const char *database;
	uint64_t drops_told;
};

static const char help[] =
	"Usage: prebootd [OPTION]...\n"
	"Tells machines that boot from the network whether there is work for them.\n"
	"\n"
	"  -l, --listen ADDRESS[:PORT]  answer here, may be repeated (0.0.0.0:13331)\n"
	"  -d, --database FILE          keep devices and work here\n"
	"                               (" STORE_DEFAULT ")\n"
	"  -h, --help                   show this\n"
	"  -V, --version                show the version\n"
	"\n"
	"It stays in the foreground, logs to standard error, needs no root, and stops on\n"
	"SIGTERM or SIGINT. Administer it with prebootctl. See prebootd(8).\n";

/* Returns -1 to go on, else the status to exit with. */
static int parse_options(struct daemon *d, int argc, char **argv)
{
	static const struct option options[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "database", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	d->database = STORE_DEFAULT;
	while ((option = getopt_long(argc, argv, "l:d:hVv", options, NULL)) != -1) {
		switch (option) {
		case 'l':
			if (d->listen_count == LISTEN_MAX) {
				fprintf(stderr, "prebootd: at most %d --listen\n", LISTEN_MAX);
				return EXIT_USAGE;
			}
			if (endpoint_parse(optarg, &d->listen[d->listen_count++])) {
				fprintf(stderr, "prebootd: --listen %s: not an address, expected "
				        "A.B.C.D or A.B.C.D:PORT\n", optarg);
				return EXIT_USAGE;
			}
			break;
		case 'd': d->database = optarg; break;
		case 'h': fputs(help, stdout); return 0;
		case 'V':
		case 'v': puts("prebootd " VERSION); return 0;
		default:
			fputs("Try \"prebootd --help\".\n", stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "prebootd: %s: unexpected argument\nTry \"prebootd --help\".\n",
		        argv[optind]);
		return EXIT_USAGE;
	}
	if (d->listen_count == 0)
		endpoint_parse("0.0.0.0", &d->listen[d->listen_count++]);
	return -1;
}

static int open_sockets(struct daemon *d)
{
	char name[32];

	for (size_t i = 0; i < d->listen_count; i++) {
		endpoint_format(&d->listen[i], name, sizeof(name));
		d->poll[i].fd = socket_open(&d->listen[i]);
		d->poll[i].events = POLLIN;
		if (d->poll[i].fd >= 0)
			continue;
		fprintf(stderr, "prebootd: cannot listen on %s: %s%s\n", name, strerror(errno),
		        errno == EADDRINUSE ? "; is another prebootd running? "
		                              "Stop it, or choose another --listen" : "");
		return EXIT_FAULT;
	}
	return 0;
}

static int catch_signals(struct daemon *d)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	d->poll[d->listen_count].fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	d->poll[d->listen_count].events = POLLIN;
	return d->poll[d->listen_count].fd < 0 ? EXIT_FAULT : 0;
}

static void announce(struct daemon *d)
{
	char line[LISTEN_MAX * 24] = "", name[32];
	size_t at = 0;

	for (size_t i = 0; i < d->listen_count; i++) {
		endpoint_format(&d->listen[i], name, sizeof(name));
		at += (size_t)snprintf(line + at, sizeof(line) - at, "%s%s", i ? ", " : "", name);
	}
	journal_line(&d->server.journal, JOURNAL_ALWAYS, "prebootd ready, listening on %s", line);
}

static void take(struct daemon *d, int fd)
{
	size_t count = socket_receive(fd, d->batch, SERVE_BATCH);
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	serve_batch(&d->server, d->batch, count,
	            (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
	for (size_t i = 0; i < count; i++)
		if (d->batch[i].reply_length && socket_reply(&d->batch[i]))
			d->server.dropped[DROP_SEND]++;
	serve_notes(&d->server, d->batch, count);
}

/* Tells of drops since the last time, but not at each. */
static void tell_drops(struct daemon *d)
{
	uint64_t drops = 0;

	for (int i = 0; i < DROP_COUNT; i++)
		drops += d->server.dropped[i];
	if (drops != d->drops_told)
		serve_log_counts(&d->server);
	d->drops_told = drops;
}

static int64_t monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void run(struct daemon *d)
{
	int64_t next_sweep = 0, next_counts = monotonic() + COUNTS_SECONDS;

	for (;;) {
		int ready = poll(d->poll, d->listen_count + 1, SWEEP_SECONDS * 1000);

		if (ready < 0 && errno != EINTR)
			return;
		if (d->poll[d->listen_count].revents)
			return;
		/* One batch from each socket in turn: none can starve the others. */
		for (size_t i = 0; ready > 0 && i < d->listen_count; i++)
			if (d->poll[i].revents)
				take(d, d->poll[i].fd);
		if (monotonic() >= next_sweep) {
			serve_overdue(&d->server, time(NULL));
			next_sweep = monotonic() + SWEEP_SECONDS;
		}
		if (monotonic() >= next_counts) {
			tell_drops(d);
			next_counts = monotonic() + COUNTS_SECONDS;
		}
	}
}

int main(int argc, char **argv)
{
	static struct daemon d;
	int status = parse_options(&d, argc, argv);

	if (status >= 0)
		return status;
	setvbuf(stderr, NULL, _IOLBF, 8192);
	d.batch = calloc(SERVE_BATCH, sizeof(*d.batch));
	if (!d.batch) {
		fputs("prebootd: no memory\n", stderr);
		return EXIT_FAULT;
	}
	/* The sockets first: a second daemon must not even open the database. */
	status = open_sockets(&d);
	if (status == 0)
		status = catch_signals(&d);
	if (status)
		goto free;
	if (serve_open(&d.server, d.database)) {
		fprintf(stderr, "prebootd: %s\n", d.server.store.message);
		status = EXIT_FAULT;
		goto free;
	}
	announce(&d);
	run(&d);
	serve_close(&d.server);
	journal_line(&d.server.journal, JOURNAL_ALWAYS, "prebootd stopped");
free:
	free(d.batch);
	return status;
}
