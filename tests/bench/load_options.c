/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/load.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
	"Usage: load [OPTION]... ADDRESS:PORT\n"
	"Asks a policy server for many machines, and prints how it did, as JSON.\n"
	"\n"
	"  -n, --machines N   ask for so many machines, each in its turn (1000)\n"
	"  -f, --first N      the first machine's number (0)\n"
	"  -s, --seconds S    for so long (2)\n"
	"  -w, --window N     so many questions wait for their answers at once (128)\n"
	"  -r, --rate N       so many questions a second, however fast the answers come\n"
	"  -o, --once         stop when each machine has had its turn\n"
	"  -b, --one-boot     a machine's questions are all of one boot\n"
	"  -a, --accept       accept the jobs that are offered; a machine waits for its receipt, "
        "too\n"
	"  -u, --unknown      the server need not know the machines\n"
	"  -h, --help         show this\n";

/* Returns whether @text is a number from @least to @most. */
static bool number(const char *text, uint32_t least, uint32_t most, uint32_t *out)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	*out = (uint32_t)value;
	return end != text && !*end && value >= least && value <= most;
}

/* Returns whether the option is right. */
static bool take_option(struct plan *plan, int option, const char *value)
{
	switch (option) {
	case 'n': return number(value, 1, 1u << 31, &plan->machines);
	case 'f': return number(value, 0, 1u << 31, &plan->first);
	case 's': return number(value, 1, 3600, &plan->seconds);
	case 'w': return number(value, 1, WINDOW_MAX, &plan->window);
	case 'r': return number(value, 1, 100000000, &plan->rate);
	case 'o': return plan->once = true;
	case 'b': return plan->one_boot = true;
	case 'a': return plan->accept = true;
	case 'u': return plan->unknowns = true;
	default:  return false;
	}
}

static int refuse(void)
{
	fputs("load: a wrong option, or a number out of range; try --help\n", stderr);
	return 2;
}

int plan_make(struct plan *plan, int argc, char **argv)
{
	static const struct option options[] = {
		{ "machines", required_argument, NULL, 'n' },
		{ "first", required_argument, NULL, 'f' },
		{ "seconds", required_argument, NULL, 's' },
		{ "window", required_argument, NULL, 'w' },
		{ "rate", required_argument, NULL, 'r' },
		{ "once", no_argument, NULL, 'o' },
		{ "one-boot", no_argument, NULL, 'b' },
		{ "accept", no_argument, NULL, 'a' },
		{ "unknown", no_argument, NULL, 'u' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	*plan = (struct plan){ .machines = 1000, .seconds = 2, .window = WINDOW_USUAL };
	while ((option = getopt_long(argc, argv, "n:f:s:w:r:obauh", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return 0;
		}
		if (!take_option(plan, option, optarg))
			return refuse();
	}
	if (optind != argc - 1)
		return refuse();
	plan->server = argv[optind];
	if (plan->rate && plan->window == WINDOW_USUAL)
		plan->window = WINDOW_MAX;
	return -1;
}
