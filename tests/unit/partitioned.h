/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_PARTITIONED_H
#define TESTS_UNIT_PARTITIONED_H

#include "server/isdctl/partition.h"

/* Partition tables on a disk in memory: is the place of image-safe data free? */

#define DISK_SIZE (4 << 20)

struct bench {
	uint8_t bytes[DISK_SIZE];
	struct partition_disk disk;
	unsigned int reads;
	bool forcible; /* the last answer's */
};

/** Returns the disk, all zeros. */
struct bench *partitioned_fresh(uint32_t sector_size);
/** Asks whether the place is free; prints why it is not. */
int partitioned_check(struct bench *bench);
/** Writes @value in @size bytes, the least significant first. */
void partitioned_put(uint8_t *at, uint64_t value, size_t size);
/** Writes entry @i of the table in @sector of 512-byte or larger sectors. */
void put_entry(struct bench *bench, uint64_t sector, int i, uint8_t type, uint32_t start,
               uint32_t count);

#endif
