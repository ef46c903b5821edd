/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_ISDCTL_PARTITION_DISK_H
#define SERVER_ISDCTL_PARTITION_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A disk as partition.c and partition_gap.c read it, and the answer that both fill in. */

/* The disk: its measures, and a function to read it. */
struct partition_disk {
	/** Reads @length bytes at byte @offset. Returns 0 or ERR_IO. */
	int (*read)(void *context, uint64_t offset, void *buffer, size_t length);
	void *context;
	uint64_t size;        /* bytes */
	uint32_t sector_size; /* a power of two from 512 to 4096 */
};

/* Whether a range of the disk is free, or why it is not. */
struct partition_answer {
	bool partitions;   /* the disk has some, so what is in none of them belongs to nobody */
	bool forcible;     /* somebody may decide that it is free: see partition_check() */
	char message[256]; /* for people: why the range is not free; empty if it is */
};

/** Writes the answer's message; returns @rc. */
int partition_reason(struct partition_answer *answer, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
