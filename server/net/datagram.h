/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_NET_DATAGRAM_H
#define SERVER_NET_DATAGRAM_H

#include <stdbool.h>

#include "nbp/proto/message.h"
#include "server/net/address.h"

#define BATCH 128              /* datagrams that are taken at once */
#define DATAGRAM_CONTROL 40   /* room for one struct in6_pktinfo as a control message */

/* The time, as a batch takes it. */
struct timestamp {
	int64_t now;       /* Unix time, s */
	uint32_t now_ms;   /* the millisecond of that second */
	int64_t monotonic; /* ns */
};

/* A question and its answer. */
struct datagram {
	/* in: */
	int socket;
	union address from;
	uint8_t control[DATAGRAM_CONTROL] __attribute__((aligned(8))); /* what to send with it */
	uint16_t control_length;
	uint16_t length;
	uint8_t data[MESSAGE_MAX + 1]; /* one more, to see what is too large */
	int64_t arrived;          /* monotonic, ns */
	bool may_admit;           /* its sender may become a device now, if it is none yet */
	/* out: */
	uint16_t reply_length;    /* 0: no answer */
	uint8_t reply[MESSAGE_MAX];
};

#endif
