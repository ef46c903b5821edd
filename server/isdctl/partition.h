/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_ISDCTL_PARTITION_H
#define SERVER_ISDCTL_PARTITION_H

#include "server/isdctl/partition_disk.h"

/* The partition tables of a disk, read to find out whether some bytes of it are in use. */

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

/**
 * Guesses the sector size of an image by where its GPT is.
 * @size: receives 512 or 4096; 512 if there is no GPT
 * Returns 0, ERR_REFUSED (there is a GPT for each size) or ERR_IO.
 */
int partition_guess_sector_size(const struct partition_disk *disk, uint32_t *size);

#endif
