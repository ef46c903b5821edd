/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_TFTP_READER_H
#define TESTS_UNIT_TFTP_READER_H

#include "nbp/tftp_read.h"
#include "tests/unit/fake.h"

/* A client of tftp_read() on the platform of fake.c, and the server at 10.0.0.1 that it asks. */

#define PORT     2000  /* the server's */
#define CAPACITY 50000 /* bytes, for most files */

struct reader {
	struct fake fake; /* first: its functions cast back */
	struct tftp_reading *reading;
	uint32_t ms;      /* when the server sends next, a millisecond later each time */
	uint32_t size;    /* of a block, as the server sees it */
	bool alone;       /* no hostile datagrams come between */
	bool known;       /* the server has sent something, so that its port counts */
	unsigned int joins;
	int join_result;
	uint8_t group[4];
	uint16_t group_port;
	char sent[512];   /* what the client sent, as reader_expect() has it */
	/* A server that answers: */
	size_t file;      /* its size */
	const char *oack; /* its text; NULL: the server knows no options */
	size_t oack_length;
	unsigned int acks;
};

/** Makes a client for files of @capacity bytes. reader_free() looks at the bytes after. */
struct reader *reader_new(uint32_t capacity);
void reader_free(struct reader *t);

/** Has a datagram come from 10.0.0.@host. */
void reader_come(struct reader *t, uint8_t host, uint16_t port, const void *data, size_t length);

/**
 * Has the server send @data, and before it what must not be taken for it: the same datagram with
 * other bytes, and an error, from another host and, once the port is known, from another port;
 * and datagrams that are cut, or no answer.
 */
void reader_say(struct reader *t, const uint8_t *data, size_t length);

/** Has the server agree to options. */
void reader_oack(struct reader *t, const char *text, size_t length);
#define OACK(text) reader_oack(t, text, sizeof(text) - 1)

/** Has the server send @count bytes as block @number, those that a file has there. */
void reader_block(struct reader *t, size_t number, size_t count);
void reader_error(struct reader *t, uint8_t code);

/** For fake.server: serves a file of t->file bytes by unicast. */
void reader_serve(struct fake *fake, const struct fake_datagram *question);

/** Reads the file and lists in t->sent what was sent for it. Returns as tftp_read() does. */
int reader_read(struct reader *t);

/** Reads the file, and requires what tftp_read() returns and all that is sent: " R A1 E". */
void reader_expect(struct reader *t, int rc, const char *sent);

/** The same for a file of @length bytes that comes whole; frees @t. */
void reader_expect_file(struct reader *t, size_t length, const char *sent);
void reader_list_sent(struct reader *t);

/** Returns the byte at @at of any file. */
uint8_t reader_content(size_t at);

#endif
