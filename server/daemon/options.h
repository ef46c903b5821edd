/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_OPTIONS_H
#define SERVER_DAEMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "server/net/address.h"

/* prebootd's command line. */

#define LISTEN_MAX 16

enum { EXIT_FAULT = 1, EXIT_USAGE = 2 };

struct options {
	union address listen[LISTEN_MAX];
	size_t listen_count;
	const char *database;
	const char *metrics; /* NULL: none */
	const char *user;    /* NULL: none named */
	bool no_sandbox;
	size_t threads;
	long rate;           /* datagrams a second from each network; 0: all */
};

/** Reads the command line. Returns -1 to go on, else the status to exit with, after printing
 *  help, the version or an error. */
int options_parse(struct options *options, int argc, char **argv);

#endif
