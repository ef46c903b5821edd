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

#define PXE_PACKET_SIZE 1500 /* bytes of a cached packet that are used at most */

/* The API's entry point. */
struct pxe_api {
	struct segoff entry;
	bool pxenv; /* it is PXENV+'s, of before 2.1: it takes parameters in registers only */
};

/* What is known of the ROM's API. */
struct pxe {
	struct pxe_api api; /* entry is 0:0 after pxe_shut_down() */
	bool nested;        /* what pxe_is_nested() says */
	/* The ROM's own cached packets, by type - 1; empty where it shows none. */
	struct {
		void *data;
		size_t length;
	} own[PXE_PACKET_TYPES];
	/* For ROMs that give away copies only. */
	uint8_t copies[PXE_PACKET_TYPES][PXE_PACKET_SIZE];
};

/* --- pxe_find.c: finding the API, without calling anything but int1a() ------ */

/* Where the ROM may have left the address of its API. */
struct pxe_hints {
	struct segoff stack;   /* what lies at SS:SP+4 on entry */
	struct segoff es_bx;   /* the registers on entry */
	/** Asks INT 1Ah AX=5650h: returns where PXENV+ is, or zeros. */
	struct segoff (*int1a)(void);
	uint32_t scan_start;   /* scans of memory begin here, at the end of base memory, ... */
	uint32_t scan_end;     /* ... and end here */
};

/**
 * Finds the API, trying in turn the !PXE structure on the stack, PXENV+ at ES:BX, INT 1Ah,
 * and scans of memory for !PXE, then PXENV+. Signature, length and checksum are checked of
 * each. A PXENV+ of version 2.1 or later leads to its !PXE, unless that is damaged (PXE 2.1
 * section 3.1).
 * @memory: the first MiB, and some: real-mode addresses end at 10FFEFh
 * @size: bytes that may be read there
 * Returns 0 or ERR_NOT_FOUND.
 */
int pxe_find(const uint8_t *memory, size_t size, const struct pxe_hints *hints,
             struct pxe_api *api);

/**
 * Says whether another !PXE than @api's lies where ROMs keep theirs. Then the program that
 * called us is an NBP itself, as iPXE's undionly.kpxe is, and the API of the ROM below it
 * has been shut down.
 */
bool pxe_is_nested(const uint8_t *memory, size_t size, const struct pxe_hints *hints,
                   const struct pxe_api *api);

#endif
