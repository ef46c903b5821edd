/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_LOG_H
#define SERVER_DAEMON_LOG_H

#include "server/daemon/counters.h"
#include "server/daemon/journal.h"
#include "server/net/datagram.h"
#include "server/policy/decide.h"

/* The log's lines: key=value pairs that scripts may rely on; server/operations.md lists them. */

#define LOG_LINE 1024

/* The message that a line is about. */
struct log_context {
	const struct datagram *datagram;
	const struct message *question;
	const char *device; /* the sender's name; NULL if unknown */
	const char *anomaly; /* what is odd about the sender; "": nothing */
};

/** Writes the line of a decision. Returns its kind. */
enum journal_kind log_answer(char line[LOG_LINE], const struct log_context *context,
                             const struct decision *decision);

/** Writes the line of an NBP's event. Returns its kind. */
enum journal_kind log_event(char line[LOG_LINE], const struct log_context *context);

/** Logs how many datagrams were answered and dropped, and why. */
void log_counts(struct journal *journal, const struct counters *counters);

#endif
