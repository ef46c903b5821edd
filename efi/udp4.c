/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/efi_port.h"
#include "nbp/debug.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

/*
 * UDP by EFI_UDP4_PROTOCOL (UEFI 30.1). It is preferred to the base code
 * because EDK2's UdpRead() blocks for 3 s and loses what waits for more than
 * 50 ms, and iPXE's leaks a task priority level; a receive token that is
 * always posted does neither. EDK2's driver is also there above the SNP of
 * iPXE's option ROM, and works; below an iPXE that was itself loaded from the
 * network there is none, and net.c uses iPXE's base code.
 */

#define TTL 64
#define SEND_WAIT_MS 20   /* for the token to come back; ARP may take longer */
#define CLOSE_WAIT_MS 100 /* the same, for what nobody will repeat */

static EFI_GUID binding_guid = EFI_UDP4_SERVICE_BINDING_PROTOCOL;
static EFI_GUID udp4_guid = EFI_UDP4_PROTOCOL;

/* A failure shows at the next send, or never; receiving then finds nothing. */
static void post_receive(struct udp4 *udp4)
{
	udp4->receive.Packet.RxData = NULL;
	udp4->receiving = !EFI_ERROR(udp4->protocol->Receive(udp4->protocol, &udp4->receive));
}

static EFI_STATUS configure(struct efi_port *port, uint16_t local_port)
{
	EFI_UDP4_CONFIG_DATA config;

	/*
	 * The address is given: the "default" one is the firmware's set-up for
	 * itself, which a machine booted by PXE need not have.
	 */
	memset(&config, 0, sizeof(config));
	config.TimeToLive = TTL;
	config.UseDefaultAddress = FALSE;
	config.StationAddress = port->nic.address;
	config.SubnetMask = port->nic.mask;
	config.StationPort = local_port;
	return port->udp4.protocol->Configure(port->udp4.protocol, &config);
}

/* Not fatal: most servers are on the machine's own network. */
static void add_route(struct efi_port *port)
{
	EFI_IPv4_ADDRESS any, router = port->nic.router;
	EFI_STATUS status;

	memset(&any, 0, sizeof(any));
	if (memcmp(&router, &any, sizeof(any)) == 0)
		return;
	status = port->udp4.protocol->Routes(port->udp4.protocol, FALSE, &any, &any, &router);
	if (EFI_ERROR(status))
		debug(1, &port->platform, "UDP4 route by %pI4: status %d", router.Addr,
		      (int)status);
}

static int create_events(struct efi_port *port)
{
	struct udp4 *udp4 = &port->udp4;

	if (EFI_ERROR(port->boot->CreateEvent(0, TPL_CALLBACK, NULL, NULL,
	                                      &udp4->receive.Event)))
		return ERR_SPACE;
	if (EFI_ERROR(port->boot->CreateEvent(0, TPL_CALLBACK, NULL, NULL,
	                                      &udp4->transmit.Event)))
		return ERR_SPACE;
	return 0;
}

int udp4_open(struct efi_port *port, uint16_t local_port)
{
	struct udp4 *udp4 = &port->udp4;
	EFI_STATUS status;
	int rc;

	memset(udp4, 0, sizeof(*udp4));
	if (port->nic.address.Addr[0] == 0) /* no address yet, or none of IPv4 */
		return ERR_UNSUPPORTED;
	udp4->binding = efi_protocol(port, efi_parent_with(port, port->path, &binding_guid),
	                             &binding_guid);
	if (udp4->binding == NULL)
		return ERR_UNSUPPORTED;
	status = udp4->binding->CreateChild(udp4->binding, &udp4->child);
	if (EFI_ERROR(status))
		return efi_error(status);
	udp4->protocol = efi_protocol(port, udp4->child, &udp4_guid);
	rc = ERR_UNSUPPORTED;
	if (udp4->protocol == NULL)
		goto fail;
	status = configure(port, local_port);
	rc = efi_error(status);
	if (rc != 0)
		goto fail;
	add_route(port);
	rc = create_events(port);
	if (rc != 0)
		goto fail;
	post_receive(udp4);
	debug(1, &port->platform, "UDP4 open on port %u", local_port);
	return 0;

fail:
	udp4_close(port);
	return rc;
}

/* Asks whether the transmit token is ours again; drives the driver meanwhile. */
static bool sent(struct efi_port *port)
{
	struct udp4 *udp4 = &port->udp4;

	udp4->protocol->Poll(udp4->protocol);
	if (udp4->sending && port->boot->CheckEvent(udp4->transmit.Event) == EFI_SUCCESS)
		udp4->sending = false;
	return !udp4->sending;
}

static bool wait_sent(struct efi_port *port, uint32_t ms)
{
	struct platform *p = &port->platform;
	uint32_t begun = p->now(p);

	while (!sent(port) && p->now(p) - begun < ms)
		p->idle(p);
	return !port->udp4.sending;
}

/* The first datagram may wait for ARP; it is left to, from our own buffer. */
int udp4_send(struct efi_port *port, const struct endpoint *to, const void *data,
              size_t length)
{
	struct udp4 *udp4 = &port->udp4;
	EFI_STATUS status;

	if (!wait_sent(port, SEND_WAIT_MS)) {
		udp4->protocol->Cancel(udp4->protocol, &udp4->transmit);
		if (!sent(port))
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
		debug(1, &port->platform, "UDP4 transmit: status %d", (int)status);
		return efi_error(status);
	}
	udp4->sending = true;
	wait_sent(port, SEND_WAIT_MS);
	return 0;
}

/* Copies a received datagram out; too large a one counts as none. */
static int take(const EFI_UDP4_RECEIVE_DATA *data, struct endpoint *from, uint8_t *buffer,
                size_t capacity, size_t *length)
{
	size_t used = 0;

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

int udp4_receive(struct efi_port *port, struct endpoint *from, void *buffer, size_t capacity,
                 size_t *length)
{
	struct udp4 *udp4 = &port->udp4;
	EFI_UDP4_RECEIVE_DATA *data;
	int rc = ERR_AGAIN;

	sent(port); /* polls, for both tokens */
	if (!udp4->receiving)
		post_receive(udp4);
	if (!udp4->receiving || port->boot->CheckEvent(udp4->receive.Event) != EFI_SUCCESS)
		return ERR_AGAIN;
	udp4->receiving = false;
	data = udp4->receive.Packet.RxData;
	if (EFI_ERROR(udp4->receive.Status)) {
		/* An ICMP error about what we sent ends the token, not the socket. */
		debug(1, &port->platform, "UDP4 receive: status %d", (int)udp4->receive.Status);
	} else if (data != NULL) {
		rc = take(data, from, buffer, capacity, length);
		port->boot->SignalEvent(data->RecycleSignal);
	}
	post_receive(udp4);
	return rc;
}

void udp4_close(struct efi_port *port)
{
	struct udp4 *udp4 = &port->udp4;

	if (udp4->protocol != NULL) {
		wait_sent(port, CLOSE_WAIT_MS); /* the last events */
		udp4->protocol->Cancel(udp4->protocol, NULL);
		if (udp4->receiving &&
		    port->boot->CheckEvent(udp4->receive.Event) == EFI_SUCCESS &&
		    !EFI_ERROR(udp4->receive.Status) && udp4->receive.Packet.RxData != NULL)
			port->boot->SignalEvent(udp4->receive.Packet.RxData->RecycleSignal);
		udp4->protocol->Configure(udp4->protocol, NULL);
	}
	if (udp4->receive.Event != NULL)
		port->boot->CloseEvent(udp4->receive.Event);
	if (udp4->transmit.Event != NULL)
		port->boot->CloseEvent(udp4->transmit.Event);
	udp4->binding->DestroyChild(udp4->binding, udp4->child);
	memset(udp4, 0, sizeof(*udp4));
}
