/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/pxe.h"

#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

#define STATUS_FAILURE 1

/* Real-mode addresses reach this far. */
#define REALMODE_END 0x10fff0u
#define BASE_MEMORY_END 0xa0000u

struct get_cached_info { /* of PXENV_GET_CACHED_INFO */
	uint16_t status;
	uint16_t type;
	uint16_t buffer_size;
	struct segoff buffer;
	uint16_t buffer_limit;
} __attribute__((packed));

int pxe_call(const struct pxe_api *api, uint16_t opcode, void *parameters)
{
	struct segoff at = segoff(parameters);
	uint16_t *status = parameters;
	/* !PXE takes its parameters from the stack, PXENV+ from registers; a
	 * ROM finds both, whichever it is. */
	struct realmode r = {
		.ebx = opcode,
		.edi = at.offset,
		.es = at.segment,
		.arguments = { opcode, at.offset, at.segment },
		.eflags = EFLAGS_INTERRUPTS,
		.entry = api->entry,
	};

	/* Not every ROM sets the status of a call that it does not know. */
	*status = STATUS_FAILURE;
	realmode_call(&r);
	return (uint16_t)r.eax == 0 && *status == 0 ? 0 : ERR_IO;
}

static struct segoff ask_int1a(void)
{
	struct realmode r = { .eax = 0x5650 };

	realmode_interrupt(0x1a, &r);
	if ((r.eflags & EFLAGS_CF) || (uint16_t)r.eax != 0x564e)
		return (struct segoff){ 0 };
	return (struct segoff){ .offset = (uint16_t)r.ebx, .segment = r.es };
}

int pxe_open(struct pxe *pxe, uint32_t mark)
{
	const struct entry_stack *entry = entry_stack();
	struct pxe_hints hints = {
		.stack = entry->pxe,
		.es_bx = { .offset = (uint16_t)entry->ebx, .segment = entry->es },
		.int1a = ask_int1a,
		.mark = mark,
		.end = BASE_MEMORY_END,
	};
	int rc = pxe_find(physical(0), REALMODE_END, &hints, &pxe->api);

	pxe->nested = rc == 0 && pxe_is_nested(physical(0), REALMODE_END, &hints, &pxe->api);
	return rc;
}

/* Fetches packet @type: shown in the ROM's memory if @size is 0, else copied. */
static int get_packet(const struct pxe_api *api, uint16_t type, void *buffer, size_t size,
                      struct get_cached_info *info)
{
	int rc;

	memset(info, 0, sizeof(*info));
	info->type = type;
	info->buffer_size = (uint16_t)size;
	info->buffer_limit = (uint16_t)size;
	if (size)
		info->buffer = segoff(buffer);
	rc = pxe_call(api, PXENV_GET_CACHED_INFO, info);
	if (rc)
		return rc;
	return info->buffer_size == 0 || (size && info->buffer_size > size) ? ERR_NOT_FOUND : 0;
}

static void read_packet(struct pxe *pxe, enum pxe_packet_type type, struct span *packet)
{
	size_t i = type - 1;
	struct get_cached_info info;
	uint32_t at;

	if (get_packet(&pxe->api, type, NULL, 0, &info) == 0) {
		at = linear(info.buffer);
		if (at != 0 && at + info.buffer_size <= REALMODE_END) {
			/* Who claims more than a packet can have is not believed:
			 * what lies behind it is the ROM's. */
			if (info.buffer_size > PXE_PACKET_SIZE)
				info.buffer_size = PXE_PACKET_SIZE;
			pxe->own[i].data = physical(at);
			pxe->own[i].length = info.buffer_size;
			*packet = (struct span){ physical(at), info.buffer_size };
			return;
		}
	}
	if (get_packet(&pxe->api, type, pxe->copies[i], PXE_PACKET_SIZE, &info) == 0)
		*packet = (struct span){ pxe->copies[i], info.buffer_size };
}

void pxe_read_packets(struct pxe *pxe, struct dhcp_packets *packets)
{
	read_packet(pxe, PXE_DISCOVER, &packets->discover);
	read_packet(pxe, PXE_ACK, &packets->ack);
	read_packet(pxe, PXE_REPLY, &packets->reply);
}

bool pxe_packet_kept(struct pxe *pxe, enum pxe_packet_type type)
{
	size_t i = type - 1;
	struct get_cached_info info;

	return get_packet(&pxe->api, type, pxe->copies[i], PXE_PACKET_SIZE, &info) == 0 &&
	       info.buffer_size <= pxe->own[i].length &&
	       memcmp(pxe->copies[i], pxe->own[i].data, info.buffer_size) == 0;
}

void pxe_shut_down(struct pxe *pxe)
{
	/* As PXELINUX does it; a ROM from before PXE 2.1 has no STOP_UNDI. */
	const uint16_t opcodes[] = {
		PXENV_UNDI_SHUTDOWN, PXENV_UNLOAD_STACK,
		pxe->api.pxenv ? PXENV_UNDI_CLEANUP : PXENV_STOP_UNDI,
	};
	uint16_t parameters[8];

	if (linear(pxe->api.entry) == 0)
		return;
	for (size_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++) {
		memset(parameters, 0, sizeof(parameters));
		pxe_call(&pxe->api, opcodes[i], parameters);
	}
	/* The base memory that the ROM is in stays its own: who returns to it
	 * needs it, and an operating system can spare it. */
	pxe->api.entry = (struct segoff){ 0 };
}
