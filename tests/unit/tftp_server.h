/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_TFTP_SERVER_H
#define TESTS_UNIT_TFTP_SERVER_H

#include "nbp/platform.h"

/* A TFTP server, the network to it, and a clock that moves while the client rests. */

#define QUEUE 64
#define FILE_MAX 100000

struct net {
	struct platform platform; /* first: the operations cast back */
	uint32_t clock;
	bool open;
	uint16_t local_port;
	unsigned int opened, requests, sent, errors;
	/* how the server is: */
	size_t size;              /* of its file; ~0: never ends */
	bool options;             /* knows of them */
	bool refuses_options;     /* with error 8 */
	const char *oack;         /* sends these bytes for an OACK */
	size_t oack_length;
	int error;                /* it answers with, or -1 */
	uint16_t silent_from;     /* block; 0: never */
	unsigned int twice;       /* sends all data so many times more */
	unsigned int lose;        /* one in so many packets is lost, either way; 0: none */
	uint32_t delay;           /* ms, of each answer */
	bool unknowns;           /* others send too, and first */
	bool network_repeats;     /* each request comes twice, so two ports answer it */
	/** Sends, before the server does, what may look like its answer to a request. */
	void (*twin)(struct net *net);
	unsigned int hits;        /* to so many requests */
	/** Sends whatever it likes, whenever the client looks for something. */
	void (*crowd)(struct net *net);
	uint32_t random;          /* what @crowd throws dice with */
	unsigned int spoofs;      /* how often it still may send in the server's name */
	size_t agreed;            /* the block size, where options are known */
	/* its transfer: */
	size_t block_size;
	uint16_t port;
	size_t block;             /* sent last, counted on where its number goes round */
	unsigned int count;       /* of packets, for lose */
	struct {
		uint32_t at;
		uint16_t port;
		uint8_t address;
		uint8_t data[2000];
		size_t length;
	} queue[QUEUE];
	size_t queued;
	uint8_t buffer[FILE_MAX];
	size_t length;
};

extern const struct endpoint server_69;

/** Makes one of a file of @size bytes, to be freed. */
struct net *net_new(size_t size);
/** Fetches that file into its buffer, of @capacity bytes. Returns as tftp_fetch() does. */
int net_fetch(struct net *net, size_t capacity);
/** Has a datagram come from 10.0.0.@address. */
void net_answer(struct net *net, uint8_t address, uint16_t port, const void *data, size_t length);
/** Sends a block of the file, the first is 1. */
void net_send_block(struct net *net, size_t block);
/** Returns the byte at @at of any file. */
uint8_t content(size_t at);

#endif
