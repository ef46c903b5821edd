/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_DETECT_H
#define NBP_DETECT_H

#include "nbp/dhcp.h"
#include "nbp/exchange.h"
#include "nbp/platform.h"
#include "nbp/proto/message.h"

/* What the NBP finds out before it asks; each function prints a line about it. */

/**
 * Fills @request, which is all zero, with the facts of the machine: the port's, and
 * those of SMBIOS and CPUID.
 */
void detect_hardware(struct platform *p, struct request *request);

/**
 * Fills @request with the image-safe data of the boot disk.
 * @name: NAME_SIZE bytes; receives the device's name in them, or ""
 * Returns what isd_load() returns; on error only request->isd_state is set.
 */
int detect_identity(struct platform *p, struct request *request, char *name);

/**
 * Reads the lease from the firmware's DHCP packets, and fills @exchange with the
 * policy servers.
 * @request: receives the UUID in the DHCP packets, if it has none yet
 * Returns 0, or ERR_NOT_FOUND if DHCP named no server.
 */
int detect_servers(struct platform *p, struct request *request, struct dhcp_lease *lease,
                   struct exchange *exchange);

#endif
