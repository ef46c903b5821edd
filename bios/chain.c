/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/port.h"
#include "nbp/debug.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/tftp.h"

#define MOVER_SIZE 256u /* for realmode_move and its alignment */

/* Returns how many bytes a loader may have. */
static uint32_t loader_capacity(const struct bios *bios)
{
	uint32_t size = memory_loader_end(bios) - memory_loader_start();

	return size > MOVER_SIZE ? size - MOVER_SIZE : 0;
}

int chain_fetch(struct platform *p, const uint8_t server[4], const char *name, bool multicast,
                struct image *image)
{
	struct endpoint from = { .port = TFTP_PORT };

	(void)multicast; /* README.md says what came of it here */
	memcpy(from.address, server, 4);
	image->data = physical(memory_loader_start());
	image->length = 0;
	debug(1, p, "a loader may have %u bytes at %x", loader_capacity(bios_of(p)),
	      memory_loader_start());
	return tftp_fetch(p, &from, name, image->data, loader_capacity(bios_of(p)),
	                  &image->length);
}

/* Puts the options into one of the ROM's packets, and checks that they stay. */
static int set_packet(struct bios *bios, enum pxe_packet_type type, const struct handover *handover)
{
	struct pxe *pxe = &bios->pxe;
	size_t i = type - 1;
	int rc;

	if (!pxe->own[i].data)
		return ERR_NOT_FOUND;
	rc = dhcp_set_handover(pxe->own[i].data, pxe->own[i].length, handover);
	if (rc)
		return rc;
	return pxe_packet_kept(bios, type) ? 0 : ERR_UNSUPPORTED;
}

/* A loader takes options of the boot server's reply over those of the DHCP
 * server's ack, so the ack alone will do only where there is no such reply. */
static int set_packets(struct bios *bios, const struct handover *handover)
{
	int reply = set_packet(bios, PXE_REPLY, handover);
	int ack = set_packet(bios, PXE_ACK, handover);

	debug(1, &bios->platform, "options into the reply: %d, into the ack: %d", reply, ack);
	if (reply == 0 || (reply != ERR_NOT_FOUND && reply != ERR_MALFORMED))
		return reply;
	return ack;
}

int chain_prepare(struct platform *p, const struct image *image, const struct handover *handover)
{
	struct bios *bios = bios_of(p);

	if (image->length == 0 || (uint32_t)image->data != memory_loader_start() ||
	    image->length > loader_capacity(bios))
		return ERR_SPACE;
	return set_packets(bios, handover);
}

int chain_start(struct platform *p, const struct image *image, const struct handover *handover)
{
	struct bios *bios = bios_of(p);
	uint32_t start = (uint32_t)image->data;
	uint32_t mover = (start + image->length + 15) & ~15u;
	struct realmode r = {
		.ds = (uint16_t)(start >> 4),
		.es = (uint32_t)load_address >> 4,
		.ebx = (image->length + 15) >> 4,
		.edx = realmode_esp,
		.eflags = EFLAGS_NO_INTERRUPTS,
		.entry = segoff(physical(mover)),
	};

	(void)handover; /* the ROM's packets have it */
	local_leave(bios);
	memcpy(physical(mover), realmode_move, (size_t)(realmode_move_end - realmode_move));
	realmode_call(&r);
	return ERR_IO; /* not reached */
}
