/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_DHCP_PACKET_H
#define TESTS_UNIT_DHCP_PACKET_H

#include "tests/unit/unit.h"

#include "nbp/dhcp.h"

/* DHCP packets for tests of what reads and changes them. */

#define PACKET 548

static const uint8_t cookie[4] = { 0x63, 0x82, 0x53, 0x63 };

/* Makes a BOOTP packet of PACKET bytes whose options field begins with @options. */
static inline void make_packet(uint8_t packet[PACKET], const uint8_t *options, size_t length)
{
	memset(packet, 0, PACKET);
	packet[0] = 2;
	memcpy(packet + 236, cookie, sizeof(cookie));
	memcpy(packet + 240, options, length);
}

static const uint8_t ack_options[] = {
	53, 1, 5, 1, 4, 255, 255, 255, 0, 3, 4, 10, 0, 0, 254, 54, 4, 10, 0, 0, 1, 255,
};

static inline void make_ack(uint8_t packet[PACKET])
{
	make_packet(packet, ack_options, sizeof(ack_options));
	memcpy(packet + 16, (uint8_t[]){ 10, 0, 0, 9 }, 4);
	memcpy(packet + 20, (uint8_t[]){ 10, 0, 0, 2 }, 4);
	strcpy((char *)packet + 108, "boot/nvlnbp.sys");
}

static inline struct dhcp_packets packets_of(uint8_t *ack, uint8_t *reply)
{
	return (struct dhcp_packets){ .ack = { ack, ack ? PACKET : 0 },
		                      .reply = { reply, reply ? PACKET : 0 } };
}

static inline void assert_address(const uint8_t got[4], uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	const uint8_t wanted[4] = { a, b, c, d };

	assert_memory_equal(got, wanted, 4);
}

#endif
