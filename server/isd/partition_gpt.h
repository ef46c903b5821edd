/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_PARTITION_GPT_H
#define SERVER_PARTITION_GPT_H

#include <stdbool.h>

#include "partition.h"

/* What the readers of the two kinds of partition table share. */

/* One question: whose is this range? */
struct question {
	const struct partition_disk *disk;
	uint64_t first, last; /* sectors of the range */
	uint64_t sectors;     /* of the disk */
	char *message;
	size_t size;
};

/** Writes the message; returns @rc. */
int tell(const struct question *q, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Reads @length bytes from sector @lba on. Returns 0, ERR_MALFORMED (behind the end) or
 *  ERR_IO, having said so. */
int question_read(const struct question *q, uint64_t lba, void *buffer, size_t length);

/** Says whether the sectors from @first to @last, both included, are in the range. */
bool question_covers(const struct question *q, uint64_t first, uint64_t last);

/**
 * Asks a GPT and its backup (UEFI 2.10 section 5.3). One good one is enough.
 * @announced: the MBR says that there is one
 * Returns as partition_check() does; ERR_NOT_FOUND: there is none.
 */
int question_gpt(const struct question *q, bool announced);

#endif
