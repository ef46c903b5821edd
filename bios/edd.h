/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BIOS_EDD_H
#define BIOS_EDD_H

#include "nbp/platform.h"

/*
 * What INT 13h's Enhanced Disk Drive services say of a disk: T13/1572D, BIOS
 * EDD-3, section 8.22 (function 48h).
 */

#define EDD_SIZE 0x4a /* the largest there is, with EDD-3's device path of 16 bytes */

/**
 * Reads the parameters that function 48h left at @data.
 * @data: EDD_SIZE bytes, all zeros but for what the BIOS wrote
 * @disk: receives sectors, sector size and kind
 * @removable: receives whether the medium can be taken out
 * Returns 0, or ERR_MALFORMED if the size is none that a disk can have.
 */
int edd_read(const void *data, struct disk *disk, bool *removable);

/* A disk's geometry, for what is older than EDD. */
struct geometry {
	uint16_t cylinders, heads;
	uint8_t sectors; /* a track */
};

/**
 * Reads the geometry as function 08h gives it in @cx and @dx.
 * Returns 0, or ERR_MALFORMED if there are no sectors on a track.
 */
int geometry_read(uint16_t cx, uint16_t dx, struct geometry *geometry);

/**
 * Turns @lba into what function 02h wants in @cx and the high byte of @dx.
 * Returns 0, or ERR_NOT_FOUND: it is beyond the last cylinder.
 */
int geometry_locate(const struct geometry *geometry, uint64_t lba, uint16_t *cx, uint16_t *dx);

#endif
