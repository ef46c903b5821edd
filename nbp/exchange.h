/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_EXCHANGE_H
#define NBP_EXCHANGE_H

#include "nbp/platform.h"
#include "nbp/proto/message.h"

#define EXCHANGE_SERVERS_MAX 4

/* Whom to ask, until when, and what was met on the way. */
struct exchange {
	size_t server_count;
	struct endpoint servers[EXCHANGE_SERVERS_MAX]; /* asked in turn */
	uint32_t deadline;  /* on the platform's clock, ms: give up then, but see below */
	/* Called on each turn of the wait, to look at other things; NULL: nothing. */
	void (*turn)(struct platform *p, void *data);
	void *turn_data;
	/* the outcome: */
	size_t answered_by; /* index into servers */
	uint32_t before;    /* what @sent was when this question was first sent */
	uint32_t sent;      /* transmissions of all questions with these servers */
	uint32_t dropped;   /* datagrams that were not the answer */
};

/**
 * Asks @question and waits for the answer: sends it, again after growing gaps
 * with some jitter, to the servers in turn, until the deadline. Where that is so
 * near, or past, that nobody could answer, it is put off by about a second.
 * Accepts only a well-formed message of type @answer_type with the question's
 * nonce, to a transmission of this question and of no earlier one, from the address
 * and port of a server that was asked; all else is dropped and counted.
 * @exchange: zeroed before its first question; the next ones go on counting
 * @question: its sequence is set anew for each transmission
 * @answer: receives the answer; without one it is all zeros
 * The platform's socket must be open. Returns 0, ERR_TIMEOUT, or an encoding
 * error of message_encode(). A send that fails counts as lost.
 */
int exchange_ask(struct platform *p, struct exchange *exchange, struct message *question,
                 uint8_t answer_type, struct message *answer);

#endif
