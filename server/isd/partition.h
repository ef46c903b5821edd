/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_PARTITION_H
#define SERVER_PARTITION_H

#include <stddef.h>
#include <stdint.h>

/* A disk as the partition-table reader sees it: numbers, and a way to read. */
struct partition_disk {
	/** Reads @length bytes at byte @offset. Returns 0 or ERR_IO. */
	int (*read)(void *context, uint64_t offset, void *buffer, size_t length);
	void *context;
	uint64_t size;        /* bytes */
	uint32_t sector_size; /* a power of two from 512 to 4096 */
};

/**
 * Says whether the bytes from @from up to, not with, @to belong to nobody: to no
 * primary, extended or logical partition of an MBR, to no partition of a GPT,
 * its backup included, and to no table. A disk with neither is free only if all
 * before @from is zeros: it might be one file system.
 * @message: receives a phrase for people where they are not free
 * Returns 0 (free), ERR_REFUSED (somebody's), ERR_MALFORMED (a table is damaged,
 * so nobody can tell), ERR_SPACE (the disk ends before @to) or ERR_IO.
 */
int partition_check(const struct partition_disk *disk, uint64_t from, uint64_t to,
                    char *message, size_t size);

/**
 * Guesses the sector size of an image by where its GPT is.
 * @size: receives 512 or 4096; 512 where there is no GPT
 * Returns 0, ERR_REFUSED (there is one for each) or ERR_IO.
 */
int partition_guess_sector_size(const struct partition_disk *disk, uint32_t *size);

#endif
