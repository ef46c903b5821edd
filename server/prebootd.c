/* SPDX-License-Identifier: BSD-2-Clause */
/* The policy server: tells machines that boot from the network what to do. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keeper.h"
#include "lockfile.h"
#include "serve_log.h"
#include "socket.h"
#include "threads.h"

#define THREADS_DEFAULT_MAX 4 /* they have little to do beside waiting for the kernel */

enum { EXIT_FAULT = 1, EXIT_USAGE = 2 };

struct daemon {
	struct server server;
	struct keeper keeper;
	struct listen listen[LISTEN_MAX];
	struct threads threads;
	const char *database;
	long rate;
	int lock;
};

static const char help[] =
	"Usage: prebootd [OPTION]...\n"
	"Tells machines that boot from the network whether there is work for them.\n"
	"\n"
	"  -l, --listen ADDRESS[:PORT]  answer here, may be repeated (0.0.0.0:13331)\n"
	"  -d, --database FILE          keep devices and work here\n"
	"                               (" STORE_DEFAULT ")\n"
	"  -t, --threads N              serve with N threads (processors, at most 4)\n"
	"  -r, --rate N                 take N datagrams a second from each network, a /24 or\n"
	"                               an IPv6 /56 (10000); 0: all\n"
	"  -h, --help                   show this\n"
	"  -V, --version                show the version\n"
	"\n"
	"It stays in the foreground, logs to standard error, needs no root, and stops on\n"
	"SIGTERM or SIGINT. Administer it with prebootctl. See prebootd(8).\n";

/* Reads a number of at most @most. Returns it, or -1. */
static long parse_number(const char *option, const char *text, long least, long most)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && !*end && !errno && value >= least && value <= most)
		return value;
	fprintf(stderr, "prebootd: --%s %s: expected a number from %ld to %ld\n", option, text, least,
	        most);
	return -1;
}

static int parse_listen(struct daemon *d, const char *text)
{
	if (d->threads.listen_count == LISTEN_MAX) {
		fprintf(stderr, "prebootd: at most %d --listen\n", LISTEN_MAX);
		return EXIT_USAGE;
	}
	if (address_parse(text, &d->listen[d->threads.listen_count++].address) == 0)
		return 0;
	fprintf(stderr, "prebootd: --listen %s: not an address, expected A.B.C.D, A.B.C.D:PORT, "
	        "[IPv6] or [IPv6]:PORT\n", text);
	return EXIT_USAGE;
}

/* Takes one option. Returns 0, or the status to exit with. */
static int take_option(struct daemon *d, int option)
{
	long number;

	switch (option) {
	case 'l': return parse_listen(d, optarg);
	case 'd': d->database = optarg; return 0;
	case 't':
		number = parse_number("threads", optarg, 1, SERVE_THREADS_MAX);
		d->threads.count = number > 0 ? (size_t)number : 0;
		return number < 0 ? EXIT_USAGE : 0;
	case 'r':
		d->rate = parse_number("rate", optarg, 0, 1000000);
		return d->rate < 0 ? EXIT_USAGE : 0;
	default:
		fputs("Try \"prebootd --help\".\n", stderr);
		return EXIT_USAGE;
	}
}

/* Returns -1 to go on, else the status to exit with. */
static int parse_options(struct daemon *d, int argc, char **argv)
{
	static const struct option options[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "database", required_argument, NULL, 'd' },
		{ "threads", required_argument, NULL, 't' },
		{ "rate", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int option, status;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	d->database = STORE_DEFAULT;
	d->rate = LIMIT_RATE;
	d->threads.count = processors < 1 ? 1 : processors > THREADS_DEFAULT_MAX
	                   ? THREADS_DEFAULT_MAX : (size_t)processors;
	while ((option = getopt_long(argc, argv, "l:d:t:r:hVv", options, NULL)) != -1) {
		if (option == 'h')
			return fputs(help, stdout) < 0;
		if (option == 'V' || option == 'v')
			return puts("prebootd " VERSION) < 0;
		status = take_option(d, option);
		if (status)
			return status;
	}
	if (optind < argc) {
		fprintf(stderr, "prebootd: %s: unexpected argument\nTry \"prebootd --help\".\n",
		        argv[optind]);
		return EXIT_USAGE;
	}
	if (d->threads.listen_count == 0)
		parse_listen(d, "0.0.0.0");
	return -1;
}

static int open_sockets(struct daemon *d)
{
	char name[ADDRESS_TEXT];

	for (size_t i = 0; i < d->threads.listen_count; i++) {
		struct listen *listen = &d->listen[i];

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
	int signal_;

	for (;;) {
		signal_ = sigwaitinfo(signals, NULL);
		if (signal_ == SIGTERM || signal_ == SIGINT)
			return;
		if (signal_ == SIGHUP)
			__atomic_store_n(&d->threads.reload, 1, __ATOMIC_RELEASE);
	}
}

static int serve(struct daemon *d, const sigset_t *signals)
{
	struct counters sum;

	if (threads_start(&d->threads)) {
		fputs("prebootd: cannot start its threads\n", stderr);
		return EXIT_FAULT;
	}
	announce(d);
	wait_for_signals(d, signals);
	threads_stop(&d->threads, &sum);
	log_counts(&d->server.journal, &sum);
	return 0;
}

int main(int argc, char **argv)
{
	static struct daemon d;
	int status = parse_options(&d, argc, argv);
	char message[512];
	sigset_t signals;

	if (status >= 0)
		return status;
	setvbuf(stderr, NULL, _IOLBF, 8192);
	block_signals(&signals);
	if (server_start(&d.server, (uint32_t)d.rate)) {
		fputs("prebootd: no memory\n", stderr);
		return EXIT_FAULT;
	}
	d.threads.server = &d.server;
	d.threads.keeper = &d.keeper;
	d.threads.listen = d.listen;
	/* The sockets and the lock first: a second daemon must not even open the database. */
	status = open_sockets(&d);
	if (status)
		return status;
	d.lock = lockfile_take(d.database, message, sizeof(message));
	if (d.lock < 0) {
		fprintf(stderr, "prebootd: %s\n", message);
		return EXIT_FAULT;
	}
	if (keeper_open(&d.keeper, &d.server, d.database)) {
		fprintf(stderr, "prebootd: %s\n", d.keeper.store.message);
		return EXIT_FAULT;
	}
	status = serve(&d, &signals);
	keeper_close(&d.keeper);
	if (status == 0)
		journal_line(&d.server.journal, JOURNAL_ALWAYS, "prebootd stopped");
	server_end(&d.server);
	return status;
}
