/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_EXCHANGE_H
#define NBP_EXCHANGE_H

#include "nbp/platform.h"
#include "nbp/proto/message.h"

#define EXCHANGE_SERVERS_MAX 4

/* The servers to ask, the time for it, and the outcome. */
struct exchange {
	size_t server_count;
	struct endpoint servers[EXCHANGE_SERVERS_MAX]; /* they are asked in turn */
	uint32_t deadline;  /* on the platform's clock, ms; exchange_ask() may put it off */
	/* Called on each turn of the wait; may be NULL. */
	void (*turn)(struct platform *p, void *data);
	void *turn_data;
	/* the outcome: */
	size_t answered_by; /* index into servers */
	uint32_t before;    /* the value of @sent before this question */
	uint32_t sent;      /* transmissions of all questions so far */
	uint32_t dropped;   /* datagrams that were not the answer to this question */
};

/**
 * Asks @question and waits for the answer: sends it to the servers in turn, after
 * growing gaps with some jitter, until the deadline. A deadline that is too near for
 * any answer, or past, is put off by about a second. Accepts only a well-formed message
 * with the question's nonce and the sequence number of a
 * transmission of this question, from the address and port of a server that was
 * asked; all others are dropped and counted.
 * @exchange: zeroed before its first question; further questions go on counting
 * @layout: that of @question; it names the answer's
 * @question: each transmission gets a new sequence number
 * @answer: receives the answer; all zeros without one
 * The platform's socket must be open. Returns 0, ERR_TIMEOUT, ERR_NOT_FOUND (no
 * server), or an error of message_encode(). A datagram that cannot be sent counts
 * as lost.
 */
int exchange_ask(struct platform *p, struct exchange *exchange,
                 const struct message_layout *layout, struct message *question,
                 struct message *answer);

#endif
