/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/tftp.h"

#include "nbp/debug.h"
#include "nbp/nonce.h"
#include "nbp/proto/crc32.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/wire.h"

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

/*
 * Our port is the only secret there is, so somebody who cannot see it may still hit it.
 * One datagram so sent must not become the file, nor end the transfer. A server that
 * takes our options says so first, and sends no data before we acknowledge that; what
 * looks otherwise may be the last word only if nothing better comes for so long.
 */
#define DOUBT_MS 250
#define TRIES 3 /* each from another port: two servers that answered one request */
#define PORT_MIN 1024

/* handle() says with it that the file is complete, or that it must begin anew. */
#define COMPLETE 1
#define RIVALS 2

struct transfer {
	struct platform *p;
	const char *name;
	struct endpoint server; /* port 69 until the server has chosen its own */
	bool answered;          /* it has */
	bool options;           /* asked for */
	bool last_try;
	bool unacknowledged;    /* what it began with; until then no data can come */
	bool doubtful;          /* it began with data; not yet acknowledged */
	bool complete;
	bool told;              /* the file's size: */
	uint32_t size;
	int error;              /* somebody sent one, before any server answered */
	uint32_t first;         /* when that, or the server's first packet, came */
	uint32_t beginning;     /* the latter's CRC-32 */
	uint32_t requests;      /* sent, so as many servers may answer */
	uint32_t resent;        /* when anything was sent last */
	size_t block_size;
	uint16_t block;         /* the last one taken */
	uint8_t *data;
	size_t length, capacity;
	uint8_t sent[SENT_MAX]; /* the last packet, for sending it again */
	size_t sent_length;
};

static void send_again(struct transfer *t)
{
	t->resent = t->p->now(t->p);
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
	t->requests = 1;
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

	if (!t->options || t->length != 0)
		return 0; /* late */
	/* Whatever follows the last whole pair is garbage that some servers add. */
	while ((name = read_text(wire)) && (value = read_text(wire))) {
		if (is_option(name, "blksize")) {
			if (read_number(value, &number) || number < BLOCK_MIN || number > BLOCK_MAX)
				return ERR_MALFORMED;
			t->block_size = number;
		} else if (is_option(name, "tsize") && read_number(value, &number) == 0) {
			if (number > t->capacity)
				return ERR_SPACE;
			t->size = number;
			t->told = true;
		}
	}
	debug(1, t->p, "blocks of %u bytes", (uint32_t)t->block_size);
	t->unacknowledged = true;
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
	if (t->unacknowledged || block != (uint16_t)(t->block + 1))
		return 0;
	if (count > t->capacity - t->length)
		return ERR_SPACE;
	wire_read_bytes(wire, t->data + t->length, count);
	t->length += count;
	t->block = block;
	t->complete = count < t->block_size;
	if (t->complete && t->told && t->length != t->size)
		return ERR_TRUNCATED;
	if (t->doubtful) {
		t->unacknowledged = true;
		return 0;
	}
	send_ack(t);
	return t->complete ? COMPLETE : 0;
}

static int take_error(struct transfer *t, struct wire *wire)
{
	uint16_t code = wire_read_u16(wire);

	debug(1, t->p, "error %u from the server", (uint32_t)code);
	return code == TFTP_NO_FILE ? ERR_NOT_FOUND
	       : code == TFTP_BAD_OPTION && t->options && !t->answered ? ERR_UNSUPPORTED
	                                                               : ERR_REFUSED;
}

/* Says whether this is how a transfer begins: what does not fit is not the server's port. */
static bool begins(const struct transfer *t, uint16_t opcode, struct wire rest)
{
	if (opcode == TFTP_OACK)
		return t->options;
	return opcode == TFTP_DATA && wire_read_u16(&rest) == 1 &&
	       wire_left(&rest) <= BLOCK_DEFAULT;
}

/*
 * Another port answered too. One that takes our options is the server, if the first
 * did not. Otherwise one of two, to one request, is no server of ours; which, cannot be told,
 * so it begins anew. That two always say the same is a network that sends packets twice.
 */
static int meet_rival(struct transfer *t, uint16_t opcode, uint32_t beginning)
{
	if (opcode == TFTP_OACK && t->doubtful) {
		t->length = t->block = 0;
		t->complete = t->unacknowledged = t->answered = false;
		return 0;
	}
	if (t->requests > 1 || (opcode != TFTP_OACK && !t->doubtful) ||
	    (t->last_try && beginning == t->beginning))
		return 0;
	return t->last_try ? ERR_REFUSED : RIVALS;
}

/* Deals with one datagram; COMPLETE, RIVALS, 0 to go on, or why not. */
static int handle(struct transfer *t, const struct endpoint *from, const uint8_t *data,
                  size_t length)
{
	struct wire wire = wire_reader(data, length);
	uint16_t opcode = wire_read_u16(&wire);
	int rc;

	if (memcmp(from->address, t->server.address, 4) != 0)
		return 0;
	if (t->answered && from->port != t->server.port) {
		rc = 0;
		if (opcode == TFTP_ERROR || begins(t, opcode, wire))
			rc = meet_rival(t, opcode, crc32(data, length));
		if (rc || t->answered)
			return rc;
	}
	if (opcode == TFTP_ERROR) {
		rc = take_error(t, &wire);
		if (t->answered)
			return rc;
		if (!t->error)
			t->first = t->p->now(t->p);
		t->error = rc;
		return 0;
	}
	if (!t->answered) {
		if (!begins(t, opcode, wire))
			return 0;
		if (opcode == TFTP_DATA && t->error && t->requests == 1)
			return t->last_try ? ERR_REFUSED : RIVALS;
		t->answered = true;
		t->server.port = from->port;
		t->beginning = crc32(data, length);
		t->doubtful = opcode == TFTP_DATA;
		t->first = t->p->now(t->p);
	}
	if (opcode == TFTP_OACK)
		return take_oack(t, &wire);
	return opcode == TFTP_DATA ? take_data(t, &wire) : 0;
}

/* Nothing more is waiting. Believes what was in doubt for long enough; else rests. */
static int settle(struct transfer *t)
{
	bool doubted = t->doubtful || !t->answered;

	if ((t->unacknowledged || (t->error && !t->answered)) &&
	    (!doubted || t->p->now(t->p) - t->first >= DOUBT_MS)) {
		if (t->unacknowledged) {
			t->unacknowledged = t->doubtful = false;
			send_ack(t);
			return t->complete ? COMPLETE : 0;
		}
		if (t->error != ERR_UNSUPPORTED)
			return t->error;
		t->error = 0;
		t->options = false;
		send_request(t);
	}
	t->p->idle(t->p);
	return 0;
}

/* Goes on until something is known; @begun: when the first try did. */
static int run(struct transfer *t, uint32_t begun)
{
	struct platform *p = t->p;
	uint32_t progress = p->now(p), wait = RESEND_MS, now;
	uint8_t data[HEADER + BLOCK_MAX];
	struct endpoint from;
	uint16_t block = 0;
	size_t length;
	int rc;

	send_request(t);
	for (;;) {
		rc = p->udp_receive(p, &from, data, sizeof(data), &length);
		rc = rc ? settle(t) : handle(t, &from, data, length);
		if (rc)
			return rc;
		now = p->now(p);
		if (t->block != block) {
			block = t->block;
			progress = now;
			wait = RESEND_MS;
		}
		if (now - begun > TFTP_TOTAL_MS || now - progress > TFTP_SILENCE_MS)
			return ERR_TIMEOUT;
		if (!t->unacknowledged && now - t->resent > wait) {
			wait = wait < RESEND_MAX_MS ? 2 * wait : wait;
			debug(1, p, "nothing after block %u, sending again", (uint32_t)t->block);
			t->requests += !t->answered;
			send_again(t);
		}
	}
}

/* All the entropy there is, and a new port each time, lest packets of another transfer
 * come in. */
static uint16_t choose_port(struct platform *p)
{
	uint8_t random[NONCE_SIZE];
	uint16_t port;

	nonce_make(p, random);
	port = (uint16_t)(random[0] << 8 | random[1]);
	return port < PORT_MIN ? port + 0x8000 : port;
}

int tftp_fetch(struct platform *p, const struct endpoint *server, const char *name, void *buffer,
               size_t capacity, size_t *length)
{
	uint32_t begun = p->now(p);
	struct transfer t;
	int rc = RIVALS;

	*length = 0;
	if (strlen(name) >= SENT_MAX / 2)
		return ERR_SPACE;
	for (int i = 1; rc == RIVALS; i++) {
		t = (struct transfer){
			.p = p, .name = name, .server = *server, .options = true,
			.last_try = i == TRIES, .block_size = BLOCK_DEFAULT, .data = buffer,
			.capacity = capacity,
		};
		rc = p->udp_open(p, choose_port(p));
		if (rc)
			return rc;
		rc = run(&t, begun);
		if (rc < 0 && rc != ERR_NOT_FOUND && rc != ERR_REFUSED && t.answered)
			send_error(&t, rc == ERR_SPACE ? TFTP_DISK_FULL : TFTP_OTHER);
		p->udp_close(p);
	}
	*length = t.length;
	return rc == COMPLETE ? 0 : rc;
}
