/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_ISDCTL_PARTITION_GAP_H
#define SERVER_ISDCTL_PARTITION_GAP_H

#include "server/isdctl/partition_disk.h"

/* The gap: what lies before the first partition and in no table, the place of boot loaders. */

#define GAP_SECTORS 2048 /* so many of the disk's first sectors can be marked as known */

struct partition_gap {
	const struct partition_disk *disk;
	uint64_t end;              /* the gap ends before this byte; a sector begins there */
	bool partitions;           /* the disk has some */
	uint8_t known[GAP_SECTORS]; /* 1: a table or a partition has the sector */
	struct partition_answer *answer; /* receives message and "forcible" */
};

/**
 * Checks that the sectors of the gap that are not known are zeros or, on a disk with partitions,
 * GRUB's core image where GRUB puts it. Marks the sectors of that as known.
 * @sector: the first 512 bytes of the disk
 * Returns 0, ERR_REFUSED or ERR_IO.
 */
int partition_gap_check(struct partition_gap *gap, const uint8_t *sector);

#endif
