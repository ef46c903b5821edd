/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BIOS_PXE_FIND_H
#define BIOS_PXE_FIND_H

#include "bios/realmode.h"
#include "nbp/platform.h"

/* Finding the API of a PXE ROM (PXE specification, version 2.1). */

/* The entry point of the API. */
struct pxe_api {
	struct segoff entry;
	bool pxenv; /* of PXENV+, before PXE 2.1, which takes its parameters in registers only */
};

/* Where the ROM may have left the address of its API. */
struct pxe_hints {
	struct segoff stack;   /* what lies at SS:SP+4 on entry */
	struct segoff es_bx;   /* the registers on entry */
	/** Asks INT 1Ah AX=5650h: returns where PXENV+ is, or zeros. */
	struct segoff (*int1a)(void);
	uint32_t scan_start;   /* where scans of memory begin: at the end of base memory */
	uint32_t scan_end;     /* where they end */
};

/**
 * Finds the API, trying in turn the !PXE structure on the stack, PXENV+ at ES:BX, INT 1Ah,
 * and scans of memory for !PXE, then PXENV+. Signature, length and checksum are checked of
 * each. A PXENV+ of version 2.1 or later leads to its !PXE, unless that is damaged (PXE 2.1
 * section 3.1). Nothing of the firmware is called but by hints->int1a().
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
