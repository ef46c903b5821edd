/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EFI_SOURCE_H
#define EFI_SOURCE_H

#include <stdbool.h>

#include "nbp/platform.h"

/*
 * What the device path of the handle that we were loaded from tells of how.
 * No firmware is called here.
 */
struct source {
	bool network; /* it goes by way of a NIC */
	bool ipv6;    /* and over IPv6 */
	bool http;    /* by HTTP or HTTPS */
	uint8_t mac[6];   /* of the NIC; zeros: unknown */
	char file[128];   /* our path at a TFTP server, as iPXE asked for it; empty: not told */
};

/** Reads the device path at @path, of at most @size bytes. What is malformed tells nothing. */
void source_read(const void *path, size_t size, struct source *source);

#endif
