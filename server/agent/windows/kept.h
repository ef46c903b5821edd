/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_AGENT_WINDOWS_KEPT_H
#define SERVER_AGENT_WINDOWS_KEPT_H

#include <stddef.h>
#include <stdint.h>

/*
 * What Windows keeps of the firmware, in the firmware's own form. Nothing here needs Windows, and
 * unit tests run it elsewhere.
 */

/**
 * Reads the record of nbp/proto/power_on.h from option 225 of a BOOTP packet, the boot server's reply
 * that the NBP added it to. Returns 0 or ERR_NOT_FOUND.
 */
int kept_record(const uint8_t *packet, size_t length, uint8_t *record);

/**
 * Writes of a BOOTP packet what PXELINUX's SYSAPPEND 3 adds to a kernel's command line:
 * "ip=client:server:: BOOTIF=01-mac"; an empty text if it is no such packet.
 */
void kept_line(const uint8_t *packet, size_t length, char *out, size_t size);

/**
 * Reads the UUID of the system, a structure of type 1 in SMBIOS's table (DSP0134 7.2.1).
 * @version: major << 8 | minor; it tells the UUID's byte order
 * Leaves @uuid as it is if there is none.
 */
void kept_uuid(const uint8_t *table, size_t length, unsigned int version, uint8_t uuid[16]);

#endif
