/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/port.h"
#include "nbp/debug.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

#define STATUS_FAILURE 1

#define REALMODE_END 0x10fff0u /* the end of what real-mode addresses reach */
#define BASE_MEMORY_END 0xa0000u

/* The parameters of PXENV_GET_CACHED_INFO. */
struct get_cached_info {
	uint16_t status;
	uint16_t type;
	uint16_t buffer_size;
	struct segoff buffer;
	uint16_t buffer_limit;
} __attribute__((packed));

static const char *call_name(uint16_t opcode)
{
	switch (opcode) {
	case PXENV_UNDI_CLEANUP:
		return "UNDI_CLEANUP";
	case PXENV_UNDI_SHUTDOWN:
		return "UNDI_SHUTDOWN";
	case PXENV_UNDI_GET_INFORMATION:
		return "UNDI_GET_INFORMATION";
	case PXENV_UNDI_GET_NIC_TYPE:
		return "UNDI_GET_NIC_TYPE";
	case PXENV_STOP_UNDI:
		return "STOP_UNDI";
	case PXENV_UDP_OPEN:
		return "UDP_OPEN";
	case PXENV_UDP_CLOSE:
		return "UDP_CLOSE";
	case PXENV_UDP_READ:
		return "UDP_READ";
	case PXENV_UDP_WRITE:
		return "UDP_WRITE";
	case PXENV_UNLOAD_STACK:
		return "UNLOAD_STACK";
	case PXENV_GET_CACHED_INFO:
		return "GET_CACHED_INFO";
	default:
		return "?";
	}
}

/* A UDP_READ that finds no datagram fails, thousands of times a boot: level 2 shows those too. */
static void trace_call(struct bios *bios, uint16_t opcode, uint16_t ax, uint16_t status)
{
	if (DEBUG_LEVEL >= 2 || opcode != PXENV_UDP_READ || status == 0)
		debug(1, &bios->platform, "%s: AX %x, status %x", call_name(opcode),
		      (uint32_t)ax, (uint32_t)status);
}

int pxe_call(struct bios *bios, uint16_t opcode, void *parameters)
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
		.entry = bios->pxe.api.entry,
	};

	/* Not every ROM sets the status of a call that it does not know. */
	*status = STATUS_FAILURE;
	realmode_call(&r);
	trace_call(bios, opcode, (uint16_t)r.eax, *status);
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

int pxe_open(struct bios *bios)
{
	struct pxe *pxe = &bios->pxe;
	const struct entry_stack *entry = entry_stack();
	struct pxe_hints hints = {
		.stack = entry->pxe,
		.es_bx = { .offset = (uint16_t)entry->ebx, .segment = entry->es },
		.int1a = ask_int1a,
		.scan_start = bios->base_end,
		.scan_end = BASE_MEMORY_END,
	};
	int rc = pxe_find(physical(0), REALMODE_END, &hints, &pxe->api);

	if (rc)
		return rc;
	pxe->nested = pxe_is_nested(physical(0), REALMODE_END, &hints, &pxe->api);
	debug(1, &bios->platform, "%s at %04x:%04x%s", pxe->api.pxenv ? "PXENV+" : "!PXE",
	      (uint32_t)pxe->api.entry.segment, (uint32_t)pxe->api.entry.offset,
	      pxe->nested ? ", an NBP's own" : "");
	return 0;
}

/* Has the ROM show packet @type in its own memory if @size is 0, else copy it to @buffer. */
static int get_packet(struct bios *bios, uint16_t type, void *buffer, size_t size,
                      struct get_cached_info *info)
{
	int rc;

	memset(info, 0, sizeof(*info));
	info->type = type;
	info->buffer_size = (uint16_t)size;
	info->buffer_limit = (uint16_t)size;
	if (size)
		info->buffer = segoff(buffer);
	rc = pxe_call(bios, PXENV_GET_CACHED_INFO, info);
	if (rc)
		return rc;
	return info->buffer_size == 0 || (size && info->buffer_size > size) ? ERR_NOT_FOUND : 0;
}

static void read_packet(struct bios *bios, enum pxe_packet_type type, struct span *packet)
{
	struct pxe *pxe = &bios->pxe;
	size_t i = type - 1;
	struct get_cached_info info;
	uint32_t at;

	if (get_packet(bios, type, NULL, 0, &info) == 0) {
		at = linear(info.buffer);
		if (at != 0 && at + info.buffer_size <= REALMODE_END) {
			/* A length that no packet can have is not believed: what
			 * lies after the packet is the ROM's. */
			if (info.buffer_size > PXE_PACKET_SIZE)
				info.buffer_size = PXE_PACKET_SIZE;
			pxe->own[i].data = physical(at);
			pxe->own[i].length = info.buffer_size;
			*packet = (struct span){ physical(at), info.buffer_size };
			return;
		}
	}
	if (get_packet(bios, type, pxe->copies[i], PXE_PACKET_SIZE, &info) == 0)
		*packet = (struct span){ pxe->copies[i], info.buffer_size };
}

void pxe_read_packets(struct bios *bios)
{
	struct dhcp_packets *packets = &bios->platform.machine.dhcp;

	read_packet(bios, PXE_DISCOVER, &packets->discover);
	read_packet(bios, PXE_ACK, &packets->ack);
	read_packet(bios, PXE_REPLY, &packets->reply);
}

bool pxe_packet_kept(struct bios *bios, enum pxe_packet_type type)
{
	struct pxe *pxe = &bios->pxe;
	size_t i = type - 1;
	struct get_cached_info info;

	return get_packet(bios, type, pxe->copies[i], PXE_PACKET_SIZE, &info) == 0 &&
	       info.buffer_size <= pxe->own[i].length &&
	       memcmp(pxe->copies[i], pxe->own[i].data, info.buffer_size) == 0;
}

void pxe_shut_down(struct bios *bios)
{
	struct pxe *pxe = &bios->pxe;
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
		pxe_call(bios, opcodes[i], parameters);
	}
	/* The base memory that the ROM is in stays its own: a return to the ROM
	 * needs it, and an operating system can spare it. */
	pxe->api.entry = (struct segoff){ 0 };
}
