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
/* Some networks lose packets of more than 1488 bytes with their headers. */
#define BLOCK_WANTED "1432"
#define BLOCK_MAX 1432
#define HEADER 4
#define SENT_MAX 512 /* bytes of a request, whose name has less than 256 */

#define RESEND_MS 500 /* the first wait for an answer; each following one is twice as long */
#define RESEND_MAX_MS 2000 /* the longest wait */

/*
 * The NBP's port is the only secret, and an attacker who does not see it may still hit it
 * by chance. One forged datagram must not become the file, nor end the transfer. A server
 * that accepts the options says so first, and sends no data before the NBP acknowledges
 * that; any other first datagram counts only if none from another port comes for RIVAL_MS.
 */
#define RIVAL_MS 250
#define TRIES 3 /* at most, if two servers answer one request; each from another port */
#define PORT_MIN 1024

/* Results of handle_datagram(): the file is complete, or the transfer must begin again. */
#define COMPLETE 1
#define RIVALS 2

struct transfer {
	struct platform *p;
	const char *name;
	struct endpoint server; /* port 69 until the server has chosen its own */
	bool answered;          /* the server has chosen its port */
	bool options;           /* the request has options */
	bool last_try;
	bool unacknowledged;    /* the first packet is not acknowledged; no data can follow it */
	bool may_be_forged;     /* the first packet was data, and RIVAL_MS are not over */
	bool complete;
	bool size_known;        /* the server has announced the file's size */
	uint32_t size;
	int error;              /* of an error packet that came before any other; 0: none */
	uint32_t first;         /* when that or the server's first packet came, ms */
	uint32_t beginning;     /* the CRC-32 of the server's first packet */
	uint32_t requests;      /* the number sent; as many ports may answer */
	uint32_t resent;        /* when the last packet was sent, ms */
	size_t block_size;
	uint16_t block;         /* the last one received */
	uint8_t *data;
	size_t length, capacity;
	uint8_t sent[SENT_MAX]; /* the last packet sent, in case it must be sent again */
	size_t sent_length;
};

static void send_again(struct transfer *t)
{
	t->resent = t->p->now(t->p);
	/* A packet that cannot be sent counts as lost. */
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

/* Asks the server to stop; once only, since that is for the server's sake. */
static void send_error(struct transfer *t, enum tftp_error code)
{
	struct wire wire = wire_writer(t->sent, sizeof(t->sent));

	wire_write_u16(&wire, TFTP_ERROR);
	wire_write_u16(&wire, code);
	write_text(&wire, "stopped");
	t->sent_length = wire.position;
	send_again(t);
}

/* Reads a string with its NUL; returns NULL if there is no complete one left. */
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

/* Compares names of options, in either case of letters (RFC 2347). */
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
		return 0; /* it came late */
	/* Bytes after the last complete pair are garbage that some servers add. */
	while ((name = read_text(wire)) && (value = read_text(wire))) {
		if (is_option(name, "blksize")) {
			if (read_number(value, &number) || number < BLOCK_MIN || number > BLOCK_MAX)
				return ERR_MALFORMED;
			t->block_size = number;
		} else if (is_option(name, "tsize") && read_number(value, &number) == 0) {
			if (number > t->capacity)
				return ERR_SPACE;
			t->size = number;
			t->size_known = true;
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
	/* A repeated block is not acknowledged: if the ACK was lost, the timer sends
	 * another, and if it was slow, there would be two of each for ever. */
	if (t->unacknowledged || block != (uint16_t)(t->block + 1))
		return 0;
	if (count > t->capacity - t->length)
		return ERR_SPACE;
	wire_read_bytes(wire, t->data + t->length, count);
	t->length += count;
	t->block = block;
	t->complete = count < t->block_size;
	if (t->complete && t->size_known && t->length != t->size)
		return ERR_TRUNCATED;
	if (t->may_be_forged) {
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

/* Says whether a transfer can begin with this packet; if not, its port is not the server's. */
static bool can_begin(const struct transfer *t, uint16_t opcode, struct wire rest)
{
	if (opcode == TFTP_OACK)
		return t->options;
	return opcode == TFTP_DATA && wire_read_u16(&rest) == 1 &&
	       wire_left(&rest) <= BLOCK_DEFAULT;
}

/*
 * Handles an answer from another port. A port that accepts the options is the server's, if
 * the first one did not. Otherwise one of the two is forged, and since nobody can say which,
 * the transfer begins again. If both always say the same, the network duplicates packets.
 */
static int handle_rival(struct transfer *t, uint16_t opcode, uint32_t beginning)
{
	if (opcode == TFTP_OACK && t->may_be_forged) {
		t->length = t->block = 0;
		t->complete = t->unacknowledged = t->answered = false;
		return 0;
	}
	if (t->requests > 1 || (opcode != TFTP_OACK && !t->may_be_forged) ||
	    (t->last_try && beginning == t->beginning))
		return 0;
	return t->last_try ? ERR_REFUSED : RIVALS;
}

/* Handles one datagram; returns COMPLETE, RIVALS, 0 to go on, or an error. */
static int handle_datagram(struct transfer *t, const struct endpoint *from, const uint8_t *data,
                  size_t length)
{
	struct wire wire = wire_reader(data, length);
	uint16_t opcode = wire_read_u16(&wire);
	int rc;

	if (memcmp(from->address, t->server.address, 4) != 0)
		return 0;
	if (t->answered && from->port != t->server.port) {
		rc = 0;
		if (opcode == TFTP_ERROR || can_begin(t, opcode, wire))
			rc = handle_rival(t, opcode, crc32(data, length));
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
		if (!can_begin(t, opcode, wire))
			return 0;
		if (opcode == TFTP_DATA && t->error && t->requests == 1)
			return t->last_try ? ERR_REFUSED : RIVALS;
		t->answered = true;
		t->server.port = from->port;
		t->beginning = crc32(data, length);
		t->may_be_forged = opcode == TFTP_DATA;
		t->first = t->p->now(t->p);
	}
	if (opcode == TFTP_OACK)
		return take_oack(t, &wire);
	return opcode == TFTP_DATA ? take_data(t, &wire) : 0;
}

/* Accepts a first packet that had no rival for RIVAL_MS, or rests. No datagram waits now. */
static int handle_silence(struct transfer *t)
{
	bool must_wait = t->may_be_forged || !t->answered;

	if ((t->unacknowledged || (t->error && !t->answered)) &&
	    (!must_wait || t->p->now(t->p) - t->first >= RIVAL_MS)) {
		if (t->unacknowledged) {
			t->unacknowledged = t->may_be_forged = false;
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

/* Runs one try; returns what handle_datagram() does. @begun: when the first try began */
static int run_transfer(struct transfer *t, uint32_t begun)
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
		rc = rc ? handle_silence(t) : handle_datagram(t, &from, data, length);
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

/* Chooses a port with all the entropy there is, and another one each time, so that packets
 * of an earlier transfer do not arrive there. */
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
		rc = run_transfer(&t, begun);
		if (rc < 0 && rc != ERR_NOT_FOUND && rc != ERR_REFUSED && t.answered)
			send_error(&t, rc == ERR_SPACE ? TFTP_DISK_FULL : TFTP_OTHER);
		p->udp_close(p);
	}
	*length = t.length;
	return rc == COMPLETE ? 0 : rc;
}
