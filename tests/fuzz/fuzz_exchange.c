/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking over a hostile network: the input says what arrives, when and from whom. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "nbp/exchange.h"
#include "nbp/proto/error.h"

struct asking {
	struct fuzz_net net; /* first: net's functions cast back */
	struct exchange exchange;
	struct message question, answer;
	struct endpoint last_from;
	uint32_t last_sequence;
};

/* Bits of the byte before each datagram. */
#define FROM_MASK    0x03 /* 0 and 1: the servers; 2: the wrong port; 3: an unknown machine */
#define WITH_HEADER  0x04 /* only the fields come from the input */
#define WITH_NONCE   0x08
#define WAIT_SHIFT   4    /* two bits: index into waits */
#define NOTHING      0x40 /* there is no datagram */
#define PADDED       0x80 /* with zeros, to FUZZ_DATAGRAM_MAX bytes */

/* Returns when it may give up, ms: at the deadline, but after about a second at least. */
static uint32_t end_of(const struct asking *a)
{
	uint32_t wait = a->net.platform.receive_wait, least = wait ? wait + 400 : 1000;

	return a->exchange.deadline > least ? a->exchange.deadline : least;
}

static int next(struct fuzz_net *net, struct endpoint *from, uint8_t *datagram, size_t *length)
{
	static const uint32_t waits[] = { 0, 1, 100, 1000 };
	struct asking *a = (struct asking *)net;
	uint8_t how = wire_read_u8(&net->script);
	size_t count, at = 0;

	/* Each turn begins in time to end before the deadline. */
	REQUIRE(net->clock + net->platform.receive_wait <= end_of(a));
	if (net->script.error)
		return ERR_AGAIN;
	net->clock += waits[how >> WAIT_SHIFT & 3];
	if (how & NOTHING)
		return how & 1 ? ERR_IO : ERR_AGAIN;
	*from = a->exchange.servers[how & 1];
	if ((how & FROM_MASK) == 2)
		from->port++;
	else if ((how & FROM_MASK) == 3)
		from->address[3] ^= 0x80;
	memset(datagram, 0, FUZZ_DATAGRAM_MAX);
	if (how & WITH_HEADER) {
		memcpy(datagram, "OPBP\1\2", 6);
		datagram[MESSAGE_HEADER - 1] = (uint8_t)a->last_sequence;
		at = MESSAGE_HEADER;
	}
	count = wire_read_u8(&net->script);
	if (count > wire_left(&net->script))
		count = wire_left(&net->script);
	wire_read_bytes(&net->script, datagram + at, count);
	*length = at + count;
	if (how & WITH_NONCE)
		memcpy(datagram + 8, a->question.nonce, NONCE_SIZE);
	if (how & PADDED)
		*length = FUZZ_DATAGRAM_MAX;
	a->last_from = *from;
	return 0;
}

static void look(struct fuzz_net *net, const struct endpoint *to, const uint8_t *datagram,
                 size_t length)
{
	static struct message sent;
	struct asking *a = (struct asking *)net;
	const struct endpoint *turn =
		&a->exchange.servers[a->last_sequence % a->exchange.server_count];

	REQUIRE(net->clock < end_of(a));
	REQUIRE(length == MESSAGE_MAX && message_decode(&sent, datagram, length) == 0);
	REQUIRE(sent.sequence == ++a->last_sequence && sent.type == MESSAGE_REQUEST);
	REQUIRE(memcmp(sent.nonce, a->question.nonce, NONCE_SIZE) == 0);
	REQUIRE(memcmp(to->address, turn->address, 4) == 0 && to->port == turn->port);
	REQUIRE(net->sent <= 32);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t receive_waits[] = { 0, 0, 50, 3000 };
	static const struct message zeros;
	static struct asking a;
	uint8_t how;
	int rc;

	memset(&a, 0, sizeof(a));
	a.net.script = wire_reader(data, size);
	a.net.next = next;
	a.net.look = look;
	fuzz_net_start(&a.net);
	how = wire_read_u8(&a.net.script);
	a.net.send_result = how & 0x20 ? ERR_IO : 0;
	a.net.platform.receive_wait = receive_waits[how >> 3 & 3];
	a.exchange.server_count = (how & 7) % (EXCHANGE_SERVERS_MAX + 1);
	for (size_t i = 0; i < EXCHANGE_SERVERS_MAX; i++)
		a.exchange.servers[i] = (struct endpoint){ { 10, 0, 0, (uint8_t)i }, POLICY_PORT };
	a.exchange.deadline = wire_read_u8(&a.net.script) * 16u;
	a.question.type = MESSAGE_REQUEST;
	a.question.u.request.identity.mac[0] = how & 0x40 ? 0 : 2;
	wire_read_bytes(&a.net.script, a.question.nonce, NONCE_SIZE);

	a.net.open = true;
	rc = exchange_ask(&a.net.platform, &a.exchange, &message_request, &a.question, &a.answer);
	REQUIRE(rc == 0 || rc == ERR_TIMEOUT || rc == ERR_NOT_FOUND || rc == ERR_MALFORMED);
	REQUIRE(a.net.clock <= end_of(&a) + 1000 + 3000);
	REQUIRE(rc == 0 || memcmp(&a.answer, &zeros, sizeof(zeros)) == 0);
	if (rc == 0) {
		const struct endpoint *server = &a.exchange.servers[a.exchange.answered_by];

		REQUIRE(a.exchange.answered_by < a.exchange.server_count);
		REQUIRE(a.answer.type == MESSAGE_ANSWER);
		REQUIRE(a.answer.sequence >= 1 && a.answer.sequence <= a.last_sequence);
		REQUIRE(memcmp(a.answer.nonce, a.question.nonce, NONCE_SIZE) == 0);
		REQUIRE(memcmp(server->address, a.last_from.address, 4) == 0);
		REQUIRE(server->port == a.last_from.port);
	}
	return 0;
}
