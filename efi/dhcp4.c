/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/dhcp4.h"

#include "nbp/debug.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

#define OPTIONS_MAX 8

/* Events of which the driver calls back (UEFI 29.2.4). */
enum dhcp4_event {
	RECEIVED_OFFER = 2,
	SELECT_OFFER = 3,
	RECEIVED_ACK = 5,
};

struct dhcp4_protocol;

typedef EFI_STATUS(EFIAPI *dhcp4_callback)(struct dhcp4_protocol *protocol, VOID *context,
                                           UINT32 state, UINT32 event,
                                           struct dhcp4_packet *packet,
                                           struct dhcp4_packet **chosen);

struct dhcp4_config {
	UINT32 discover_tries, *discover_timeouts, request_tries, *request_timeouts;
	EFI_IPv4_ADDRESS address;
	dhcp4_callback callback;
	VOID *context;
	UINT32 option_count;
	UINT8 **options; /* each is code, length and value */
};

struct dhcp4_protocol {
	VOID *get_mode;
	EFI_STATUS(EFIAPI *configure)(struct dhcp4_protocol *this, struct dhcp4_config *config);
	EFI_STATUS(EFIAPI *start)(struct dhcp4_protocol *this, EFI_EVENT done);
	VOID *renew, *release;
	EFI_STATUS(EFIAPI *stop)(struct dhcp4_protocol *this);
};

static const EFI_GUID binding_guid = { 0x9d9a39d8, 0xbd42, 0x4a73,
	                               { 0xa4, 0xd5, 0x8e, 0xe9, 0x4b, 0xe1, 0x13, 0x80 } };
static const EFI_GUID dhcp4_guid = { 0x8a219718, 0x4ef5, 0x4761,
	                             { 0x91, 0xc8, 0xc0, 0xf0, 0x4b, 0xda, 0x9e, 0x56 } };

/* How IPv4 gets its address on a card (UEFI 28.5). */
enum ip4_policy { IP4_STATIC, IP4_DHCP };

#define IP4_POLICY 1 /* the kind of data */

struct ip4_config {
	EFI_STATUS(EFIAPI *set_data)(struct ip4_config *this, UINT32 kind, UINTN size, VOID *data);
	EFI_STATUS(EFIAPI *get_data)(struct ip4_config *this, UINT32 kind, UINTN *size, VOID *data);
};

static const EFI_GUID ip4_config_guid = { 0x5b446ed1, 0xe30b, 0x4faa,
	                                  { 0x87, 0x1a, 0x36, 0x54, 0xec, 0xa3, 0x60, 0x80 } };

static struct span packet_span(const struct dhcp4_packet *packet)
{
	return (struct span){ packet->data, packet->length };
}

/* Keeps a copy of @packet, unless it is longer than a PXE client can take: it counts as none then. */
static bool keep_packet(struct dhcp4_packet *copy, const struct dhcp4_packet *packet)
{
	if (packet->length > sizeof(copy->data))
		return false;
	memset(copy, 0, sizeof(*copy));
	copy->size = sizeof(*copy);
	copy->length = packet->length;
	memcpy(copy->data, packet->data, packet->length);
	return true;
}

/* Keeps what is best of the offers. Returns whether no better one is worth waiting for. */
static bool consider_offer(struct dhcp4 *dhcp, const struct dhcp4_packet *packet)
{
	enum dhcp_rank rank = dhcp_client_rank(packet_span(packet));

	if (dhcp_client_is_proxy(packet_span(packet)))
		keep_packet(&dhcp->proxy, packet);
	else if (rank > dhcp->rank && keep_packet(&dhcp->offer, packet))
		dhcp->rank = rank;
	return dhcp->offer.length != 0 &&
	       (dhcp->rank >= dhcp->enough || dhcp->proxy.length != 0);
}

/*
 * The driver waits for offers until its first time-out, or until we have enough. Left to itself
 * it would take the last one, even a proxyDHCP server's, which has no address.
 */
static EFI_STATUS EFIAPI on_event(struct dhcp4_protocol *protocol, VOID *context, UINT32 state,
                                  UINT32 event, struct dhcp4_packet *packet,
                                  struct dhcp4_packet **chosen)
{
	struct dhcp4 *dhcp = context;

	(void)protocol;
	(void)state;
	if (event == RECEIVED_OFFER && !consider_offer(dhcp, packet))
		return EFI_NOT_READY;
	/* A server may acknowledge another address than it offered. */
	if (event == RECEIVED_ACK && dhcp_client_rank(packet_span(packet)) != DHCP_USELESS)
		keep_packet(&dhcp->ack, packet);
	if (event == SELECT_OFFER) {
		if (dhcp->offer.length == 0)
			return EFI_ABORTED;
		*chosen = &dhcp->offer;
	}
	return EFI_SUCCESS;
}

/*
 * Ends the DHCP that the firmware's IPv4 runs on card @handle by itself, as EDK2's PXE does: a
 * card's DHCP has one user at a time. A loader that asked for any address, as syslinux.efi does, has
 * IPv4 run it in each later boot, too.
 */
static void end_automatic_address(struct efi *efi, EFI_HANDLE handle)
{
	struct ip4_config *config = efi_protocol(efi, handle, &ip4_config_guid);
	UINT32 policy;
	UINTN size = sizeof(policy);

	if (!config || EFI_ERROR(config->get_data(config, IP4_POLICY, &size, &policy)) ||
	    policy != IP4_DHCP)
		return;
	policy = IP4_STATIC;
	config->set_data(config, IP4_POLICY, sizeof(policy), &policy);
	debug(1, &efi->platform, "IPv4 ran DHCP by itself");
}

/* Configures the driver, which copies all that it is given. */
static EFI_STATUS configure(struct dhcp4 *dhcp, const struct dhcp_client *client)
{
	static UINT32 timeouts[] = { 1, 2, 4, 8 };
	struct dhcp4_config config;
	UINT8 bytes[256], *options[OPTIONS_MAX];
	size_t length = dhcp_client_options(client, bytes, sizeof(bytes)), at = 0;
	UINT32 count = 0;

	for (; at < length && count < OPTIONS_MAX; at += 2u + bytes[at + 1])
		options[count++] = &bytes[at];
	memset(&config, 0, sizeof(config));
	config.discover_tries = config.request_tries = sizeof(timeouts) / sizeof(timeouts[0]);
	config.discover_timeouts = config.request_timeouts = timeouts;
	config.callback = on_event;
	config.context = dhcp;
	config.option_count = count;
	config.options = options;
	return dhcp->protocol->configure(dhcp->protocol, &config);
}

bool dhcp4_is_there(struct efi *efi, EFI_HANDLE handle)
{
	return efi_protocol(efi, handle, &binding_guid) != NULL;
}

int dhcp4_open(struct efi *efi, EFI_HANDLE handle, const struct dhcp_client *client,
               enum dhcp_rank enough, struct dhcp4 *dhcp)
{
	EFI_STATUS status;

	memset(dhcp, 0, sizeof(*dhcp));
	dhcp->efi = efi;
	dhcp->enough = enough;
	dhcp->binding = efi_protocol(efi, handle, &binding_guid);
	if (!dhcp->binding)
		return ERR_UNSUPPORTED;
	end_automatic_address(efi, handle);
	status = dhcp->binding->CreateChild(dhcp->binding, &dhcp->child);
	if (EFI_ERROR(status))
		return efi_error(status);
	dhcp->protocol = efi_protocol(efi, dhcp->child, &dhcp4_guid);
	status = efi->boot->CreateEvent(0, TPL_CALLBACK, NULL, NULL, &dhcp->done);
	if (!EFI_ERROR(status) && dhcp->protocol)
		status = configure(dhcp, client);
	if (!EFI_ERROR(status) && dhcp->protocol)
		status = dhcp->protocol->start(dhcp->protocol, dhcp->done);
	debug(1, &efi->platform, "DHCP4 begins: status %d", (int)status);
	if (!EFI_ERROR(status) && dhcp->protocol)
		return 0;
	dhcp4_close(dhcp);
	return ERR_IO;
}

int dhcp4_poll(struct dhcp4 *dhcp)
{
	if (dhcp->efi->boot->CheckEvent(dhcp->done) != EFI_SUCCESS)
		return ERR_AGAIN;
	debug(1, &dhcp->efi->platform, "DHCP4 ended: rank %u, an ack of %u bytes",
	      (uint32_t)dhcp->rank, dhcp->ack.length);
	return dhcp->ack.length != 0 ? 0 : ERR_TIMEOUT;
}

int dhcp4_again(struct dhcp4 *dhcp, const struct dhcp_client *client)
{
	EFI_STATUS status;

	/* A driver that was stopped has to be configured anew before it can start (UEFI 29.2.4). */
	dhcp->protocol->stop(dhcp->protocol);
	dhcp->rank = DHCP_USELESS;
	dhcp->offer.length = dhcp->proxy.length = dhcp->ack.length = 0;
	status = configure(dhcp, client);
	if (!EFI_ERROR(status))
		status = dhcp->protocol->start(dhcp->protocol, dhcp->done);
	debug(1, &dhcp->efi->platform, "DHCP4 begins anew: status %d", (int)status);
	return efi_error(status);
}

void dhcp4_close(struct dhcp4 *dhcp)
{
	struct efi *efi = dhcp->efi;

	if (dhcp->protocol) {
		dhcp->protocol->stop(dhcp->protocol);
		dhcp->protocol->configure(dhcp->protocol, NULL);
	}
	if (dhcp->child)
		dhcp->binding->DestroyChild(dhcp->binding, dhcp->child);
	if (dhcp->done)
		efi->boot->CloseEvent(dhcp->done);
	dhcp->protocol = NULL;
	dhcp->child = NULL;
	dhcp->done = NULL;
}
