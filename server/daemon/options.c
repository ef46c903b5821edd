/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/daemon/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "nbp/proto/text.h"
#include "server/daemon/limit.h"
#include "server/daemon/serve.h"
#include "server/store/store.h"
#include "server/tool/output.h"

#define THREADS_DEFAULT_MAX 4 /* they have little to do beside waiting for the kernel */

static const char help[] =
	"Usage: prebootd [OPTION]...\n"
	"Answers machines that boot from the network: whether there is a job for them.\n"
	"\n"
	"  -l, --listen ADDRESS[:PORT]  listen here; may be repeated (0.0.0.0:13331)\n"
	"  -d, --database FILE          the database of devices and jobs\n"
	"                               (" STORE_DEFAULT ")\n"
	"  -t, --threads N              serve with N threads (processors, at most 4)\n"
	"  -r, --rate N                 accept N datagrams a second from each network, an IPv4"
	" /24\n"
	"                               or IPv6 /56 (10000); 0: no limit\n"
	"  -m, --metrics FILE           write counters there for Prometheus, every 10 s\n"
	"  -u, --user USER              user to run as when started as root (openpreboot)\n"
	"      --no-sandbox             run without Landlock and seccomp\n"
	"  -h, --help                   show this\n"
	"  -V, --version                show the version\n"
	"\n"
	"prebootd stays in the foreground and logs to standard error. It stops on SIGTERM or"
	" SIGINT,\n"
	"and reads the database again on SIGHUP. Administer it with prebootctl. See prebootd(8).\n";

/* Reads a number from @min to @max, none negative. Returns it, or -1. */
static long parse_number(const char *option, const char *text, long min, long max)
{
	uint64_t value;

	if (text_parse_number(text, (uint64_t)max, &value) == 0 && value >= (uint64_t)min)
		return (long)value;
	output_line("prebootd", "--%s %s: expected a number from %ld to %ld", option, text, min,
	            max);
	return -1;
}

static int parse_listen(struct options *o, const char *text)
{
	if (o->listen_count == LISTEN_MAX) {
		output_line("prebootd", "at most %d --listen", LISTEN_MAX);
		return EXIT_USAGE;
	}
	if (address_parse(text, &o->listen[o->listen_count++]) == 0)
		return 0;
	output_line("prebootd", "--listen %s: not an address, expected A.B.C.D or "
	            "A.B.C.D:PORT, or [IPv6]:PORT", text);
	return EXIT_USAGE;
}

/* Takes one option. Returns 0, or the status to exit with. */
static int take_option(struct options *o, int option)
{
	long number;

	switch (option) {
	case 'l': return parse_listen(o, optarg);
	case 'd': o->database = optarg; return 0;
	case 't':
		number = parse_number("threads", optarg, 1, SERVER_THREADS_MAX);
		o->threads = number > 0 ? (size_t)number : 0;
		return number < 0 ? EXIT_USAGE : 0;
	case 'm': o->metrics = optarg; return 0;
	case 'u': o->user = optarg; return 0;
	case 's': o->no_sandbox = true; return 0;
	case 'r':
		o->rate = parse_number("rate", optarg, 0, 1000000);
		return o->rate < 0 ? EXIT_USAGE : 0;
	default:
		fputs("Try \"prebootd --help\".\n", stderr);
		return EXIT_USAGE;
	}
}

static int parse(struct options *o, int argc, char **argv)
{
	static const struct option options[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "database", required_argument, NULL, 'd' },
		{ "threads", required_argument, NULL, 't' },
		{ "rate", required_argument, NULL, 'r' },
		{ "metrics", required_argument, NULL, 'm' },
		{ "user", required_argument, NULL, 'u' },
		{ "no-sandbox", no_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int option, status;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	o->database = STORE_DEFAULT;
	o->rate = LIMIT_RATE;
	o->threads = processors < 1 ? 1 : processors > THREADS_DEFAULT_MAX
	                   ? THREADS_DEFAULT_MAX : (size_t)processors;
	while ((option = getopt_long(argc, argv, "l:d:t:r:m:u:hVv", options, NULL)) != -1) {
		if (option == 'h')
			return fputs(help, stdout) < 0;
		if (option == 'V' || option == 'v')
			return puts("prebootd " VERSION) < 0;
		status = take_option(o, option);
		if (status)
			return status;
	}
	if (optind < argc) {
		output_line("prebootd", "%s: unexpected argument", argv[optind]);
		fputs("Try \"prebootd --help\".\n", stderr);
		return EXIT_USAGE;
	}
	return -1;
}

int options_parse(struct options *o, int argc, char **argv)
{
	int status;

	/* getopt's own messages, too, repeat what was typed. */
	output_start(OUTPUT_STDERR, NULL, NULL);
	status = parse(o, argc, argv);
	output_stop();
	return status;
}
