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
	/* the server: */
	size_t size;              /* of its file; ~0: it never ends */
	bool options;             /* it knows options */
	bool refuses_options;     /* it refuses options with error 8 */
	const char *oack;         /* the bytes it sends as an OACK */
	size_t oack_length;
	int error;                /* the error it answers with, or -1 */
	uint16_t silent_from;     /* the block after which it is silent; 0: never */
	unsigned int twice;       /* how often it repeats all data */
	unsigned int lose;        /* one in so many packets is lost, in both directions; 0: none */
	uint32_t delay;           /* of each answer, ms */
	bool unknowns;           /* other hosts send, too, and first */
	bool network_repeats;     /* each request comes twice, so two ports answer it */
	/** Sends what may look like the server's answer to a request, before the server does. */
	void (*twin)(struct net *net);
	unsigned int hits;        /* the number of requests for which it does */
	/** Sends anything, whenever the client receives. */
	void (*crowd)(struct net *net);
	uint32_t random;          /* the state of @crowd's random numbers */
	unsigned int spoofs;      /* how often it may still send in the server's name */
	size_t agreed;            /* the block size, if the server knows options */
	/* its transfer: */
	size_t block_size;
	uint16_t port;
	size_t block;             /* the last block sent, not wrapped at 65,536 */
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

/** Makes a server of a file of @size bytes; the caller frees it. */
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
