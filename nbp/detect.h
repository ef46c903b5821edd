/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_DETECT_H
#define NBP_DETECT_H

#include "nbp/dhcp.h"
#include "nbp/exchange.h"
#include "nbp/platform.h"
#include "nbp/proto/message.h"

/* What the NBP finds out before it asks; each function says so in a line. */

/**
 * Puts into @request, which is all zero, what the machine is: the port's facts,
 * SMBIOS and CPUID.
 */
void detect_hardware(struct platform *p, struct request *request);

/**
 * Puts into @request what the boot disk's image-safe data say.
 * @name: NAME_SIZE bytes; receives the name they give the device, or ""
 * Returns 0, or what isd_load() said; then only request->isd_state is set.
 */
int detect_identity(struct platform *p, struct request *request, char *name);

/**
 * Learns from the firmware's DHCP packets whom to ask and where files are, and
 * puts the policy servers into @exchange.
 * @request: gets the UUID that DHCP was told, if it has none yet
 * Returns 0, or ERR_NOT_FOUND if DHCP named no server.
 */
int detect_servers(struct platform *p, struct request *request, struct dhcp_lease *lease,
                   struct exchange *exchange);

#endif
