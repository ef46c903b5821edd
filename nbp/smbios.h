/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_SMBIOS_H
#define NBP_SMBIOS_H

#include "platform.h"

/* System Management BIOS, DMTF DSP0134. */

/* Where an entry point says the structure table is. */
struct smbios_entry {
	uint64_t address; /* physical */
	uint32_t length;  /* bytes; the most it can be for version 3 */
	uint16_t version; /* major << 8 | minor */
};

/**
 * Reads a 32-bit "_SM_" or 64-bit "_SM3_" entry point (DSP0134 5.2.1, 5.2.2)
 * at the start of the @size bytes at @data: signature, length and checksums
 * are checked.
 * Returns 0, ERR_NOT_FOUND (no signature) or ERR_MALFORMED.
 */
int smbios_entry_read(const void *data, size_t size, struct smbios_entry *entry);

/* What SMBIOS type 1, System Information, says. Strings are cleaned. */
struct smbios_system {
	char manufacturer[64];
	char product[64];
	char serial[64];
	uint8_t uuid[16]; /* in the order it is printed; zeros: none set */
};

/**
 * Walks the structure @table for type 1 (DSP0134 7.2). Fields that are missing
 * stay empty; a table cut short or looping ends the walk.
 * Returns 0, or ERR_NOT_FOUND if there is no whole structure of type 1.
 */
int smbios_system_read(struct span table, uint16_t version, struct smbios_system *system);

#endif
