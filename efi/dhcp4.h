/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EFI_DHCP4_H
#define EFI_DHCP4_H

#include "efi/port.h"
#include "nbp/dhcp_client.h"

/* DHCP on one NIC by EFI_DHCP4_PROTOCOL (UEFI 29.2), which GNU-EFI's headers lack. */

/* A packet as the protocol has it; @size counts the whole structure. */
struct dhcp4_packet {
	UINT32 size, length;
	UINT8 data[DHCP_PACKET_MAX];
};

/* The exchange on one NIC. It is some 5 KiB, so it lies in pool memory. */
struct dhcp4 {
	struct efi *efi;
	EFI_SERVICE_BINDING *binding;
	EFI_HANDLE child;
	struct dhcp4_protocol *protocol; /* NULL: it is not open */
	EFI_EVENT done;
	enum dhcp_rank enough; /* an offer this good ends the wait for better ones */
	enum dhcp_rank rank;   /* of @offer */
	struct dhcp4_packet offer; /* the best one so far; length 0: none */
	struct dhcp4_packet proxy; /* the proxyDHCP server's; length 0: none */
	struct dhcp4_packet ack;   /* length 0: none yet */
};

/** Says whether the firmware has DHCP for the NIC @handle. */
bool dhcp4_is_there(struct efi *efi, EFI_HANDLE handle);

/**
 * Begins DHCP on the NIC @handle, and comes back at once. @dhcp is filled; it must stay where it
 * is until dhcp4_close(). Returns 0 or an error; then nothing is open.
 */
int dhcp4_open(struct efi *efi, EFI_HANDLE handle, const struct dhcp_client *client,
               enum dhcp_rank enough, struct dhcp4 *dhcp);

/**
 * Looks for the end of the exchange. Returns 0 (@dhcp->ack is there), ERR_AGAIN, or another
 * error once the firmware has given up; then dhcp4_again() begins anew.
 */
int dhcp4_poll(struct dhcp4 *dhcp);

/** Begins @client's exchange anew, with nothing kept of the last one. Returns 0 or an error. */
int dhcp4_again(struct dhcp4 *dhcp, const struct dhcp_client *client);

/** Ends all. The address stays this machine's: nothing is released. */
void dhcp4_close(struct dhcp4 *dhcp);

#endif
