/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_PROTO_ISD_H
#define NBP_PROTO_ISD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nbp/proto/message.h"

/*
 * Image-safe data: the name and the setup of a machine, in a place of its disk
 * that imaging does not touch. nbp/image-safe-data.md specifies it byte by byte.
 * The NBPs only read it; isdctl writes it.
 */

#define ISD_VERSION   1
#define ISD_COPY_SIZE 4096     /* bytes of one copy */
#define ISD_COPIES    2        /* one after the other */
#define ISD_OFFSET    0xfe000  /* of the first copy, in bytes from the start of the disk */
#define ISD_END       0x100000 /* the first byte after the second copy */

#define ISD_SUFFIX_SIZE 256    /* a DNS name, with the NUL (RFC 1035 section 2.3.4) */
#define ISD_DNS_MAX     4
#define ISD_KEY_SIZE    32

/* How the machine gets its address. */
enum isd_network {
	ISD_NETWORK_UNKNOWN = 0,
	ISD_NETWORK_DHCP = 1,
	ISD_NETWORK_STATIC = 2,
};

/* An absent value is zero or the empty string. Texts are printable ASCII. */
struct isd {
	uint32_t sequence;        /* of the copy from which this was read */
	uint8_t just_imaged;      /* 1: an image was written, and the system has not run since */
	uint8_t device[16];       /* device id, in the order in which it is printed */
	char name[NAME_SIZE];     /* of the device */
	uint8_t network;          /* enum isd_network */
	uint8_t address[4];       /* IPv4, as are mask and gateway */
	uint8_t mask[4];
	uint8_t gateway[4];
	char dns_suffix[ISD_SUFFIX_SIZE];
	uint8_t dns_count;        /* the number of servers in dns */
	uint8_t dns[ISD_DNS_MAX][4];
	char image[FILE_SIZE];    /* name of the last image */
	uint64_t image_time;      /* when it was written, Unix time */
	uint64_t image_size;      /* bytes */
	uint8_t key[ISD_KEY_SIZE];
};

/**
 * Decodes one copy of ISD_COPY_SIZE bytes. Unknown fields are ignored.
 * Returns 0, ERR_NOT_FOUND (no magic: nobody wrote a copy here), ERR_VERSION or
 * ERR_MALFORMED (the CRC or a field is wrong); then *@isd is not to be used.
 */
int isd_decode(struct isd *isd, const void *copy);

/**
 * Encodes @isd, with its sequence number, as a copy of ISD_COPY_SIZE bytes.
 * @old: a valid copy whose unknown fields are carried over, or NULL. It may not
 *       overlap @copy.
 * Returns 0, ERR_MALFORMED (a text is not printable, or has no end) or ERR_SPACE.
 */
int isd_encode(const struct isd *isd, const void *old, void *copy);

/** Says whether sequence number @a is newer than @b; the numbers wrap. */
bool isd_newer(uint32_t a, uint32_t b);

#endif
