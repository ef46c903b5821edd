/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_DHCP_CLIENT_H
#define NBP_DHCP_CLIENT_H

#include "nbp/dhcp.h"

/*
 * The NBP's own part in DHCP, for firmware that has started it without: what a PXE client
 * sends (RFC 4578), what it thinks of an offer, and the request to a boot server that
 * answers at port 4011 alone (PXE 2.1 section 2.2.3). A port has its own way to send
 * broadcasts; on UEFI that is EFI_DHCP4_PROTOCOL.
 */

#define DHCP_PACKET_MAX 1472 /* bytes of a packet, as the PXE base code keeps one */

enum dhcp_message {
	DHCP_DISCOVER = 1,
	DHCP_OFFER = 2,
	DHCP_REQUEST = 3,
	DHCP_ACK = 5,
};

/* The machine that asks. */
struct dhcp_client {
	uint8_t mac[6];
	uint8_t uuid[16];      /* as SMBIOS has it; zeros: it has none */
	uint8_t address[4];    /* zeros: it has none yet */
	uint16_t architecture; /* RFC 4578 section 2.1 */
	uint32_t transaction;  /* the number that answers repeat */
};

/* What an offer is good for, from the worst on. */
enum dhcp_rank {
	DHCP_USELESS = 0,  /* not DHCP but BOOTP, or without an address that a host can have */
	DHCP_HAS_ADDRESS,  /* all else must come from a proxyDHCP server */
	DHCP_HAS_BOOT,     /* it names a boot file */
	DHCP_HAS_POLICY,   /* it names policy servers */
};

/**
 * Writes the options that @client sends in each message, one after the other, each as code,
 * length and value, without an end. Returns their length, or 0 if @size is too small.
 */
size_t dhcp_client_options(const struct dhcp_client *client, void *out, size_t size);

/** Writes a whole message of @client. Returns its length, or 0 if @size is too small. */
size_t dhcp_client_message(const struct dhcp_client *client, enum dhcp_message type, void *out,
                           size_t size);

/** Says what the offer or ack @packet is good for. */
enum dhcp_rank dhcp_client_rank(struct span packet);

/** Says whether @packet is a proxyDHCP server's offer: for a PXE client, without an address. */
bool dhcp_client_is_proxy(struct span packet);

/**
 * Asks the boot server @server at port 4011 for what its offer left out. Takes at most
 * DHCP_BOOT_SERVER_MS. The platform's socket must be closed, and is closed again.
 * @answer: receives the answer, DHCP_PACKET_MAX bytes, zeros behind it
 * Returns 0, ERR_TIMEOUT, or what udp_open() or udp_send() returned.
 */
int dhcp_client_ask_boot_server(struct platform *p, const struct dhcp_client *client,
                                const uint8_t server[4], uint8_t *answer);

#define DHCP_BOOT_SERVER_MS 2500

#endif
