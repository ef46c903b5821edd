/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_ISDCTL_PARTITION_H
#define SERVER_ISDCTL_PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The partition tables of a disk, read to find out whether some bytes of it are in use. */

/* The disk: its measures, and a function to read it. */
struct partition_disk {
	/** Reads @length bytes at byte @offset. Returns 0 or ERR_IO. */
	int (*read)(void *context, uint64_t offset, void *buffer, size_t length);
	void *context;
	uint64_t size;        /* bytes */
	uint32_t sector_size; /* a power of two from 512 to 4096 */
};

struct partition_answer {
	bool partitions;   /* the disk has some, so what is in none of them belongs to nobody */
	bool forcible;     /* only what lies before the range is the reason; see below */
	char message[256]; /* for people: why the range is not free; empty if it is */
};

/**
 * Checks that the bytes from @from up to, but not including, @to are free: in no primary,
 * extended or logical partition of an MBR, in no partition of a GPT or its backup, and in no
 * table. A table alone does not prove that no file system fills the disk: the table may be left
 * over from an earlier use, or be a boot loader's. So the bytes before @from that are in no
 * partition and no table must be zeros, or GRUB's core image on a disk with partitions. What
 * the range itself holds is not checked.
 * @answer: is filled in. It is "forcible" if the disk has partitions, nothing on it is known to
 *          fill whole disks, and only unknown bytes before @from are the reason: somebody who
 *          knows the disk may decide that the range is free all the same
 * Returns 0 (free), ERR_REFUSED (in use), ERR_MALFORMED (a table is damaged, so that nobody
 * can know), ERR_SPACE (the disk ends before @to) or ERR_IO.
 */
int partition_check(const struct partition_disk *disk, uint64_t from, uint64_t to,
                    struct partition_answer *answer);

/** Writes the answer's message; returns @rc. */
int partition_reason(struct partition_answer *answer, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * Guesses the sector size of an image by where its GPT is.
 * @size: receives 512 or 4096; 512 if there is no GPT
 * Returns 0, ERR_REFUSED (there is a GPT for each size) or ERR_IO.
 */
int partition_guess_sector_size(const struct partition_disk *disk, uint32_t *size);

#endif
