/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/tftp_read.h"

#include "nbp/port.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/text.h"
#include "nbp/tftp.h"

/*
 * TFTP over UDP4: by multicast (RFC 2090) where the server agrees, else by unicast (RFC 1350,
 * RFC 2348). EFI_MTFTP4_PROTOCOL knows multicast, too, but EDK2's acknowledges all that a server
 * says. atftpd answers that without end, and drops clients for it that have not got the file.
 */

enum tftp_opcode {
	TFTP_RRQ = 1,
	TFTP_DATA = 3,
	TFTP_ACK = 4,
	TFTP_ERROR = 5,
	TFTP_OACK = 6,
};

#define HEADER TFTP_HEADER
#define BLOCK_DEFAULT 512
#define BLOCK_MAX TFTP_BLOCK_MAX
#define BLOCK_MIN 8
#define OPTIONS "octet\0blksize\0" "1432" /* with the NUL that ends it */
/*
 * It is longer than the time after which a server sends a block again (1 s by the recipe for
 * atftpd), as a server may count its time from the last packet that it got.
 */
#define RESEND_MS 2000

/* By multicast the slowest client may be the first that sets the pace. */
#define TOTAL_MS 60000

#define COMPLETE 1 /* a result of handle_packet() */

static void send_again(struct tftp_reading *r)
{
	r->resent = clock_now(r->p);
	/* A packet that cannot be sent counts as lost. */
	udp_send(r->p, &r->server, r->sent, r->sent_length);
}

static void send_request(struct tftp_reading *r, const char *name, bool multicast)
{
	static const char options[] = OPTIONS "\0multicast\0";
	uint32_t length = 2 + (uint32_t)strlen(name) + 1;

	r->sent[1] = TFTP_RRQ;
	memcpy(r->sent + 2, name, length - 2);
	memcpy(r->sent + length, options, sizeof(options));
	r->sent_length = length + (multicast ? sizeof(options) : sizeof(OPTIONS));
	send_again(r);
}

static void send_number(struct tftp_reading *r, enum tftp_opcode opcode, uint16_t number)
{
	r->sent[1] = opcode;
	r->sent[2] = (uint8_t)(number >> 8);
	r->sent[3] = (uint8_t)number;
	r->sent[4] = '\0'; /* an error's text */
	r->sent_length = HEADER + (opcode == TFTP_ERROR);
	send_again(r);
}

/* Asks for the first block that has not come. */
static void send_ack(struct tftp_reading *r)
{
	send_number(r, TFTP_ACK, r->missing - 1);
}

/* Handles the value of option multicast: GROUP, PORT and MASTER, each with a NUL. */
static int handle_group(struct tftp_reading *r, const char *group)
{
	const char *port = group + strlen(group) + 1, *master = port + strlen(port) + 1;
	uint8_t address[4];
	uint64_t number;

	r->master = *master == '1';
	if (r->joined)
		return 0; /* the server may leave out what is as before */
	r->joined = true;
	if (text_parse_ipv4(group, address) || text_parse_number(port, UINT16_MAX, &number) ||
	    number == 0)
		return ERR_MALFORMED;
	return r->join(r->p, address, (uint16_t)number);
}

static int handle_oack(struct tftp_reading *r, char *text, const char *end)
{
	uint64_t number;
	char *next;
	int rc = 0;

	for (next = text; next < end; next++) {
		if (*next == ',')
			*next = '\0';
	}
	/* Values begin with digits, names with the letters of what was asked for. */
	for (; rc == 0 && text < end; text = next) {
		char letter = *text | 0x20;

		next = text + strlen(text) + 1;
		if (letter == 'm')
			rc = handle_group(r, next);
		else if (letter == 'b') {
			rc = text_parse_number(next, BLOCK_MAX, &number);
			if (rc == 0 && number < BLOCK_MIN)
				rc = ERR_MALFORMED;
			r->block_size = (uint32_t)number;
		}
	}
	/* A client that only listens says nothing. */
	r->sent_length = 0;
	if (rc == 0 && r->master)
		send_ack(r);
	return rc;
}

static int handle_data(struct tftp_reading *r, uint32_t count)
{
	uint16_t block = (uint16_t)(r->packet[2] << 8 | r->packet[3]), missing = r->missing;
	uint32_t offset = (block - 1u) * r->block_size;

	if (block == 0 || count > r->block_size)
		return 0;
	/* A server that repeats one block for ever makes no progress. */
	if (block != r->newest)
		r->progress = clock_now(r->p);
	r->newest = block;
	if (r->have[block])
		return 0; /* if the ACK was lost, the timer sends another */
	if (offset + count > r->capacity)
		return ERR_SPACE;
	r->have[block] = true;
	memcpy(r->data + offset, r->packet + HEADER, count);
	if (count < r->block_size) {
		r->last = block;
		r->length = offset + count;
	}
	while (r->have[r->missing])
		r->missing++;
	/* After block 65,535 the number that is missing is 0. */
	if (r->last && (uint16_t)(r->missing - 1) >= r->last)
		return COMPLETE;
	if (r->master && r->missing != missing)
		send_ack(r);
	return 0;
}

/* Handles one packet of @length bytes; returns COMPLETE, 0 to go on, or an error. */
static int handle_packet(struct tftp_reading *r, const struct endpoint *from, size_t length)
{
	if (length < HEADER || memcmp(from->address, r->server.address, 4) != 0 ||
	    (r->server.port != TFTP_PORT && from->port != r->server.port))
		return 0;
	memset(r->packet + length, 0, HEADER);
	r->server.port = from->port;
	switch (r->packet[1]) {
	case TFTP_OACK:
		return handle_oack(r, (char *)r->packet + 2, (char *)r->packet + length);
	case TFTP_DATA:
		return handle_data(r, (uint32_t)length - HEADER);
	case TFTP_ERROR:
		r->server.port = TFTP_PORT; /* it is not answered */
		return r->packet[3] == 1 ? ERR_NOT_FOUND : ERR_REFUSED;
	default:
		return 0;
	}
}

/* Reads the file once it has been asked for. */
static int read_blocks(struct tftp_reading *r)
{
	uint32_t begun = r->progress = r->resent, now;
	struct endpoint from;
	size_t length;
	int rc;

	for (;;) {
		if (udp_receive(r->p, &from, r->packet, HEADER + BLOCK_MAX, &length) == 0) {
			rc = handle_packet(r, &from, length);
			if (rc != 0)
				return rc;
		}
		now = clock_now(r->p);
		if (now - r->progress > TFTP_SILENCE_MS || now - begun > TOTAL_MS)
			return ERR_TIMEOUT;
		if (r->sent_length && now - r->resent > RESEND_MS)
			send_again(r);
	}
}

int tftp_read(struct tftp_reading *r, const char *name, bool multicast, uint16_t local_port)
{
	int rc;

	r->server.port = TFTP_PORT;
	r->master = true;
	r->missing = 1;
	r->block_size = BLOCK_DEFAULT;
	rc = udp_open(r->p, local_port);
	if (rc != 0)
		return rc;
	send_request(r, name, multicast);
	rc = read_blocks(r);
	/*
	 * atftpd takes an ACK of a client that only listens for a request, so that such
	 * a one says by an error packet that it needs no more.
	 */
	if (rc == COMPLETE && r->master)
		send_ack(r);
	else if (r->server.port != TFTP_PORT)
		send_number(r, TFTP_ERROR, 0);
	udp_close(r->p);
	return rc == COMPLETE ? 0 : rc;
}
