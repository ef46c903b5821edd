/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BIOS_INT13_H
#define BIOS_INT13_H

#include "nbp/platform.h"

/*
 * What INT 13h says of a disk: by its Enhanced Disk Drive services (T13/1572D, BIOS EDD-3,
 * section 8.22, function 48h), or as a geometry. No firmware is called here.
 */

#define EDD_SIZE 0x4a /* bytes: the largest version's, EDD-3 with a device path of 16 bytes */

/**
 * Reads the parameters that function 48h left at @data.
 * @data: EDD_SIZE bytes, zeros where the BIOS wrote nothing
 * @disk: receives number and size of sectors, and kind
 * @removable: receives whether the medium can be taken out
 * Returns 0, or ERR_MALFORMED if no disk can have this size.
 */
int int13_read_edd(const void *data, struct disk *disk, bool *removable);

/* The geometry of a disk whose BIOS has no EDD. */
struct geometry {
	uint16_t cylinders, heads;
	uint8_t sectors; /* per track */
};

/**
 * Reads the geometry as function 08h gives it in @cx and @dx.
 * Returns 0, or ERR_MALFORMED if there are no sectors on a track.
 */
int int13_read_geometry(uint16_t cx, uint16_t dx, struct geometry *geometry);

/**
 * Turns @lba into what function 02h wants in @cx and the high byte of @dx.
 * Returns 0, or ERR_NOT_FOUND if it is past the last cylinder.
 */
int int13_locate(const struct geometry *geometry, uint64_t lba, uint16_t *cx, uint16_t *dx);

#endif
