/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_ISDCTL_ISD_DISK_H
#define SERVER_ISDCTL_ISD_DISK_H

#include "nbp/proto/isd.h"

/* Image-safe data on a disk: both copies, and how they are written. */

/* Functions that access the disk. They return 0 or ERR_IO. */
struct isd_disk {
	int (*read)(void *context, uint64_t offset, void *buffer, size_t length);
	int (*write)(void *context, uint64_t offset, const void *data, size_t length);
	/** Returns once all that was written is on the disk. */
	int (*sync)(void *context);
	void *context;
};

/* What a disk has in the place of image-safe data. */
struct isd_place {
	uint8_t copies[ISD_COPIES][ISD_COPY_SIZE];
	int state[ISD_COPIES]; /* isd_decode()'s result for each */
	int current;           /* the current copy; -1: none */
	struct isd isd;        /* the current copy's data */
};

/** Reads both copies. Returns 0 or ERR_IO. */
int isd_disk_read(const struct isd_disk *disk, struct isd_place *place);

/** Returns whether the place has data that are not image-safe data. */
bool isd_disk_foreign(const struct isd_place *place);

/**
 * Writes @isd with the next sequence number, which it sets. The copy that is not
 * current is written first, and the other one only once that is on the disk. So
 * the disk has the old data or the new at any time.
 * @old: a copy whose unknown fields are carried over; NULL: none
 * Returns 0, ERR_IO, or what isd_encode() does, in which case nothing is written.
 */
int isd_disk_write(const struct isd_disk *disk, const struct isd_place *place, struct isd *isd,
                   const uint8_t *old);

/** Overwrites both copies with zeros, in the same order. Returns 0 or ERR_IO. */
int isd_disk_clear(const struct isd_disk *disk, const struct isd_place *place);

#endif
