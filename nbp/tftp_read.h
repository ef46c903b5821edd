/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_TFTP_READ_H
#define NBP_TFTP_READ_H

#include "nbp/platform.h"

#define TFTP_HEADER    4
#define TFTP_BLOCK_MAX 1432 /* bytes; fits an Ethernet frame, also inside a tunnel */

/* A file on its way. The caller zeroes it, and sets what is marked so. */
struct tftp_reading {
	struct platform *p;     /* set by the caller, as are join, server.address and capacity */
	/* Has udp_receive() return what is sent to @port of @group, too. Returns 0 or an error. */
	int (*join)(struct platform *p, const uint8_t group[4], uint16_t port);
	struct endpoint server; /* port 69 until the server has chosen its own */
	bool joined;            /* blocks come to a group */
	bool master;            /* this client acknowledges blocks; false: it only listens */
	uint16_t missing;       /* the first block that has not come; 0: all 65,535 have */
	uint16_t newest;        /* the block that came last, be it a new one or not; 0: none */
	uint16_t last;          /* the file's last block; 0: not known */
	uint32_t progress;      /* when another block than the one before came, ms */
	uint32_t resent;        /* when the last packet was sent, ms */
	uint32_t block_size, capacity;
	uint32_t length;        /* of the file, once its last block has come */
	uint32_t sent_length;   /* of the last packet; 0: it is not sent again */
	uint8_t sent[512];      /* a request's name has less than 256 bytes */
	uint8_t packet[TFTP_HEADER + TFTP_BLOCK_MAX + TFTP_HEADER]; /* what came, then zeros */
	bool have[UINT16_MAX + 1]; /* the blocks that have come */
	_Alignas(8) uint8_t data[]; /* capacity bytes */
};

/**
 * Reads the file @name of less than 256 bytes into @reading->data: with @multicast by multicast
 * (RFC 2090) if the server agrees, else by unicast (RFC 1350, RFC 2348), over the platform's UDP
 * socket, which is opened at @local_port and closed again. It takes at most a minute, and
 * TFTP_SILENCE_MS without another block.
 * Sets @reading->length, bytes.
 * Returns 0, ERR_NOT_FOUND or ERR_REFUSED (by the server), ERR_SPACE (the file has more than
 * capacity bytes), ERR_TIMEOUT, ERR_MALFORMED (an answer that breaks the rules), or what udp_open()
 * or join() returned.
 */
int tftp_read(struct tftp_reading *reading, const char *name, bool multicast, uint16_t local_port);

#endif
