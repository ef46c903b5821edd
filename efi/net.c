/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/device_path.h"
#include "efi/port.h"
#include "nbp/debug.h"
#include "nbp/proto/memory.h"

/* The network by EFI_PXE_BASE_CODE_PROTOCOL (UEFI 24.3): DHCP packets, addresses, the NIC. */

/* Offsets at the start of a DHCP packet, which describe the client's hardware. */
#define DHCP_HTYPE 1
#define DHCP_HLEN 2
#define DHCP_CHADDR 28
#define HTYPE_ETHERNET 1

/* The firmware keeps a packet's length nowhere; the union is as long as a packet can be. */
static struct span packet_span(BOOLEAN have, const EFI_PXE_BASE_CODE_PACKET *packet)
{
	struct span span = { NULL, 0 };

	if (have) {
		span.data = packet->Raw;
		span.length = sizeof(packet->Raw);
	}
	return span;
}

/* Lists the base code's packets in machine.dhcp; they stay its own. */
static void list_packets(struct efi *efi, const EFI_PXE_BASE_CODE_MODE *mode)
{
	struct dhcp_packets *dhcp = &efi->platform.machine.dhcp;

	dhcp->discover = packet_span(mode->DhcpDiscoverValid, &mode->DhcpDiscover);
	dhcp->ack = packet_span(mode->DhcpAckReceived, &mode->DhcpAck);
	dhcp->reply = packet_span(mode->ProxyOfferReceived, &mode->ProxyOffer);
	if (mode->PxeReplyReceived)
		dhcp->reply = packet_span(TRUE, &mode->PxeReply);
	debug(1, &efi->platform, "base code: %pI4, discover %d ack %d proxy %d reply %d",
	      mode->StationIp.v4.Addr, mode->DhcpDiscoverValid, mode->DhcpAckReceived,
	      mode->ProxyOfferReceived, mode->PxeReplyReceived);
}

/* Copies the path of efi->device; one that is too long or malformed counts as none. */
static void copy_path(struct efi *efi)
{
	void *path = efi_protocol(efi, efi->device, &efi_path_guid);
	struct device_path facts;

	efi->path = NULL;
	if (!path || device_path_read(path, DEVICE_PATH_MAX, &facts) != 0)
		return;
	memcpy(efi->nic.path, path, facts.size);
	efi->path = (EFI_DEVICE_PATH *)efi->nic.path;
}

/* Reads what our own path says; that of a base code above it says less. */
static void read_source(struct efi *efi)
{
	struct machine *machine = &efi->platform.machine;
	struct source source;

	device_path_read_source(efi->path, efi->path ? DEVICE_PATH_MAX : 0, &source);
	memcpy(machine->mac, source.mac, sizeof(machine->mac));
	memcpy(machine->boot_file, source.file, sizeof(machine->boot_file));
	if (source.ipv6)
		machine->started_by = STARTED_BY_IPV6;
	else if (source.http)
		machine->started_by = STARTED_BY_HTTP;
	else if (!source.network)
		machine->started_by = STARTED_BY_DISK;
	debug(1, &efi->platform, "started by %u, file '%s'", (uint32_t)machine->started_by,
	      machine->boot_file);
}

static void find_base_code(struct efi *efi)
{
	EFI_PXE_BASE_CODE_PROTOCOL *pxe;
	struct dhcp_lease lease;
	EFI_HANDLE parent;

	copy_path(efi);
	read_source(efi);
	pxe = efi_protocol(efi, efi->device, &efi_pxe_guid);
	/* A boot program between the ROM and us may have loaded us from a handle of its own. */
	parent = pxe ? NULL : efi_parent_with(efi, efi->path, &efi_pxe_guid);
	if (parent) {
		efi->device = parent;
		copy_path(efi);
		pxe = efi_protocol(efi, parent, &efi_pxe_guid);
	}
	if (!pxe || !pxe->Mode || pxe->Mode->UsingIpv6) {
		debug(1, &efi->platform, "no PXE base code for IPv4");
		return;
	}
	/* iPXE may have loaded us in any way: it has a base code for all that we do. */
	efi->platform.machine.started_by = STARTED_BY_PXE;
	efi->pxe = pxe;
	list_packets(efi, pxe->Mode);
	efi->nic.address = pxe->Mode->StationIp.v4;
	efi->nic.mask = pxe->Mode->SubnetMask.v4;
	memset(&lease, 0, sizeof(lease));
	dhcp_read(&efi->platform.machine.dhcp, &lease);
	memcpy(efi->nic.router.Addr, lease.router, sizeof(efi->nic.router.Addr));
}

/*
 * The NIC's address is in the DISCOVER that it sent; where there is no packet, the address
 * in the path that we were loaded by stays.
 */
static void read_mac(struct efi *efi)
{
	struct machine *machine = &efi->platform.machine;
	struct span packet = machine->dhcp.discover;

	if (!packet.data)
		packet = machine->dhcp.ack;
	if (packet.length >= DHCP_CHADDR + 6 && packet.data[DHCP_HTYPE] == HTYPE_ETHERNET &&
	    packet.data[DHCP_HLEN] == 6)
		memcpy(machine->mac, packet.data + DHCP_CHADDR, 6);
}

static void read_nic(struct efi *efi)
{
	struct machine *machine = &efi->platform.machine;
	EFI_SIMPLE_NETWORK *snp;
	uint32_t ids = efi_pci_read(efi, efi_parent_with(efi, efi->path, &efi_pci_guid), 0);

	machine->nic_vendor = (uint16_t)ids;
	machine->nic_device = (uint16_t)(ids >> 16);
	snp = efi_parent_protocol(efi, efi->path, &efi_snp_guid);
	if (machine->dhcp.discover.length > DHCP_HTYPE)
		machine->nic_type = machine->dhcp.discover.data[DHCP_HTYPE];
	else if (snp && snp->Mode)
		machine->nic_type = snp->Mode->IfType;
	debug(1, &efi->platform, "NIC %04x:%04x, hardware type %u", (uint32_t)machine->nic_vendor,
	      (uint32_t)machine->nic_device, (uint32_t)machine->nic_type);
}

void net_find(struct efi *efi)
{
	find_base_code(efi);
	read_mac(efi);
	read_nic(efi);
}

void net_take(struct efi *efi, EFI_HANDLE device, const struct dhcp_lease *lease)
{
	efi->device = device;
	copy_path(efi);
	memcpy(efi->nic.address.Addr, lease->address, sizeof(lease->address));
	memcpy(efi->nic.mask.Addr, lease->netmask, sizeof(lease->netmask));
	memcpy(efi->nic.router.Addr, lease->router, sizeof(lease->router));
}

void net_release(struct efi *efi)
{
	if (efi->nic.own && efi->pxe)
		efi->pxe->Stop(efi->pxe);
	efi->nic.own = false;
}

/*
 * iPXE takes the NIC for itself alone, upon which EDK2 ends its own drivers' use of it and
 * frees their protocols; no handle or pointer of theirs may be used then. Connected anew, the
 * drivers have no address yet, but UDP4 takes ours.
 */
void net_find_again(struct efi *efi)
{
	EFI_PXE_BASE_CODE_PROTOCOL *pxe;

	memset(&efi->platform.machine.dhcp, 0, sizeof(efi->platform.machine.dhcp));
	efi->pxe = NULL;
	if (efi->path)
		efi_connect(efi, efi->path);
	efi->device = efi_parent_with(efi, efi->path, &efi_pxe_guid);
	pxe = efi_protocol(efi, efi->device, &efi_pxe_guid);
	if (!pxe || !pxe->Mode || !pxe->Mode->Started || pxe->Mode->UsingIpv6 ||
	    memcmp(&pxe->Mode->StationIp.v4, &efi->nic.address, sizeof(efi->nic.address)) != 0)
		return;
	efi->pxe = pxe;
	list_packets(efi, pxe->Mode);
}
