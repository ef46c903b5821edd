/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_SERVING_H
#define SERVER_DAEMON_SERVING_H

#include "server/daemon/log.h"
#include "server/daemon/server.h"
#include "server/net/peek.h"
#include "server/policy/identify.h"

/* One serving thread. */
struct serving {
	struct server *server;
	struct counters counters;
	struct request_peek peeks[BATCH]; /* of the batch at work */
	struct index_prefetch prefetch[BATCH];
	/* The rest is of the datagram at work. */
	const struct timestamp *timestamp;
	struct message question;
	struct identification who;
	struct decision decision;
	struct history_entry history;
	char line[LOG_LINE];
	uint64_t suppressed;     /* lines for the log that were not written; of the batch */
};

#endif
