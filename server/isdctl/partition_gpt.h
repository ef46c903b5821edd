/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_ISDCTL_PARTITION_GPT_H
#define SERVER_ISDCTL_PARTITION_GPT_H

#include <stdbool.h>

#include "server/isdctl/partition.h"

/* What the readers of the two kinds of partition table share. */

/* One question: whose is this range? */
struct question {
	const struct partition_disk *disk;
	uint64_t first, last; /* sectors of the range */
	uint64_t sectors;     /* of the disk */
	char *message;
	size_t size;
	struct gap *gap;      /* receives what is told of the sectors before the range */
};

#define GAP_SECTORS 2048 /* of those from the first on, so many are kept account of */

/* What a disk's first sectors are. */
struct gap {
	bool partitions;               /* the tables have some that are on the disk */
	uint8_t claimed[GAP_SECTORS];  /* 1: by a table or a partition */
};

/** Writes the message; returns @rc. */
int tell(const struct question *q, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Reads @length bytes from sector @lba on. Returns 0, ERR_MALFORMED (behind the end) or
 *  ERR_IO, having said so. */
int question_read(const struct question *q, uint64_t lba, void *buffer, size_t length);

/**
 * Notes that the sectors from @first to @last, both included, belong to a table or a
 * partition. Says whether one of them is in the range.
 */
bool question_claim(const struct question *q, uint64_t first, uint64_t last);

/** The same of a partition. */
bool question_claim_partition(const struct question *q, uint64_t first, uint64_t last);

/**
 * Asks a GPT and its backup (UEFI 2.10 section 5.3). One good one is enough.
 * @announced: the MBR says that there is one
 * Returns as partition_check() does; ERR_NOT_FOUND: there is none.
 */
int question_gpt(const struct question *q, bool announced);

/**
 * Judges what is before the range and belongs to no table and no partition. It must be zeros,
 * or on a disk with partitions GRUB's core image, just where GRUB puts it.
 * @sector: the first 512 bytes of the disk
 * @forcible: receives whether only somebody who knows the disk could tell that it is nobody's:
 *            it has partitions, and shows nothing that would fill a whole disk
 * Returns 0, ERR_REFUSED or ERR_IO.
 */
int question_gap(const struct question *q, const uint8_t *sector, bool *forcible);

#endif
