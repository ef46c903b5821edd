/* SPDX-License-Identifier: BSD-2-Clause */
/* The TFTP client that knows multicast, against a server and a network that the input drives. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/tftp.h"
#include "nbp/tftp_read.h"

struct fetching {
	struct fuzz_net net; /* first: net's functions cast back */
	uint16_t port;       /* the server's */
	unsigned int joins;
	int join_result;
	bool answered;       /* a datagram of the server came, from whose port on all is sent */
	bool ended;          /* we sent an ERROR */
};

#define TOTAL_MS 60000

/* Bits of the byte before each datagram. */
#define KIND_MASK  0x07 /* enum kind */
#define UNKNOWN    0x08 /* another host's */
#define PORT       0x10 /* from the next port */
#define WAIT_SHIFT 5    /* three bits: index into waits */

/* DATA_FULL is of the block size that was agreed, the two others of as many bytes as the input has. */
enum kind { RAW, DATA_FULL, DATA_LAST, DATA_LONG, OACK, ERROR, NOTHING };

static int next(struct fuzz_net *net, struct endpoint *from, uint8_t *datagram, size_t *length)
{
	static const uint32_t waits[] = { 0, 1, 2, 30, 501, 1000, 2001, 5001 };
	static const uint8_t opcodes[] = { 0, 3, 3, 3, 6, 5 };
	struct fetching *f = (struct fetching *)net;
	uint8_t how = wire_read_u8(&net->script), kind = how & KIND_MASK;
	size_t count, at = 0;

	if (net->script.error) {
		net->clock += 40;
		return ERR_AGAIN;
	}
	net->clock += waits[how >> WAIT_SHIFT];
	if (kind >= NOTHING)
		return ERR_AGAIN;
	*from = (struct endpoint){ { 10, 0, 0, how & UNKNOWN ? 2 : 1 },
		                   (uint16_t)(f->port + (how & PORT ? 1 : 0)) };
	memset(datagram, kind, FUZZ_DATAGRAM_MAX);
	if (kind != RAW) {
		datagram[at++] = 0;
		datagram[at++] = opcodes[kind];
	}
	if (opcodes[kind] == 3) {
		wire_read_bytes(&net->script, datagram + at, 2);
		at += 2;
	}
	count = kind == DATA_FULL ? 0 : wire_read_u8(&net->script);
	if (kind == DATA_FULL || kind == DATA_LONG) {
		static const uint16_t sizes[] = { 8, 511, 512, 513, 1428, 1431, 1432, 1433 };

		*length = at + (kind == DATA_FULL ? 512 : sizes[count % 8]);
		return 0;
	}
	if (count > wire_left(&net->script))
		count = wire_left(&net->script);
	wire_read_bytes(&net->script, datagram + at, count);
	*length = at + count;
	return 0;
}

static int receive(struct fuzz_net *net, struct endpoint *from, uint8_t *datagram, size_t *length)
{
	struct fetching *f = (struct fetching *)net;
	int rc = next(net, from, datagram, length);

	if (rc == 0 && *length >= 4 && from->address[3] == 1)
		f->answered = true;
	return rc;
}

static void look(struct fuzz_net *net, const struct endpoint *to, const uint8_t *datagram,
                 size_t length)
{
	struct fetching *f = (struct fetching *)net;

	REQUIRE(!f->ended); /* an ERROR ends the transfer */
	REQUIRE(to->address[0] == 10 && to->address[3] == 1);
	REQUIRE(datagram[0] == 0);
	switch (datagram[1]) {
	case 1:
		REQUIRE(to->port == TFTP_PORT || f->answered);
		REQUIRE(length <= 512 && datagram[length - 1] == 0);
		break;
	case 4:
		REQUIRE(length == 4);
		break;
	case 5:
		REQUIRE(length == 5 && to->port != TFTP_PORT);
		f->ended = true;
		break;
	default:
		REQUIRE(!"no other opcodes are ours to send");
	}
}

static int join(struct platform *p, const uint8_t group[4], uint16_t port)
{
	struct fetching *f = (struct fetching *)p;

	(void)group;
	REQUIRE(f->net.open && port != 0);
	REQUIRE(f->joins++ == 0);
	return f->join_result;
}

/* The input: what join() returns, if a group is asked for, the size of the buffer, and the script. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fetching f;
	struct tftp_reading *reading;
	size_t capacity;
	uint8_t how;
	int rc;

	memset(&f, 0, sizeof(f));
	f.net.script = wire_reader(data, size);
	f.net.next = receive;
	f.net.look = look;
	f.port = 2000;
	fuzz_net_start(&f.net);
	f.net.platform.receive_wait = 1;
	how = wire_read_u8(&f.net.script);
	f.join_result = how & 1 ? ERR_UNSUPPORTED : 0;
	capacity = wire_read_u8(&f.net.script) * 64u;
	reading = malloc(sizeof(*reading) + capacity);
	memset(reading, 0, sizeof(*reading));
	reading->p = &f.net.platform;
	reading->join = join;
	reading->capacity = (uint32_t)capacity;
	memcpy(reading->server.address, (uint8_t[]){ 10, 0, 0, 1 }, 4);
	rc = tftp_read(reading, "boot/grubx64.efi", how & 2, 50000);
	REQUIRE(rc == 0 || rc == ERR_NOT_FOUND || rc == ERR_REFUSED || rc == ERR_SPACE ||
	        rc == ERR_TIMEOUT || rc == ERR_MALFORMED || (f.joins && rc == f.join_result));
	REQUIRE(!f.net.open && reading->length <= capacity);
	REQUIRE(rc != 0 || !f.joins || f.join_result == 0);
	REQUIRE(f.net.clock <= TOTAL_MS + 5001 + 41);
	free(reading);
	return 0;
}
