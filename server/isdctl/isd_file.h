/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_ISDCTL_ISD_FILE_H
#define SERVER_ISDCTL_ISD_FILE_H

#include "server/isdctl/isd_disk.h"
#include "server/isdctl/partition.h"

/* A disk, or a raw image of one, that isdctl works on. */
struct isd_file {
	int fd;
	const char *path; /* the caller's */
	uint64_t size;    /* bytes */
	uint32_t sector_size;
	struct isd_disk disk;            /* reads and writes it; refers to this structure */
	struct partition_disk partition; /* likewise */
	bool partitions;   /* isd_file_check() found some: no file system fills the disk */
	char message[512]; /* for people: the last error, with the file's name and what to do */
};

struct isd_file_options {
	bool write;           /* to be changed, so no other program may use it */
	bool in_use;          /* a disk's partitions may be mounted all the same */
	uint32_t sector_size; /* 0: the device's; an image's is guessed from the place of its GPT */
};

/**
 * Opens the disk or image at @path, which must outlive @file. To write, a block
 * device must have no other exclusive user, and an image no lock, as a running
 * virtual machine holds.
 * Returns 0, or an ERR_ value with file->message; then @file is closed already.
 */
int isd_file_open(struct isd_file *file, const char *path, const struct isd_file_options *options);

void isd_file_close(struct isd_file *file);

/**
 * Checks that the place of image-safe data is free; see partition_check().
 * @force: unknown data before the place are accepted if the answer is "forcible"
 * Returns 0, or an ERR_ value with file->message. Sets file->partitions.
 */
int isd_file_check(struct isd_file *file, bool force);

#endif
