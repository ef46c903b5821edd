/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_DHCP_H
#define NBP_DHCP_H

#include "nbp/platform.h"

/* DHCP packets as the firmware has kept them (RFC 2131, RFC 2132, RFC 4578). */

enum dhcp_option {
	DHCP_PAD = 0,
	DHCP_SUBNET_MASK = 1,
	DHCP_ROUTER = 3,
	DHCP_VENDOR = 43,          /* holds options of its own, here PXE's */
	DHCP_OVERLOAD = 52,
	DHCP_SERVER_ID = 54,
	DHCP_TFTP_SERVER = 66,
	DHCP_BOOT_FILE = 67,
	DHCP_CLIENT_UUID = 97,     /* RFC 4578 section 2.3 */
	DHCP_POLICY_SERVERS_REQUESTED = 131, /* ours, one that PXE clients request (RFC 4578
	                                      * section 2.4): n * 4 bytes */
	DHCP_CONFIG_FILE = 209,    /* RFC 5071 section 4 */
	DHCP_PATH_PREFIX = 210,    /* RFC 5071 section 5 */
	DHCP_POLICY_SERVERS = 224, /* ours, site-specific (RFC 3942): n * 4 bytes */
	DHCP_POWER_ON = 225,       /* ours: the record of nbp/proto/power_on.h, for systems that
	                            * show their programs these packets and no memory */
	DHCP_END = 255,
};

#define POLICY_SERVERS_MAX 4

/* What the NBP needs from the firmware's DHCP exchange. */
struct dhcp_lease {
	uint8_t address[4];     /* this machine's */
	uint8_t netmask[4];     /* zeros: none */
	uint8_t router[4];      /* zeros: none */
	uint8_t boot_server[4]; /* the server that the NBP came from; zeros: unknown */
	char boot_file[128];    /* the NBP's name there; may be empty */
	uint8_t uuid[16];       /* option 97 of the client's own packet; zeros: none */
	uint8_t ignored_option; /* a policy server option without server addresses; 0: none */
	bool policy_server_named; /* an option names the policy servers */
	size_t policy_server_count;
	uint8_t policy_servers[POLICY_SERVERS_MAX][4]; /* the boot server, if no option names any */
};

/**
 * Reads the lease from @packets. The boot server's reply takes precedence over the DHCP
 * server's, as in PXELINUX. In one packet option 224, which has no other use, takes
 * precedence over 131, which DHCP servers send without being forced to, and that over a
 * 131 inside option 43. Damaged packets are read as far as they make sense.
 * Returns 0, or ERR_NOT_FOUND if the packets have no address for this machine, or no
 * boot or policy server.
 */
int dhcp_read(const struct dhcp_packets *packets, struct dhcp_lease *lease);

/** Says whether a host can have @address: it is not 0/8, loopback, multicast or broadcast. */
bool dhcp_is_host(const uint8_t address[4]);

/**
 * Returns the value of option @code of @packet, in it, or an empty span if it is no DHCP packet
 * or has no such option.
 */
struct span dhcp_find_option(struct span packet, uint8_t code);

/**
 * Sets option @code to the @count bytes at @value in the BOOTP packet at
 * @packet, in place: removes the options with that code, in the options field and
 * in an overloaded file or sname field, and adds the new one before the end. A
 * packet without an END option ends where its padding begins (as iPXE's do).
 * @size: the number of bytes of the packet that may be used and changed
 * @value: NULL: the options are only removed
 * Returns 0, ERR_MALFORMED (not a DHCP packet) or ERR_SPACE; on error the packet
 * is unchanged.
 */
int dhcp_set_option(void *packet, size_t size, uint8_t code, const void *value, size_t count);

/**
 * Sets options 209 and 210 of @handover in one packet, or removes them if they are
 * empty, and sets siaddr to its server. A packet that has all this already is left as it
 * is. Then sets option 225, unless there is no space for it.
 * Returns what dhcp_set_option() returns; on error option 210 may have been set.
 */
int dhcp_set_handover(void *packet, size_t size, const struct handover *handover);

#endif
