/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EFI_NIC_H
#define EFI_NIC_H

#include "efi/dhcp4.h"
#include "nbp/site.h"

/* How the NBP gets an address by itself, where the firmware started it without one. */

/* nic.c */

/**
 * Does what platform.h says of connect(). Where the firmware has no address for us, it gets one
 * on one of the machine's cards, or on the one that the NBP was started by, and gives the base
 * code of that card all that loaders look for there; efi->device is that base code then. Takes
 * 20 s at most. Where that fails, it writes why on the console.
 */
void nic_connect(struct platform *p);

/* base_code.c */

/**
 * Gives the base code of card @nic the address and the packets that @dhcp got, or, if that is
 * NULL, those that @site says; the site's settings come before DHCP's. Sets efi->device to it.
 * Returns 0 or an error.
 */
int base_code_give(struct efi *efi, EFI_HANDLE nic, const struct dhcp_client *client,
                   const struct dhcp4 *dhcp, const struct site *site);

/* vlan.c */

#define NODE_VLAN 20 /* the subtype of its node (UEFI 10.3.4.15) */

/**
 * Returns the handle of VLAN @number on card @nic with the address @mac, which it has the firmware
 * make for this power-on if it is not there, or NULL if the firmware has no VLANs
 * (EFI_VLAN_CONFIG_PROTOCOL, UEFI 27.2).
 */
EFI_HANDLE vlan_make(struct efi *efi, EFI_HANDLE nic, const uint8_t mac[6], uint16_t number);

/* site_file.c */

/**
 * Reads the site's settings: those of the ROM that we are in, or the file openpreboot.cfg of the
 * volume that we were started from. Without either all are zeros. A line that is wrong is
 * reported on the console.
 */
void site_file_read(struct efi *efi, struct site *site);

#endif
