/* SPDX-License-Identifier: BSD-2-Clause */
#include "tftp.h"

#include "debug.h"
#include "error.h"
#include "memory.h"
#include "wire.h"

enum tftp_opcode { /* RFC 1350 section 5, RFC 2347 */
	TFTP_RRQ = 1,
	TFTP_DATA = 3,
	TFTP_ACK = 4,
	TFTP_ERROR = 5,
	TFTP_OACK = 6,
};

enum tftp_error {
	TFTP_OTHER = 0,
	TFTP_NO_FILE = 1,
	TFTP_DISK_FULL = 3,
	TFTP_BAD_OPTION = 8,
};

#define BLOCK_DEFAULT 512
#define BLOCK_MIN 8
/* Some paths lose what is larger than 1488 bytes with its headers. */
#define BLOCK_WANTED "1432"
#define BLOCK_MAX 1432
#define HEADER 4
#define SENT_MAX 512 /* a request: the name has less than 256 bytes */

#define RESEND_MS 500 /* then twice as long each time, up to */
#define RESEND_MAX_MS 2000

/* handle() says with it that the file is complete. */
#define COMPLETE 1

struct transfer {
	struct platform *p;
	const char *name;
	struct endpoint server; /* port 69 until the server has chosen its own */
	bool answered;          /* it has */
	bool options;           /* asked for */
	size_t block_size;
	uint16_t block;         /* the last one taken */
	uint8_t *data;
	size_t length, capacity;
	uint8_t sent[SENT_MAX]; /* the last packet, for sending it again */
	size_t sent_length;
};

static void send_again(struct transfer *t)
{
	/* A packet not sent is as good as lost. */
	t->p->udp_send(t->p, &t->server, t->sent, t->sent_length);
}

static void write_text(struct wire *wire, const char *text)
{
	wire_write_bytes(wire, text, strlen(text) + 1);
}

static void send_request(struct transfer *t)
{
	struct wire wire = wire_writer(t->sent, sizeof(t->sent));

	wire_write_u16(&wire, TFTP_RRQ);
	write_text(&wire, t->name);
	write_text(&wire, "octet");
	if (t->options) {
		write_text(&wire, "blksize");
		write_text(&wire, BLOCK_WANTED);
		write_text(&wire, "tsize");
		write_text(&wire, "0");
	}
	t->sent_length = wire.position;
	send_again(t);
}

static void send_ack(struct transfer *t)
{
	struct wire wire = wire_writer(t->sent, sizeof(t->sent));

	wire_write_u16(&wire, TFTP_ACK);
	wire_write_u16(&wire, t->block);
	t->sent_length = wire.position;
	send_again(t);
}

/* Tells the server to stop; for its sake, so once only. */
static void send_error(struct transfer *t, enum tftp_error code)
{
	struct wire wire = wire_writer(t->sent, sizeof(t->sent));

	wire_write_u16(&wire, TFTP_ERROR);
	wire_write_u16(&wire, code);
	write_text(&wire, "stopped");
	t->sent_length = wire.position;
	send_again(t);
}

/* Takes a string with its NUL; NULL if there is no whole one left. */
static const char *read_text(struct wire *wire)
{
	const char *text = (const char *)wire->data + wire->position;
	size_t left = wire_left(wire);

	for (size_t i = 0; i < left; i++) {
		if (text[i] == '\0') {
			wire_skip(wire, i + 1);
			return text;
		}
	}
	return NULL;
}

/* Option names are of either case (RFC 2347). */
static bool is_option(const char *text, const char *name)
{
	while (*name && (*text | 0x20) == *name)
		text++, name++;
	return *name == '\0' && *text == '\0';
}

static int read_number(const char *text, uint32_t *number)
{
	uint32_t value = 0;

	if (*text == '\0')
		return ERR_MALFORMED;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || value > UINT32_MAX / 10 - 1)
			return ERR_MALFORMED;
		value = value * 10 + (uint32_t)(*text - '0');
	}
	*number = value;
	return 0;
}

static int take_oack(struct transfer *t, struct wire *wire)
{
	const char *name, *value;
	uint32_t number;

	if (!t->options || t->block != 0 || t->length != 0)
		return 0; /* late, or twice */
	/* Whatever follows the last whole pair is garbage that some servers add. */
	while ((name = read_text(wire)) && (value = read_text(wire))) {
		if (is_option(name, "blksize")) {
			if (read_number(value, &number) || number < BLOCK_MIN || number > BLOCK_MAX)
				return ERR_MALFORMED;
			t->block_size = number;
		} else if (is_option(name, "tsize")) {
			if (read_number(value, &number) == 0 && number > t->capacity)
				return ERR_SPACE;
		}
	}
	debug(1, t->p, "tftp: blocks of %u bytes", (uint32_t)t->block_size);
	send_ack(t);
	return 0;
}

static int take_data(struct transfer *t, struct wire *wire)
{
	uint16_t block = wire_read_u16(wire);
	size_t count = wire_left(wire);

	if (wire->error || count > t->block_size)
		return ERR_MALFORMED;
	/* One that comes again is not answered: if our ACK was lost, the timer
	 * sends another, and if it was slow, there would be two of each for ever. */
	if (block != (uint16_t)(t->block + 1))
		return 0;
	if (count > t->capacity - t->length)
		return ERR_SPACE;
	wire_read_bytes(wire, t->data + t->length, count);
	t->length += count;
	t->block = block;
	send_ack(t);
	return count < t->block_size ? COMPLETE : 0;
}

static int take_error(struct transfer *t, struct wire *wire)
{
	uint16_t code = wire_read_u16(wire);

	debug(1, t->p, "tftp: error %u", (uint32_t)code);
	if (code == TFTP_NO_FILE)
		return ERR_NOT_FOUND;
	if (code == TFTP_BAD_OPTION && t->options && t->block == 0) {
		t->options = false;
		t->answered = false;
		t->server.port = TFTP_PORT;
		send_request(t);
		return 0;
	}
	return ERR_REFUSED;
}

/* Says whether this is how a transfer begins: what does not fit is not the server's port. */
static bool begins(const struct transfer *t, uint16_t opcode, struct wire rest)
{
	return opcode == TFTP_OACK ? t->options : wire_read_u16(&rest) == 1;
}

/* Deals with one datagram; COMPLETE, 0 to go on, or why not. */
static int handle(struct transfer *t, const struct endpoint *from, const uint8_t *data,
                  size_t length)
{
	struct wire wire = wire_reader(data, length);
	uint16_t opcode = wire_read_u16(&wire);

	if (memcmp(from->address, t->server.address, 4) != 0 ||
	    (t->answered && from->port != t->server.port))
		return 0;
	if (opcode == TFTP_ERROR)
		return take_error(t, &wire);
	if (opcode != TFTP_DATA && opcode != TFTP_OACK)
		return 0;
	if (!t->answered && !begins(t, opcode, wire))
		return 0;
	t->answered = true;
	t->server.port = from->port;
	return opcode == TFTP_DATA ? take_data(t, &wire) : take_oack(t, &wire);
}

static int run(struct transfer *t)
{
	struct platform *p = t->p;
	uint32_t begun = p->now(p), progress = begun, resent = begun, wait = RESEND_MS, now;
	uint8_t data[HEADER + BLOCK_MAX];
	struct endpoint from;
	uint16_t block = 0;
	size_t length;
	int rc;

	send_request(t);
	for (;;) {
		rc = p->udp_receive(p, &from, data, sizeof(data), &length);
		if (rc == 0)
			rc = handle(t, &from, data, length);
		else
			p->idle(p), rc = 0;
		if (rc)
			return rc;
		now = p->now(p);
		if (t->block != block) {
			block = t->block;
			progress = resent = now;
			wait = RESEND_MS;
		}
		if (now - begun > TFTP_TOTAL_MS || now - progress > TFTP_SILENCE_MS)
			return ERR_TIMEOUT;
		if (now - resent > wait) {
			resent = now;
			wait = wait < RESEND_MAX_MS ? 2 * wait : wait;
			debug(1, p, "tftp: nothing after block %u", (uint32_t)t->block);
			send_again(t);
		}
	}
}

int tftp_fetch(struct platform *p, const struct endpoint *server, const char *name, void *buffer,
               size_t capacity, size_t *length)
{
	struct transfer t = {
		.p = p, .name = name, .server = *server, .options = true,
		.block_size = BLOCK_DEFAULT, .data = buffer, .capacity = capacity,
	};
	uint16_t port = 0;
	int rc;

	if (strlen(name) >= SENT_MAX / 2)
		return ERR_SPACE;
	/* A new port each time, lest packets of another transfer come in. */
	p->entropy(p, &port, sizeof(port));
	rc = p->udp_open(p, 0xc000 | port);
	if (rc)
		return rc;
	rc = run(&t);
	if (rc < 0 && rc != ERR_NOT_FOUND && rc != ERR_REFUSED && t.answered)
		send_error(&t, rc == ERR_SPACE ? TFTP_DISK_FULL : TFTP_OTHER);
	p->udp_close(p);
	*length = t.length;
	return rc == COMPLETE ? 0 : rc;
}
