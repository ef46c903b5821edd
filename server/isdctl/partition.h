/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_ISDCTL_PARTITION_H
#define SERVER_ISDCTL_PARTITION_H

#include <stdbool.h>
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

struct partition_answer {
	bool partitions;   /* the disk has some, so what is in none of them is nobody's */
	bool forcible;     /* refused for what is before the place alone: see partition_check() */
	char message[256]; /* for people: why it is not free */
};

/**
 * Says whether the bytes from @from up to, not with, @to belong to nobody: to no
 * primary, extended or logical partition of an MBR, to no partition of a GPT,
 * its backup included, and to no table. A table does not prove that no file system fills the
 * disk: it might be the rest of an earlier life, or a boot loader's. So all before @from
 * that is in no partition and no table must be zeros, or GRUB's core image on a disk with
 * partitions. Of the place itself nothing is said.
 * @answer: where something else is there, on a disk with partitions and without a sign of
 *          what fills disks, it is "forcible": who knows whose it is may write all the same
 * Returns 0 (free), ERR_REFUSED (somebody's), ERR_MALFORMED (a table is damaged,
 * so nobody can tell), ERR_SPACE (the disk ends before @to) or ERR_IO.
 */
int partition_check(const struct partition_disk *disk, uint64_t from, uint64_t to,
                    struct partition_answer *answer);

/**
 * Guesses the sector size of an image by where its GPT is.
 * @size: receives 512 or 4096; 512 where there is no GPT
 * Returns 0, ERR_REFUSED (there is one for each) or ERR_IO.
 */
int partition_guess_sector_size(const struct partition_disk *disk, uint32_t *size);

#endif
