/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EFI_DEVICE_PATH_H
#define EFI_DEVICE_PATH_H

#include <stdbool.h>

#include "nbp/platform.h"

/*
 * Device paths (UEFI 10.3) as bytes: the firmware's, and those in boot options,
 * which anybody may have written. No firmware is called here.
 */

#define DEVICE_PATH_MAX 1024 /* bytes; a longer path counts as malformed */
#define DEVICE_PATH_END 4    /* bytes of the node that ends each path */

enum path_kind {
	PATH_OTHER = 0, /* of no disk: a network, the firmware itself, a CD, a legacy BIOS */
	PATH_DEVICE,    /* from the machine's root to a device, perhaps a disk */
	PATH_PARTITION, /* begins with a partition, on whichever disk has it */
	PATH_FILE,      /* only a file's name, on whichever volume has it */
};

/* What identifies a partition (UEFI 10.3.5.1). */
struct partition_id {
	uint8_t scheme; /* 1 MBR, 2 GPT; 0: there is no partition */
	uint8_t type;   /* of the signature: 1 an MBR's, 2 a GUID */
	uint32_t number;
	uint8_t signature[16];
};

struct device_path {
	enum path_kind kind;
	size_t size;                   /* bytes, with the end node */
	size_t device;                 /* bytes before the partition: those of the whole disk */
	size_t file;                   /* the file name's offset; without one, the end node's */
	bool cd;                       /* it leads to a CD's volume */
	uint8_t bus;                   /* enum disk_kind: the bus that the device is on */
	struct partition_id partition; /* the first one */
};

/**
 * Reads the one device path at @data, of at most @size bytes; what follows its
 * end is not looked at. Returns 0, ERR_TRUNCATED or ERR_MALFORMED; then @path
 * is all zeros.
 */
int device_path_read(const void *data, size_t size, struct device_path *path);

/**
 * Returns the length of the nodes of @path, at most DEVICE_PATH_MAX bytes, without its end; 0 if
 * it is malformed.
 */
size_t device_path_nodes(const void *path);

/** Says whether @a and @b are the same partition. */
bool device_path_same_partition(const struct partition_id *a, const struct partition_id *b);

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

/* How we were loaded, by the device path of the handle that we were loaded from. */
struct source {
	bool network; /* by way of a NIC */
	bool ipv6;    /* over IPv6 */
	bool http;    /* by HTTP or HTTPS */
	bool card;    /* it is the NIC itself: nothing follows its address */
	uint8_t mac[6];   /* of the NIC; zeros: unknown */
	char file[128];   /* our path at a TFTP server, as iPXE asked for it; empty: unknown */
};

/**
 * Reads what the device path @path, of at most @size bytes, says of @source. A malformed one
 * says what stands before its error; no path, NULL or of 0 bytes, says nothing.
 */
void device_path_read_source(const void *path, size_t size, struct source *source);

#endif
