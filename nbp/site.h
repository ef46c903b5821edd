/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_SITE_H
#define NBP_SITE_H

#include "nbp/dhcp.h"

/*
 * A site's own settings, which lie beside the NBP on a medium, or in a ROM: openpreboot.cfg.
 * Each line is "name = value"; empty lines and what follows a # do not count. Of lines with the
 * same name the last one counts. A word has 19 characters at most, an address is one that a host
 * can have, and a netmask has 1 to 30 bits.
 *
 *     server = 192.0.2.1 192.0.2.2      policy servers, in place of those that DHCP names
 *     address = 192.0.2.50/24           this machine's address, in place of DHCP
 *     gateway = 192.0.2.254
 *     tftp-server = 192.0.2.1           where loaders come from, in place of DHCP's next-server
 *     vlan = 12                         the VLAN that carries all this
 *
 * A medium's start script reads its "console", which the NBP passes over.
 */
struct site {
	size_t server_count;
	uint8_t servers[POLICY_SERVERS_MAX][4];
	uint8_t address[4]; /* zeros: DHCP gives it */
	uint8_t netmask[4];
	uint8_t gateway[4];     /* zeros: none */
	uint8_t tftp_server[4]; /* zeros: DHCP names it */
	uint16_t vlan;          /* 1 to 4094; 0: none */
};

struct site_error {
	unsigned int line;   /* from 1 */
	const char *message; /* what was wrong there */
};

#define SITE_SIZE_MAX 4096 /* bytes of the text; lines beyond do not count */

/**
 * Reads the settings in the @length bytes at @text. A line that is wrong counts as absent, and
 * the others count, so that a slip of the pen costs one setting and not the machine's boot.
 * @error: describes the first line that is wrong
 * Returns 0 or ERR_MALFORMED (some line is wrong).
 */
int site_parse(const void *text, size_t length, struct site *site, struct site_error *error);

/**
 * Puts what @site says over a DHCP packet of @size bytes: servers as option 224, the TFTP
 * server as siaddr. Returns 0 or what dhcp_set_option() returns.
 */
int site_apply(const struct site *site, void *packet, size_t size);

/**
 * Writes the packet that a DHCP server would send if it gave what @site says, for a machine
 * with a static address. Returns its length, or 0 if @size is too small.
 */
size_t site_packet(const struct site *site, const uint8_t mac[6], void *packet, size_t size);

#endif
