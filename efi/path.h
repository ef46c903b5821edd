/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EFI_PATH_H
#define EFI_PATH_H

#include "nbp/platform.h"

/*
 * Device paths (UEFI 10.3) as bytes: firmware's, and those that boot entries
 * keep, which anybody may have written. No firmware is called here.
 */

#define DEVICE_PATH_MAX 1024 /* longer ones count as malformed */
#define DEVICE_PATH_END 4    /* bytes of the node that ends each path */

enum path_kind {
	PATH_OTHER = 0, /* of a network, the firmware itself, a CD, a legacy BIOS: no disk's */
	PATH_DEVICE,    /* from the machine's root to a device, perhaps a disk */
	PATH_PARTITION, /* begins with a partition, on whichever disk has it */
	PATH_FILE,      /* only a file's name, on whichever volume has it */
};

/* What tells a partition from all others, as UEFI 10.3.5.1 has it. */
struct partition_id {
	uint8_t scheme; /* 1 MBR, 2 GPT, 0 none: there is no partition */
	uint8_t type;   /* what kind of signature: 1 an MBR's, 2 a GUID */
	uint32_t number;
	uint8_t signature[16];
};

struct device_path {
	enum path_kind kind;
	size_t size;                   /* bytes, with the end node */
	size_t device;                 /* bytes before the partition: the whole disk */
	size_t file;                   /* where the file's name begins; the end node if none */
	uint8_t bus;                   /* enum disk_kind: what the device hangs on */
	struct partition_id partition; /* the first one */
};

/**
 * Reads the one device path at @data, of at most @size bytes; what follows its
 * end is not looked at. Returns 0, ERR_TRUNCATED or ERR_MALFORMED; then @path
 * is all zeros.
 */
int device_path_read(const void *data, size_t size, struct device_path *path);

/** Says whether two partitions are the same one. */
bool partition_same(const struct partition_id *a, const struct partition_id *b);

/**
 * Makes a path of @first and @rest, nodes without their end nodes. Returns its
 * length with the end node, or 0 if it is longer than @size.
 */
size_t device_path_join(void *out, size_t size, struct span first, struct span rest);

/**
 * Makes a path that is only the file @name, ASCII with backslashes. Returns its
 * length with the end node, or 0 if it is longer than @size.
 */
size_t device_path_of_file(void *out, size_t size, const char *name);

#endif
