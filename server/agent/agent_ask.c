/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "nbp/proto/error.h"
#include "server/agent/agent_port.h"
#include "server/tool/output.h"

#define FIRST_GAP_MS 250
#define LONGEST_GAP_MS 4000
#define NOTICE_MS 60000 /* a line on the screen, so that nobody switches the machine off */

/* Receives a datagram within @wait_ms; returns whether it is the answer. */
static bool receive_answer(intptr_t socket, uint32_t wait_ms, const struct message *question,
                           uint8_t type, struct message *answer)
{
	uint8_t datagram[MESSAGE_MAX + 1];
	size_t length = port_receive(socket, datagram, sizeof(datagram), wait_ms);

	return length > 0 && message_decode(answer, datagram, length) == 0 &&
	       answer->type == type && memcmp(answer->nonce, question->nonce, NONCE_SIZE) == 0;
}

/* Waits for the answer until @until. Returns whether it came. */
static bool wait_for(intptr_t socket, int64_t until, const struct message *question, uint8_t type,
                     struct message *answer)
{
	int64_t left;

	while ((left = until - port_now_ms()) > 0)
		if (receive_answer(socket, (uint32_t)left, question, type, answer))
			return true;
	return false;
}

/* Returns a number below @limit that differs between machines switched on together. */
static uint32_t jitter(uint32_t limit)
{
	uint32_t value = 0;

	if (port_random(&value, sizeof(value)))
		value = (uint32_t)port_now_ms();
	return value % limit;
}

/* Prints once in NOTICE_MS that the server has not answered yet. */
static void print_notice(int64_t end, int64_t *next)
{
	if (port_now_ms() < *next)
		return;
	output_line("prebootwork", "the server does not answer; trying for another %d s",
	            (int)((end - port_now_ms()) / 1000));
	*next += NOTICE_MS;
}

int agent_ask(const struct agent *agent, struct message *question, uint8_t type,
              uint32_t timeout_ms, struct message *answer)
{
	int64_t end = port_now_ms() + timeout_ms, next = port_now_ms() + NOTICE_MS, until;
	uint8_t datagram[MESSAGE_MAX];
	uint32_t gap = FIRST_GAP_MS;
	int rc = ERR_TIMEOUT;
	intptr_t socket;
	size_t length;

	if (port_random(question->nonce, NONCE_SIZE))
		return ERR_IO;
	while ((socket = port_connect(&agent->server)) < 0) {
		/* The network may still be coming up. */
		if (port_now_ms() >= end)
			return ERR_IO;
		print_notice(end, &next);
		port_sleep(FIRST_GAP_MS);
	}
	question->sequence = 0;
	do {
		question->sequence++;
		rc = message_encode(question, datagram, sizeof(datagram), &length);
		if (rc)
			goto close;
		port_send(socket, datagram, length);
		until = port_now_ms() + gap + jitter(gap / 2);
		if (wait_for(socket, until < end ? until : end, question, type, answer))
			goto close;
		print_notice(end, &next);
		gap = gap * 3 / 2 < LONGEST_GAP_MS ? gap * 3 / 2 : LONGEST_GAP_MS;
	} while (port_now_ms() < end);
	rc = ERR_TIMEOUT;
close:
	port_close(socket);
	return rc;
}
