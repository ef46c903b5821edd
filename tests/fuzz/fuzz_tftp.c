/* SPDX-License-Identifier: BSD-2-Clause */
/* The TFTP client against a server and a network that the input drives. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/tftp.h"

struct fetching {
	struct fuzz_net net; /* first: net's functions cast back */
	uint16_t block;      /* of the last ACK */
	uint16_t port;       /* the server's */
	bool refused;        /* we sent an ERROR */
};

static const struct endpoint server = { { 10, 0, 0, 1 }, TFTP_PORT };

/* Bits of the byte before each datagram. */
#define KIND_MASK  0x07 /* enum kind */
#define UNKNOWN   0x08 /* another host's */
#define PORT       0x10 /* from the next port */
#define WAIT_SHIFT 5    /* three bits: index into waits */

enum kind { RAW, DATA_NEXT, DATA_FULL, DATA_LAST, DATA_OTHER, OACK, ERROR, NOTHING };

static int next(struct fuzz_net *net, struct endpoint *from, uint8_t *datagram, size_t *length)
{
	static const uint32_t waits[] = { 0, 1, 2, 30, 501, 1000, 2001, 5001 };
	static const uint8_t opcodes[] = { 0, 3, 3, 3, 3, 6, 5, 0 };
	struct fetching *f = (struct fetching *)net;
	uint8_t how = wire_read_u8(&net->script), kind = how & KIND_MASK;
	size_t count, at = 0;
	uint16_t block = f->block;

	if (net->script.error)
		return ERR_AGAIN;
	net->clock += waits[how >> WAIT_SHIFT];
	if (kind == NOTHING)
		return ERR_AGAIN;
	f->port = (uint16_t)(f->port + (how & PORT ? 1 : 0));
	*from = (struct endpoint){ { 10, 0, 0, how & UNKNOWN ? 2 : 1 }, f->port };
	memset(datagram, kind, FUZZ_DATAGRAM_MAX);
	if (kind != RAW) {
		datagram[at++] = 0;
		datagram[at++] = opcodes[kind];
	}
	if (kind == DATA_OTHER)
		block = wire_read_u16(&net->script);
	if (opcodes[kind] == 3) {
		block++;
		datagram[at++] = (uint8_t)(block >> 8);
		datagram[at++] = (uint8_t)block;
	}
	count = wire_read_u8(&net->script);
	if (kind == DATA_FULL) {
		*length = at + (count & 1 ? 512 : 1432);
		return 0;
	}
	if (count > wire_left(&net->script))
		count = wire_left(&net->script);
	wire_read_bytes(&net->script, datagram + at, count);
	*length = at + count;
	return 0;
}

static void look(struct fuzz_net *net, const struct endpoint *to, const uint8_t *datagram,
                 size_t length)
{
	struct fetching *f = (struct fetching *)net;

	REQUIRE(!f->refused); /* an ERROR ends the transfer */
	REQUIRE(memcmp(to->address, server.address, 4) == 0);
	REQUIRE(length >= 4 && datagram[0] == 0);
	switch (datagram[1]) {
	case 1:
		REQUIRE(to->port == TFTP_PORT);
		REQUIRE(length <= 512 && datagram[length - 1] == 0);
		break;
	case 4:
		REQUIRE(to->port != TFTP_PORT);
		REQUIRE(length == 4);
		f->block = (uint16_t)(datagram[2] << 8 | datagram[3]);
		break;
	case 5:
		REQUIRE(to->port != TFTP_PORT);
		f->refused = true;
		break;
	default:
		REQUIRE(!"no other opcodes are ours to send");
	}
}

/* The input: the size of the buffer, and the script. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fetching f;
	size_t capacity, length = 0;
	uint8_t *buffer;
	int rc;

	memset(&f, 0, sizeof(f));
	f.net.script = wire_reader(data, size);
	f.net.next = next;
	f.net.look = look;
	f.port = 2000;
	fuzz_net_start(&f.net);
	capacity = wire_read_u8(&f.net.script) * 64u;
	buffer = malloc(capacity);
	rc = tftp_fetch(&f.net.platform, &server, "boot/pxelinux.0", buffer, capacity, &length);
	REQUIRE(rc == 0 || rc == ERR_NOT_FOUND || rc == ERR_REFUSED || rc == ERR_SPACE ||
	        rc == ERR_TIMEOUT || rc == ERR_MALFORMED || rc == ERR_TRUNCATED);
	REQUIRE(!f.net.open && length <= capacity);
	REQUIRE(f.net.clock <= TFTP_TOTAL_MS + 5001 + 40);
	free(buffer);
	return 0;
}
