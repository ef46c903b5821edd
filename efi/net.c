/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/efi_port.h"
#include "efi/source.h"
#include "nbp/debug.h"
#include "nbp/dhcp.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

/* EFI_PXE_BASE_CODE_PROTOCOL (UEFI 24.3): who we are, and UDP as a last resort. */

static EFI_GUID pxe_guid = EFI_PXE_BASE_CODE_PROTOCOL_GUID;
/* iPXE's own download protocol: on a handle it says that the base code is iPXE's. */
static EFI_GUID ipxe_guid = { 0x3eaeaebd, 0xdecf, 0x493b,
	                      { 0x9b, 0xd1, 0xcd, 0xb2, 0xde, 0xca, 0xe7, 0x19 } };

#define READ_WAIT_MS 3100 /* EDK2's UdpRead() blocks for 3 s, and a little */

/* The real length is kept nowhere; the union is as long as a packet can be. */
static struct span packet_span(BOOLEAN have, const EFI_PXE_BASE_CODE_PACKET *packet)
{
	struct span span = { NULL, 0 };

	if (have) {
		span.data = packet->Raw;
		span.length = sizeof(packet->Raw);
	}
	return span;
}

/* Lists the packets that the base code has; they stay its own. */
static void list_packets(struct efi_port *port, const EFI_PXE_BASE_CODE_MODE *mode)
{
	struct dhcp_packets *dhcp = &port->platform.machine.dhcp;

	dhcp->discover = packet_span(mode->DhcpDiscoverValid, &mode->DhcpDiscover);
	dhcp->ack = packet_span(mode->DhcpAckReceived, &mode->DhcpAck);
	dhcp->reply = packet_span(mode->ProxyOfferReceived, &mode->ProxyOffer);
	if (mode->PxeReplyReceived)
		dhcp->reply = packet_span(TRUE, &mode->PxeReply);
	debug(1, &port->platform, "base code: %pI4, discover %d ack %d proxy %d reply %d",
	      mode->StationIp.v4.Addr, mode->DhcpDiscoverValid, mode->DhcpAckReceived,
	      mode->ProxyOfferReceived, mode->PxeReplyReceived);
}

/* Keeps the path of port->device; one too long or malformed counts as none. */
static void copy_path(struct efi_port *port)
{
	void *path = efi_protocol(port, port->device, &path_guid);
	struct device_path facts;

	port->path = NULL;
	if (path == NULL || device_path_read(path, DEVICE_PATH_MAX, &facts) != 0)
		return;
	memcpy(port->nic.path, path, facts.size);
	port->path = (EFI_DEVICE_PATH *)port->nic.path;
}

/* What our own path tells; that of a base code above it knows less. */
static void read_source(struct efi_port *port)
{
	struct machine *machine = &port->platform.machine;
	struct source source;

	source_read(port->path, port->path != NULL ? DEVICE_PATH_MAX : 0, &source);
	memcpy(machine->mac, source.mac, sizeof(machine->mac));
	memcpy(machine->boot_file, source.file, sizeof(machine->boot_file));
	if (source.http)
		machine->started_by = STARTED_BY_HTTP;
	else if (source.ipv6)
		machine->started_by = STARTED_BY_IPV6;
	else if (!source.network)
		machine->started_by = STARTED_BY_DISK;
	debug(1, &port->platform, "started by way %u, file '%s'", (uint32_t)machine->started_by,
	      machine->boot_file);
}

void pxe_find(struct efi_port *port)
{
	EFI_PXE_BASE_CODE_PROTOCOL *pxe;
	struct dhcp_lease lease;
	EFI_HANDLE parent;

	copy_path(port);
	read_source(port);
	pxe = efi_protocol(port, port->device, &pxe_guid);
	/* A boot program between the ROM and us may have a handle of its own. */
	parent = pxe != NULL ? NULL : efi_parent_with(port, port->path, &pxe_guid);
	if (parent != NULL) {
		port->device = parent;
		copy_path(port);
		pxe = efi_protocol(port, parent, &pxe_guid);
	}
	if (pxe == NULL || pxe->Mode == NULL || pxe->Mode->UsingIpv6) {
		debug(1, &port->platform, "no PXE base code for IPv4");
		return;
	}
	/* However iPXE got us: it has a base code for all that we do. */
	port->platform.machine.started_by = STARTED_BY_PXE;
	port->pxe = pxe;
	list_packets(port, pxe->Mode);
	port->nic.address = pxe->Mode->StationIp.v4;
	port->nic.mask = pxe->Mode->SubnetMask.v4;
	memset(&lease, 0, sizeof(lease));
	dhcp_read(&port->platform.machine.dhcp, &lease);
	memcpy(port->nic.router.Addr, lease.router, sizeof(port->nic.router.Addr));
}

/*
 * iPXE takes the NIC for itself alone, upon which EDK2 ends its own drivers'
 * use of it and frees their protocols; no handle or pointer of theirs may be
 * used then. Connected anew, they have no address yet, but UDP4 takes ours.
 */
void pxe_find_again(struct efi_port *port)
{
	EFI_PXE_BASE_CODE_PROTOCOL *pxe;

	memset(&port->platform.machine.dhcp, 0, sizeof(port->platform.machine.dhcp));
	port->pxe = NULL;
	if (port->path != NULL)
		efi_connect(port, port->path);
	port->device = efi_parent_with(port, port->path, &pxe_guid);
	pxe = efi_protocol(port, port->device, &pxe_guid);
	if (pxe == NULL || pxe->Mode == NULL || !pxe->Mode->Started || pxe->Mode->UsingIpv6 ||
	    memcmp(&pxe->Mode->StationIp.v4, &port->nic.address, sizeof(port->nic.address)) != 0)
		return;
	port->pxe = pxe;
	list_packets(port, pxe->Mode);
}

int net_udp_open(struct platform *p, uint16_t local_port)
{
	struct efi_port *port = efi_port(p);
	int rc;

	net_udp_close(p);
	rc = udp4_open(port, local_port);
	if (rc != 0 && port->pxe == NULL)
		return rc;
	if (rc != 0) {
		debug(1, p, "UDP4: %s; using the base code", error_text(rc));
		port->base_port = local_port;
		p->receive_wait = READ_WAIT_MS;
		if (efi_protocol(port, port->device, &ipxe_guid) != NULL)
			p->receive_wait = 0;
	}
	return 0;
}

/*
 * The source port is always given: with none, or "any", iPXE takes another
 * random one for each packet, and answers would go astray.
 */
static int base_send(struct efi_port *port, const struct endpoint *to, const void *data,
                     size_t length)
{
	EFI_PXE_BASE_CODE_UDP_PORT source = port->base_port, destination = to->port;
	EFI_IP_ADDRESS address;
	UINTN size = length;
	EFI_STATUS status;

	memset(&address, 0, sizeof(address));
	memcpy(address.v4.Addr, to->address, sizeof(to->address));
	status = port->pxe->UdpWrite(port->pxe, 0, &address, &destination, NULL,
	                             &port->pxe->Mode->StationIp, &source, NULL, NULL, &size,
	                             (VOID *)(uintptr_t)data);
	return efi_error(status);
}

/*
 * EDK2 blocks here for 3 s if nothing comes, iPXE never: so nobody may count
 * calls. Both address and port of source and destination are given or flagged
 * as any, since iPXE matches nothing where neither is.
 */
static int base_receive(struct efi_port *port, struct endpoint *from, void *buffer,
                        size_t capacity, size_t *length)
{
	EFI_PXE_BASE_CODE_UDP_PORT source = 0, destination = port->base_port;
	EFI_IP_ADDRESS here = port->pxe->Mode->StationIp, there;
	UINTN size = capacity;
	EFI_STATUS status;

	memset(&there, 0, sizeof(there));
	status = port->pxe->UdpRead(port->pxe,
	                            EFI_PXE_BASE_CODE_UDP_OPFLAGS_ANY_SRC_IP |
	                                    EFI_PXE_BASE_CODE_UDP_OPFLAGS_ANY_SRC_PORT,
	                            &here, &destination, &there, &source, NULL, NULL, &size,
	                            buffer);
	/*
	 * A time-out is the usual case; a too large datagram is dropped by the
	 * firmware itself, and an ICMP error tells of a packet we sent.
	 */
	if (EFI_ERROR(status) || size > capacity)
		return ERR_AGAIN;
	memcpy(from->address, there.v4.Addr, sizeof(from->address));
	from->port = source;
	*length = size;
	return 0;
}

/*
 * iPXE opens its socket at the first UdpWrite() or UdpRead(), which takes the
 * NIC away from its other users and raises the task priority level; the close
 * it schedules forgets both, so that a loader started then hangs in its first
 * wait. Stop() right after the last UDP call undoes it, and Start() makes the
 * same packets and address anew. On EDK2 nothing leaks, and Stop() would lose
 * the address for good.
 */
static void base_close(struct efi_port *port)
{
	EFI_PXE_BASE_CODE_PROTOCOL *pxe = port->pxe;

	port->base_port = 0;
	if (efi_tpl(port) <= port->tpl)
		return;
	debug(1, &port->platform, "base code left TPL %d, restarting it", (int)efi_tpl(port));
	pxe->Stop(pxe);
	pxe->Start(pxe, FALSE);
	if (efi_tpl(port) > port->tpl)
		port->boot->RestoreTPL(port->tpl);
}

int net_udp_send(struct platform *p, const struct endpoint *to, const void *data,
                 size_t length)
{
	struct efi_port *port = efi_port(p);

	if (length > DATAGRAM_MAX)
		return ERR_SPACE;
	if (port->udp4.protocol != NULL)
		return udp4_send(port, to, data, length);
	if (port->base_port != 0)
		return base_send(port, to, data, length);
	return ERR_IO;
}

int net_udp_receive(struct platform *p, struct endpoint *from, void *buffer, size_t capacity,
                    size_t *length)
{
	struct efi_port *port = efi_port(p);

	if (port->udp4.protocol != NULL)
		return udp4_receive(port, from, buffer, capacity, length);
	if (port->base_port != 0)
		return base_receive(port, from, buffer, capacity, length);
	return ERR_IO;
}

void net_udp_close(struct platform *p)
{
	struct efi_port *port = efi_port(p);

	if (port->udp4.protocol != NULL)
		udp4_close(port);
	if (port->base_port != 0)
		base_close(port);
}
