/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/port.h"
#include "nbp/debug.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

/* What ROM and DHCP packets say of the network and its card. */

/* The fixed part of a BOOTP packet (RFC 2131 section 2). */
#define BOOTP_HLEN 2
#define BOOTP_CHADDR 28

/* The parameters of PXENV_UNDI_GET_NIC_TYPE, of which a PCI card's are used. */
struct nic_type {
	uint16_t status;
	uint8_t type;
	uint16_t vendor, device;
	uint8_t rest[16];
} __attribute__((packed));

#define NIC_PCI 2
#define NIC_CARDBUS 4
#define NIC_UNKNOWN 0xff

/* The parameters of PXENV_UNDI_GET_INFORMATION. */
struct nic_information {
	uint16_t status, io_base, interrupt, mtu;
	uint16_t hardware_type, address_length;
	uint8_t address[16], permanent_address[16];
	uint8_t rest[16];
} __attribute__((packed));

static bool read_mac(struct span packet, uint8_t mac[6])
{
	if (packet.length < BOOTP_CHADDR + 6 || packet.data[BOOTP_HLEN] != 6)
		return false;
	memcpy(mac, packet.data + BOOTP_CHADDR, 6);
	return true;
}

static void read_packets(struct bios *bios)
{
	struct machine *machine = &bios->platform.machine;

	pxe_read_packets(bios);
	for (size_t i = 0; i < PXE_PACKET_TYPES; i++)
		debug(1, &bios->platform, "packet %u: %u bytes at %x", (uint32_t)i + 1,
		      (uint32_t)bios->pxe.own[i].length, (uint32_t)bios->pxe.own[i].data);
	/* Without a lease the core finds no server either, and reports that. */
	dhcp_read(&machine->dhcp, &bios->lease);
	if (!read_mac(machine->dhcp.ack, machine->mac))
		read_mac(machine->dhcp.discover, machine->mac);
}

/* Outputs begin as values that no card has: not every ROM writes all of them. The ROM of a
 * Dell with an X710 leaves the type out, and is a PCI card's. */
static void read_nic(struct bios *bios)
{
	struct machine *machine = &bios->platform.machine;
	struct nic_information information;
	struct nic_type type;

	memset(&type, 0xff, sizeof(type));
	if (pxe_call(bios, PXENV_UNDI_GET_NIC_TYPE, &type) == 0 &&
	    (type.type == NIC_PCI || type.type == NIC_CARDBUS || type.type == NIC_UNKNOWN) &&
	    type.vendor != 0xffff && type.device != 0xffff) {
		machine->nic_vendor = type.vendor;
		machine->nic_device = type.device;
	}
	memset(&information, 0, sizeof(information));
	if (pxe_call(bios, PXENV_UNDI_GET_INFORMATION, &information) == 0)
		machine->nic_type = (uint8_t)information.hardware_type;
	debug(1, &bios->platform, "NIC type %u, %04x:%04x, hardware type %u, %pM",
	      (uint32_t)type.type, (uint32_t)type.vendor, (uint32_t)type.device,
	      (uint32_t)machine->nic_type, information.address);
}

int net_find(struct bios *bios)
{
	int rc = pxe_open(bios);

	if (rc)
		return rc;
	read_packets(bios);
	read_nic(bios);
	return 0;
}
