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
	struct isd_disk disk;            /* the way to it; refers to this structure */
	struct partition_disk partition; /* likewise */
	bool partitions;   /* isd_file_check() found some: the gap is no file system's */
	char message[512]; /* for people: the last failure, naming file and remedy */
};

struct isd_file_options {
	bool write;           /* it is to be changed, so nobody else may have it */
	bool in_use;          /* ... but on a disk partitions may be mounted */
	uint32_t sector_size; /* 0: the device's; of an image, by where its GPT is */
};

/**
 * Opens the disk or image at @path, which must outlive @file. To write, a block
 * device must have no other exclusive user and an image no lock, as a running
 * virtual machine's has.
 * Returns 0, or an ERR_ value with file->message; then nothing needs closing.
 */
int isd_file_open(struct isd_file *file, const char *path, const struct isd_file_options *options);

void isd_file_close(struct isd_file *file);

/**
 * Says whether the place of image-safe data is nobody's; see partition_check().
 * @force: something unknown before the place does not count, where that can be
 * Returns 0, or an ERR_ value with file->message. Sets file->partitions.
 */
int isd_file_check(struct isd_file *file, bool force);

#endif
