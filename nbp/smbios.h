/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_SMBIOS_H
#define NBP_SMBIOS_H

#include "nbp/platform.h"
#include "nbp/proto/message.h"

/* System Management BIOS, DMTF DSP0134. */

/* The place of the structure table, by its entry point. */
struct smbios_entry {
	uint64_t address; /* physical */
	uint32_t length;  /* bytes; the maximum if it is a version 3 entry point */
	uint16_t version; /* major << 8 | minor */
};

/**
 * Reads a 32-bit "_SM_" or 64-bit "_SM3_" entry point (DSP0134 5.2.1, 5.2.2)
 * at the start of the @size bytes at @data: signature, length and checksums
 * are checked.
 * Returns 0, ERR_NOT_FOUND (no signature) or ERR_MALFORMED.
 */
int smbios_entry_read(const void *data, size_t size, struct smbios_entry *entry);

/**
 * Walks the structure @table and puts into @request what types 0 to 4 and 17
 * say about BIOS, system, board, chassis, processors and memory (DSP0134 7.1 to
 * 7.5, 7.18). Strings are cleaned. The first of several boards or chassis counts;
 * the numbers of processors and memory modules are added up. Missing values stay as
 * they were; the walk ends at the first damaged structure.
 * @version: of the entry point; it tells the UUID's byte order
 */
void smbios_describe(struct span table, uint16_t version, struct request *request);

#endif
