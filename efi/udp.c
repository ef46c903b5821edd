/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/port.h"
#include "nbp/debug.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

/*
 * UDP by EFI_UDP4_PROTOCOL (UEFI 30.1), or by the PXE base code (24.3) where there is none.
 * UDP4 comes first because EDK2's UdpRead() blocks for 3 s and loses what waits for more than
 * 50 ms, and iPXE's leaks a task priority level; a receive token that is always posted does
 * neither. EDK2's driver is also there above the SNP of iPXE's option ROM, and works; below
 * an iPXE that was itself loaded from the network there is none.
 */

#define TTL 64
#define SEND_WAIT_MS 20   /* for the transmit token to come back; ARP may take longer */
#define CLOSE_WAIT_MS 100 /* the same before closing, for a datagram that nobody repeats */
#define READ_WAIT_MS 3100 /* EDK2's UdpRead() blocks for 3 s, and a little */

static const EFI_GUID binding_guid = EFI_UDP4_SERVICE_BINDING_PROTOCOL;
static const EFI_GUID udp4_guid = EFI_UDP4_PROTOCOL;
/* iPXE's own download protocol: a handle that has it has iPXE's base code. */
static const EFI_GUID ipxe_guid = { 0x3eaeaebd, 0xdecf, 0x493b,
	                            { 0x9b, 0xd1, 0xcd, 0xb2, 0xde, 0xca, 0xe7, 0x19 } };

/* --- UDP4 -------------------------------------------------------------------- */

/* A failure shows at the next send, or never; then nothing is received. */
static void post_receive(struct udp4 *udp4)
{
	udp4->receive.Packet.RxData = NULL;
	udp4->receiving = !EFI_ERROR(udp4->protocol->Receive(udp4->protocol, &udp4->receive));
}

static EFI_STATUS configure_udp4(struct efi *efi, uint16_t local_port)
{
	EFI_UDP4_CONFIG_DATA config;

	/*
	 * The station address is named: the "default" one is the firmware's set-up for
	 * itself, which a machine booted by PXE need not have.
	 */
	memset(&config, 0, sizeof(config));
	config.TimeToLive = TTL;
	config.UseDefaultAddress = FALSE;
	config.StationAddress = efi->nic.address;
	config.SubnetMask = efi->nic.mask;
	config.StationPort = local_port;
	config.AcceptAnyPort = TRUE; /* a group has its own; copy_datagram() looks at them */
	return efi->udp4.protocol->Configure(efi->udp4.protocol, &config);
}

/* A failure is not fatal: most servers are on the machine's own network. */
static void add_route(struct efi *efi)
{
	EFI_IPv4_ADDRESS any, router = efi->nic.router;
	EFI_STATUS status;

	memset(&any, 0, sizeof(any));
	if (memcmp(&router, &any, sizeof(any)) == 0)
		return;
	status = efi->udp4.protocol->Routes(efi->udp4.protocol, FALSE, &any, &any, &router);
	if (EFI_ERROR(status))
		debug(1, &efi->platform, "UDP4 route by %pI4: status %d", router.Addr,
		      (int)status);
}

static int create_events(struct efi *efi)
{
	struct udp4 *udp4 = &efi->udp4;

	if (EFI_ERROR(efi->boot->CreateEvent(0, TPL_CALLBACK, NULL, NULL,
	                                     &udp4->receive.Event)))
		return ERR_SPACE;
	if (EFI_ERROR(efi->boot->CreateEvent(0, TPL_CALLBACK, NULL, NULL,
	                                     &udp4->transmit.Event)))
		return ERR_SPACE;
	return 0;
}

/* Polls the driver. Returns whether the transmit token is ours again. */
static bool poll_sent(struct efi *efi)
{
	struct udp4 *udp4 = &efi->udp4;

	udp4->protocol->Poll(udp4->protocol);
	if (udp4->sending && efi->boot->CheckEvent(udp4->transmit.Event) == EFI_SUCCESS)
		udp4->sending = false;
	return !udp4->sending;
}

/* Waits at most @ms until the transmit token is ours again. Returns whether it is. */
static bool wait_sent(struct efi *efi, uint32_t ms)
{
	struct platform *p = &efi->platform;
	uint32_t begun = p->now(p);

	while (!poll_sent(efi) && p->now(p) - begun < ms)
		p->idle(p);
	return !efi->udp4.sending;
}

static void udp4_close(struct efi *efi)
{
	struct udp4 *udp4 = &efi->udp4;

	if (udp4->protocol) {
		wait_sent(efi, CLOSE_WAIT_MS); /* the last datagram may be an event */
		udp4->protocol->Cancel(udp4->protocol, NULL);
		if (udp4->receiving &&
		    efi->boot->CheckEvent(udp4->receive.Event) == EFI_SUCCESS &&
		    !EFI_ERROR(udp4->receive.Status) && udp4->receive.Packet.RxData)
			efi->boot->SignalEvent(udp4->receive.Packet.RxData->RecycleSignal);
		udp4->protocol->Configure(udp4->protocol, NULL);
	}
	if (udp4->receive.Event)
		efi->boot->CloseEvent(udp4->receive.Event);
	if (udp4->transmit.Event)
		efi->boot->CloseEvent(udp4->transmit.Event);
	udp4->binding->DestroyChild(udp4->binding, udp4->child);
	memset(udp4, 0, sizeof(*udp4));
}

/*
 * Opens efi->udp4 with the address that the base code has. Returns 0, ERR_UNSUPPORTED if this
 * NIC has no UDP4, or another error if it has one that does not work; then nothing stays open.
 */
static int udp4_open(struct efi *efi, uint16_t local_port)
{
	struct udp4 *udp4 = &efi->udp4;
	EFI_STATUS status;
	int rc;

	memset(udp4, 0, sizeof(*udp4));
	if (efi->nic.address.Addr[0] == 0) /* no address yet, or none of IPv4 */
		return ERR_UNSUPPORTED;
	udp4->binding = efi_parent_protocol(efi, efi->path, &binding_guid);
	if (!udp4->binding)
		return ERR_UNSUPPORTED;
	status = udp4->binding->CreateChild(udp4->binding, &udp4->child);
	if (EFI_ERROR(status))
		return efi_error(status);
	udp4->protocol = efi_protocol(efi, udp4->child, &udp4_guid);
	rc = ERR_UNSUPPORTED;
	if (!udp4->protocol)
		goto fail;
	status = configure_udp4(efi, local_port);
	rc = efi_error(status);
	if (rc != 0)
		goto fail;
	add_route(efi);
	rc = create_events(efi);
	if (rc != 0)
		goto fail;
	udp4->port = udp4->group_port = local_port;
	post_receive(udp4);
	debug(1, &efi->platform, "UDP4 open on port %u", local_port);
	return 0;

fail:
	udp4_close(efi);
	return rc;
}

/* The first datagram may wait for ARP after this returns, so it is sent from our own buffer. */
static int udp4_send(struct efi *efi, const struct endpoint *to, const void *data,
                     size_t length)
{
	struct udp4 *udp4 = &efi->udp4;
	EFI_STATUS status;

	if (!wait_sent(efi, SEND_WAIT_MS)) {
		udp4->protocol->Cancel(udp4->protocol, &udp4->transmit);
		if (!poll_sent(efi))
			return ERR_IO; /* buffer and token still belong to the firmware */
	}
	memcpy(udp4->buffer, data, length);
	memset(&udp4->session, 0, sizeof(udp4->session));
	memcpy(udp4->session.DestinationAddress.Addr, to->address, sizeof(to->address));
	udp4->session.DestinationPort = to->port;
	memset(&udp4->packet, 0, sizeof(udp4->packet));
	udp4->packet.UdpSessionData = &udp4->session;
	udp4->packet.DataLength = (UINT32)length;
	udp4->packet.FragmentCount = 1;
	udp4->packet.FragmentTable[0].FragmentLength = (UINT32)length;
	udp4->packet.FragmentTable[0].FragmentBuffer = udp4->buffer;
	udp4->transmit.Packet.TxData = &udp4->packet;
	status = udp4->protocol->Transmit(udp4->protocol, &udp4->transmit);
	if (EFI_ERROR(status)) {
		debug(1, &efi->platform, "UDP4 transmit: status %d", (int)status);
		return efi_error(status);
	}
	udp4->sending = true;
	wait_sent(efi, SEND_WAIT_MS);
	return 0;
}

/* Copies a received datagram out; one for another port, or too large, counts as none. */
static int copy_datagram(const struct udp4 *udp4, const EFI_UDP4_RECEIVE_DATA *data,
                         struct endpoint *from, uint8_t *buffer, size_t capacity, size_t *length)
{
	size_t used = 0;

	if (data->UdpSession.DestinationPort != udp4->port &&
	    data->UdpSession.DestinationPort != udp4->group_port)
		return ERR_AGAIN;

	for (UINT32 i = 0; i < data->FragmentCount; i++) {
		size_t count = data->FragmentTable[i].FragmentLength;

		if (count > capacity - used)
			return ERR_AGAIN;
		memcpy(buffer + used, data->FragmentTable[i].FragmentBuffer, count);
		used += count;
	}
	memcpy(from->address, data->UdpSession.SourceAddress.Addr, sizeof(from->address));
	from->port = data->UdpSession.SourcePort;
	*length = used;
	return 0;
}

static int udp4_receive(struct efi *efi, struct endpoint *from, void *buffer, size_t capacity,
                        size_t *length)
{
	struct udp4 *udp4 = &efi->udp4;
	EFI_UDP4_RECEIVE_DATA *data;
	int rc = ERR_AGAIN;

	poll_sent(efi); /* it drives the driver for both tokens */
	if (!udp4->receiving)
		post_receive(udp4);
	if (!udp4->receiving || efi->boot->CheckEvent(udp4->receive.Event) != EFI_SUCCESS)
		return ERR_AGAIN;
	udp4->receiving = false;
	data = udp4->receive.Packet.RxData;
	if (EFI_ERROR(udp4->receive.Status)) {
		/* An ICMP error about what we sent ends the token, not the socket. */
		debug(1, &efi->platform, "UDP4 receive: status %d", (int)udp4->receive.Status);
	} else if (data) {
		rc = copy_datagram(udp4, data, from, buffer, capacity, length);
		efi->boot->SignalEvent(data->RecycleSignal);
	}
	post_receive(udp4);
	return rc;
}

int udp_join(struct platform *p, const uint8_t group[4], uint16_t port)
{
	struct efi *efi = efi_of(p);
	EFI_IPv4_ADDRESS address;

	if (!efi->udp4.protocol)
		return ERR_UNSUPPORTED;
	memcpy(address.Addr, group, sizeof(address.Addr));
	efi->udp4.group_port = port;
	return efi_error(efi->udp4.protocol->Groups(efi->udp4.protocol, TRUE, &address));
}

/* --- the base code ----------------------------------------------------------- */

/*
 * The source port is always named: with none, or "any", iPXE takes another random one for
 * each packet, and answers would go astray.
 */
static int base_send(struct efi *efi, const struct endpoint *to, const void *data,
                     size_t length)
{
	EFI_PXE_BASE_CODE_UDP_PORT source = efi->base_port, destination = to->port;
	EFI_IP_ADDRESS address;
	UINTN size = length;
	EFI_STATUS status;

	memset(&address, 0, sizeof(address));
	memcpy(address.v4.Addr, to->address, sizeof(to->address));
	status = efi->pxe->UdpWrite(efi->pxe, 0, &address, &destination, NULL,
	                            &efi->pxe->Mode->StationIp, &source, NULL, NULL, &size,
	                            (VOID *)(uintptr_t)data);
	return efi_error(status);
}

/*
 * EDK2 blocks here for 3 s if nothing comes, iPXE never, so callers cannot count calls. Both
 * address and port of source and destination are named or flagged as "any", since iPXE
 * matches nothing where neither is.
 */
static int base_receive(struct efi *efi, struct endpoint *from, void *buffer,
                        size_t capacity, size_t *length)
{
	EFI_PXE_BASE_CODE_UDP_PORT source = 0, destination = efi->base_port;
	EFI_IP_ADDRESS here = efi->pxe->Mode->StationIp, there;
	UINTN size = capacity;
	EFI_STATUS status;

	memset(&there, 0, sizeof(there));
	status = efi->pxe->UdpRead(efi->pxe,
	                           EFI_PXE_BASE_CODE_UDP_OPFLAGS_ANY_SRC_IP |
	                                   EFI_PXE_BASE_CODE_UDP_OPFLAGS_ANY_SRC_PORT,
	                           &here, &destination, &there, &source, NULL, NULL, &size,
	                           buffer);
	/*
	 * A time-out is the usual case. The firmware itself drops a datagram that is
	 * too large, and an ICMP error is about a packet we sent.
	 */
	if (EFI_ERROR(status) || size > capacity)
		return ERR_AGAIN;
	memcpy(from->address, there.v4.Addr, sizeof(from->address));
	from->port = source;
	*length = size;
	return 0;
}

/*
 * iPXE opens its socket at the first UdpWrite() or UdpRead(), which takes the NIC away from
 * its other users and raises the task priority level; the close that it schedules restores
 * neither, so a loader started then hangs in its first wait. Stop() right after the last UDP
 * call undoes both, and Start() makes the same packets and address anew. On EDK2 nothing
 * leaks, and Stop() would lose the address for good.
 */
static void base_close(struct efi *efi)
{
	EFI_PXE_BASE_CODE_PROTOCOL *pxe = efi->pxe;

	efi->base_port = 0;
	if (efi_tpl(efi) <= efi->tpl)
		return;
	debug(1, &efi->platform, "base code left TPL %d, restarting it", (int)efi_tpl(efi));
	pxe->Stop(pxe);
	pxe->Start(pxe, FALSE);
	if (efi_tpl(efi) > efi->tpl)
		efi->boot->RestoreTPL(efi->tpl);
}

/* --- either ------------------------------------------------------------------ */

int udp_open(struct platform *p, uint16_t local_port)
{
	struct efi *efi = efi_of(p);
	int rc;

	udp_close(p);
	rc = udp4_open(efi, local_port);
	if (rc != 0 && !efi->pxe)
		return rc;
	if (rc != 0) {
		debug(1, p, "UDP4: %s; using the base code", error_text(rc));
		efi->base_port = local_port;
		p->receive_wait = READ_WAIT_MS;
		if (efi_protocol(efi, efi->device, &ipxe_guid))
			p->receive_wait = 0;
	}
	return 0;
}

int udp_send(struct platform *p, const struct endpoint *to, const void *data, size_t length)
{
	struct efi *efi = efi_of(p);
	int rc = ERR_IO;

	if (length > DATAGRAM_MAX)
		return ERR_SPACE;
	if (efi->udp4.protocol)
		rc = udp4_send(efi, to, data, length);
	else if (efi->base_port != 0)
		rc = base_send(efi, to, data, length);
	debug(2, p, "%u bytes to %pI4:%u: %s", (uint32_t)length, to->address,
	      (uint32_t)to->port, error_text(rc));
	return rc;
}

int udp_receive(struct platform *p, struct endpoint *from, void *buffer, size_t capacity,
                size_t *length)
{
	struct efi *efi = efi_of(p);
	int rc = ERR_IO;

	if (efi->udp4.protocol)
		rc = udp4_receive(efi, from, buffer, capacity, length);
	else if (efi->base_port != 0)
		rc = base_receive(efi, from, buffer, capacity, length);
	if (rc == 0)
		debug(2, p, "%u bytes from %pI4:%u", (uint32_t)*length, from->address,
		      (uint32_t)from->port);
	return rc;
}

void udp_close(struct platform *p)
{
	struct efi *efi = efi_of(p);

	if (efi->udp4.protocol)
		udp4_close(efi);
	if (efi->base_port != 0)
		base_close(efi);
}
