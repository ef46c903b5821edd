/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/port.h"
#include "nbp/debug.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

/* UDP by the PXE API: the parameters of PXENV_UDP_OPEN and the others (PXE 2.1 section 3.4). */

struct udp_open {
	uint16_t status;
	uint8_t address[4];
} __attribute__((packed));

struct udp_close {
	uint16_t status;
} __attribute__((packed));

struct udp_read {
	uint16_t status;
	uint8_t from[4], to[4];
	uint16_t from_port, to_port; /* network byte order */
	uint16_t size;
	struct segoff buffer;
} __attribute__((packed));

struct udp_write {
	uint16_t status;
	uint8_t to[4], gateway[4];
	uint16_t from_port, to_port; /* network byte order */
	uint16_t size;
	struct segoff buffer;
} __attribute__((packed));

static uint16_t swap16(uint16_t value)
{
	return (uint16_t)(value << 8 | value >> 8);
}

int udp_open(struct platform *p, uint16_t local_port)
{
	struct bios *bios = bios_of(p);
	struct udp_open call;
	int rc;

	memcpy(call.address, bios->lease.address, 4);
	rc = pxe_call(bios, PXENV_UDP_OPEN, &call);
	if (rc) { /* the ROM may have left its own socket open */
		udp_close(p);
		rc = pxe_call(bios, PXENV_UDP_OPEN, &call);
	}
	bios->local_port = rc ? 0 : local_port;
	return rc;
}

/* ROMs do no routing of their own: they send to the gateway that the call names. */
static void choose_gateway(const struct dhcp_lease *lease, const uint8_t to[4], uint8_t gateway[4])
{
	uint8_t difference = 0;

	for (size_t i = 0; i < 4; i++)
		difference |= (lease->address[i] ^ to[i]) & lease->netmask[i];
	if (difference)
		memcpy(gateway, lease->router, 4);
	else
		memset(gateway, 0, 4);
}

int udp_send(struct platform *p, const struct endpoint *to, const void *data, size_t length)
{
	struct bios *bios = bios_of(p);
	struct udp_write call = {
		.from_port = swap16(bios->local_port),
		.to_port = swap16(to->port),
		.size = (uint16_t)length,
		.buffer = segoff(data),
	};
	int rc;

	memcpy(call.to, to->address, 4);
	choose_gateway(&bios->lease, to->address, call.gateway);
	rc = pxe_call(bios, PXENV_UDP_WRITE, &call);
	debug(2, p, "%u bytes to %pI4:%u by %pI4: status %x", (uint32_t)length, call.to,
	      (uint32_t)to->port, call.gateway, (uint32_t)call.status);
	return rc;
}

int udp_receive(struct platform *p, struct endpoint *from, void *buffer, size_t capacity,
                size_t *length)
{
	struct bios *bios = bios_of(p);
	/* The buffer is large enough for any datagram: iPXE cuts a longer one, silently. */
	struct udp_read call = {
		.to_port = swap16(bios->local_port),
		.size = sizeof(bios->datagram),
		.buffer = segoff(bios->datagram),
	};

	memcpy(call.to, bios->lease.address, 4);
	/* The ROM reports as a failure that no datagram, or one for somebody else, was there. */
	if (pxe_call(bios, PXENV_UDP_READ, &call) != 0 || call.size > capacity ||
	    call.size > sizeof(bios->datagram))
		return ERR_AGAIN;
	memcpy(from->address, call.from, 4);
	from->port = swap16(call.from_port);
	memcpy(buffer, bios->datagram, call.size);
	*length = call.size;
	debug(2, p, "%u bytes from %pI4:%u", (uint32_t)call.size, call.from, (uint32_t)from->port);
	return 0;
}

void udp_close(struct platform *p)
{
	struct bios *bios = bios_of(p);
	struct udp_close call;

	pxe_call(bios, PXENV_UDP_CLOSE, &call);
	bios->local_port = 0;
}
