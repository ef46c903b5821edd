/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BIOS_PXE_H
#define BIOS_PXE_H

#include "bios/realmode.h"
#include "nbp/platform.h"

/* The Preboot Execution Environment specification, version 2.1. */

enum pxe_opcode {
	PXENV_UNDI_CLEANUP = 0x02,
	PXENV_UNDI_SHUTDOWN = 0x05,
	PXENV_UNDI_GET_INFORMATION = 0x0c,
	PXENV_UNDI_GET_NIC_TYPE = 0x12,
	PXENV_STOP_UNDI = 0x15,
	PXENV_UDP_OPEN = 0x30,
	PXENV_UDP_CLOSE = 0x31,
	PXENV_UDP_READ = 0x32,
	PXENV_UDP_WRITE = 0x33,
	PXENV_UNLOAD_STACK = 0x70,
	PXENV_GET_CACHED_INFO = 0x71,
};

enum pxe_packet_type { /* of PXENV_GET_CACHED_INFO */
	PXE_DISCOVER = 1,
	PXE_ACK = 2,
	PXE_REPLY = 3,
};
#define PXE_PACKET_TYPES 3

/* The API's entry point. */
struct pxe_api {
	struct segoff entry;
	bool pxenv; /* PXENV+'s, of before 2.1: parameters in registers only */
};

/* Where the ROM may have left word of its API. */
struct pxe_hints {
	struct segoff stack;   /* what lies at SS:SP+4 on entry */
	struct segoff es_bx;   /* the registers on entry */
	/** Asks INT 1Ah AX=5650h: where PXENV+ is, or zeros. */
	struct segoff (*int1a)(void);
	uint32_t mark;         /* scans begin here ... */
	uint32_t end;          /* ... and end here */
};

/**
 * Finds the API, trying in turn the !PXE structure on the stack, PXENV+ at
 * ES:BX, INT 1Ah, and scans of memory for !PXE, then PXENV+. Signature, length
 * and checksum are checked of each. A PXENV+ of version 2.1 or later leads to
 * its !PXE, unless that is no good (PXE 2.1 section 3.1).
 * @memory: the first MiB, and some: real-mode addresses end at 10FFEFh
 * @size: bytes that may be read there
 * Returns 0 or ERR_NOT_FOUND.
 */
int pxe_find(const uint8_t *memory, size_t size, const struct pxe_hints *hints,
             struct pxe_api *api);

/**
 * Says whether another !PXE than @api's lies where ROMs keep theirs: then what called us
 * is an NBP itself, as iPXE's undionly.kpxe is, and that of the ROM below it is at an end.
 */
bool pxe_is_nested(const uint8_t *memory, size_t size, const struct pxe_hints *hints,
                   const struct pxe_api *api);

#define PXE_PACKET_SIZE 1500 /* the largest cached packet that is of use */

struct pxe {
	struct pxe_api api; /* entry 0:0: shut down */
	bool nested;        /* pxe_is_nested() */
	/* The ROM's own cached packets, by type - 1; empty where it shows none. */
	struct {
		void *data;
		size_t length;
	} own[PXE_PACKET_TYPES];
	/* For ROMs that only give copies away. */
	uint8_t copies[PXE_PACKET_TYPES][PXE_PACKET_SIZE];
};

/**
 * Calls the API on the ROM's stack, with interrupts on.
 * @parameters: begins with the uint16_t Status
 * Returns 0, or ERR_IO when the ROM says that it failed.
 */
int pxe_call(const struct pxe_api *api, uint16_t opcode, void *parameters);

/** Finds the API on this machine. Returns 0 or ERR_NOT_FOUND. */
int pxe_open(struct pxe *pxe, uint32_t mark);

/** Points @packets at the DHCP packets the ROM has kept. */
void pxe_read_packets(struct pxe *pxe, struct dhcp_packets *packets);

/**
 * Has the ROM let go of the network card and of the interrupts it took, for an
 * operating system to come; the UDP socket must be closed. What it can do no
 * more afterwards is everything but to be returned to. A second call does nothing.
 */
void pxe_shut_down(struct pxe *pxe);

/**
 * Says whether a loader that asks for a copy of packet @type would get what now
 * stands in the ROM's own, so whether a change of it has any effect.
 */
bool pxe_packet_kept(struct pxe *pxe, enum pxe_packet_type type);

#endif
