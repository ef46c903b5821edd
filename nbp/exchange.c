/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/exchange.h"

#include "nbp/debug.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

#define FIRST_GAP_MS    200
#define BLIND_SENDS     3 /* copies sent at once if receiving blocks */

/* The minimum time for an answer, in ms, however long the steps before took. */
#define ANSWER_MIN_MS       1000
#define ANSWER_MIN_BLIND_MS 400 /* the same if receiving blocks; one receive comes on top */

/* Returns 3/4 to 5/4 of @gap, by a byte of the nonce, which is random enough. */
static uint32_t jittered(uint32_t gap, uint8_t random)
{
	return gap * 3 / 4 + gap * random / 512;
}

/* Sends the question once, to the server whose turn it is. */
static int send_question(struct platform *p, struct exchange *x,
                         const struct message_layout *layout, struct message *question)
{
	const struct endpoint *to = &x->servers[x->sent % x->server_count];
	uint8_t datagram[MESSAGE_MAX];
	size_t length;
	int rc;

	question->sequence = ++x->sent;
	rc = message_encode_as(layout, question, datagram, sizeof(datagram), &length);
	if (rc)
		return rc;
	rc = p->udp_send(p, to, datagram, length);
	debug(2, p, "question %u to %pI4:%u: %s", x->sent, to->address, (uint32_t)to->port,
	      rc ? error_text(rc) : "sent");
	return 0; /* A datagram that could not be sent counts as lost. */
}

/* Says whether the @length bytes at @datagram, from @from, answer @question; decodes them. */
static bool accepted(struct platform *p, struct exchange *x, const struct message_layout *layout,
                     const struct message *question, const struct endpoint *from, const void *datagram,
                     size_t length, struct message *answer)
{
	size_t server = 0;
	int rc;

	while (server < x->server_count &&
	       (memcmp(x->servers[server].address, from->address, sizeof(from->address)) != 0 ||
	        x->servers[server].port != from->port))
		server++;
	debug(2, p, "%u bytes from %pI4:%u", (uint32_t)length, from->address,
	      (uint32_t)from->port);
	if (server == x->server_count) {
		debug(1, p, "dropped: %pI4:%u was not asked", from->address, (uint32_t)from->port);
		return false;
	}
	rc = message_decode_as(layout->answer, answer, datagram, length);
	if (rc) {
		debug(1, p, "dropped: %s", error_text(rc));
		return false;
	}
	/* All questions of a boot have one nonce, so a late answer may be to an earlier one. */
	if (answer->sequence <= x->before || answer->sequence > x->sent ||
	    memcmp(answer->nonce, question->nonce, sizeof(answer->nonce)) != 0) {
		debug(1, p, "dropped: sequence %u, which is no answer to this question",
		      answer->sequence);
		return false;
	}
	debug(2, p, "accepted: the answer to question %u", answer->sequence);
	x->answered_by = server;
	return true;
}

static uint32_t earliest_deadline(struct platform *p)
{
	return p->now(p) +
	       (p->receive_wait ? p->receive_wait + ANSWER_MIN_BLIND_MS : ANSWER_MIN_MS);
}

int exchange_ask(struct platform *p, struct exchange *x, const struct message_layout *layout,
                 struct message *question, struct message *answer)
{
	uint32_t gap = FIRST_GAP_MS, next_send = p->now(p);
	uint32_t copies = p->receive_wait ? BLIND_SENDS : 1, deadline = earliest_deadline(p);
	int rc;

	if (deadline < x->deadline)
		deadline = x->deadline;
	x->before = x->sent;
	x->dropped = 0;
	memset(answer, 0, sizeof(*answer));
	if (x->server_count == 0)
		return ERR_NOT_FOUND;
	for (;;) {
		uint8_t datagram[MESSAGE_MAX];
		struct endpoint from;
		size_t length;
		uint32_t now = p->now(p);

		/* This is checked on every turn, so that a flood of datagrams has no effect
		 * on it. A receive that blocks may not end after the deadline. */
		if (x->sent != x->before &&
		    (now >= deadline || deadline - now < p->receive_wait))
			return ERR_TIMEOUT;
		if (now >= next_send) {
			for (uint32_t i = 0; i < copies; i++)
				if ((rc = send_question(p, x, layout, question)) != 0)
					return rc;
			next_send = now + jittered(gap, question->nonce[x->sent % NONCE_SIZE]);
			gap = gap * 3 / 2;
		}
		if (x->turn)
			x->turn(p, x->turn_data);
		rc = p->udp_receive(p, &from, datagram, sizeof(datagram), &length);
		if (rc) {
			p->idle(p);
			continue;
		}
		if (accepted(p, x, layout, question, &from, datagram, length, answer))
			return 0;
		memset(answer, 0, sizeof(*answer)); /* It holds a part of what was dropped. */
		x->dropped++;
	}
}
