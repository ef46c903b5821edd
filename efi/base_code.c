/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/dhcp4.h"
#include "efi/nic.h"
#include "efi/port.h"
#include "nbp/log.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

/*
 * The PXE base code of a card is given an address and packets, as though it had run DHCP
 * itself: loaders look for them there.
 */

/* What the base code is given. */
struct packets {
	EFI_PXE_BASE_CODE_PACKET ack, proxy;
	bool have_proxy;
};

/* Finds the base code for IPv4 of the card or VLAN @nic. A card's VLANs have their own below it. */
static EFI_HANDLE find_base_code(struct efi *efi, EFI_HANDLE nic)
{
	const EFI_DEVICE_PATH *above = efi_protocol(efi, nic, &efi_path_guid);
	size_t length = above ? device_path_nodes(above) : 0;
	EFI_HANDLE *handles, found = NULL;
	UINTN count = efi_handles(efi, &efi_pxe_guid, &handles);

	for (UINTN i = 0; i < count && !found && length != 0; i++) {
		const uint8_t *path;
		struct source source;

		if (!efi_is_below(efi, handles[i], above, length))
			continue;
		path = efi_protocol(efi, handles[i], &efi_path_guid);
		device_path_read_source(path, DEVICE_PATH_MAX, &source);
		if (!source.ipv6 && path[length + 1] != NODE_VLAN)
			found = handles[i];
	}
	efi_free(efi, handles);
	return found;
}

/* Starts the base code of @handle anew with the address of @lease and with @packets. */
static int start_base_code(struct efi *efi, EFI_HANDLE handle, const struct dhcp_lease *lease,
                           struct packets *packets)
{
	EFI_PXE_BASE_CODE_PROTOCOL *pxe = efi_protocol(efi, handle, &efi_pxe_guid);
	BOOLEAN yes = TRUE, proxy = packets->have_proxy;
	EFI_IP_ADDRESS address, mask;
	EFI_STATUS status;

	if (!pxe || !pxe->Mode)
		return ERR_UNSUPPORTED;
	/* PXE over IPv6 leaves it started: the base codes of a card are one object. */
	if (pxe->Mode->Started)
		pxe->Stop(pxe);
	status = pxe->Start(pxe, FALSE);
	if (EFI_ERROR(status))
		return efi_error(status);
	memset(&address, 0, sizeof(address));
	memset(&mask, 0, sizeof(mask));
	memcpy(address.v4.Addr, lease->address, sizeof(lease->address));
	memcpy(mask.v4.Addr, lease->netmask, sizeof(lease->netmask));
	status = pxe->SetStationIp(pxe, &address, &mask);
	if (!EFI_ERROR(status))
		status = pxe->SetPackets(pxe, NULL, &yes, &proxy, NULL, NULL, NULL, NULL,
		                         &packets->ack, &packets->proxy, NULL, NULL, NULL);
	if (EFI_ERROR(status))
		pxe->Stop(pxe);
	return efi_error(status);
}

/* Asks a proxyDHCP server whose offer names neither file nor policy server at port 4011. */
static void ask_boot_server(struct efi *efi, const struct dhcp_client *client,
                            struct packets *packets)
{
	struct span offer = { packets->proxy.Raw, sizeof(packets->proxy.Raw) };
	struct dhcp_packets only = { .reply = offer };
	struct span sender = dhcp_find_option(offer, DHCP_SERVER_ID);
	uint8_t answer[DHCP_PACKET_MAX];
	struct dhcp_lease lease;
	int rc;

	dhcp_read(&only, &lease);
	if (lease.boot_file[0] || lease.policy_server_named || sender.length != 4)
		return;
	rc = dhcp_client_ask_boot_server(&efi->platform, client, sender.data, answer);
	log_line(&efi->platform, "boot server %pI4: %s", sender.data,
	         rc ? error_text(rc) : "answered");
	if (rc == 0)
		memcpy(packets->proxy.Raw, answer, sizeof(answer));
}

/* Fills @packets with those of @dhcp, or with what the site says in place of DHCP. */
static void collect(const struct dhcp_client *client, const struct dhcp4 *dhcp,
                    const struct site *site, struct packets *packets)
{
	memset(packets, 0, sizeof(*packets));
	if (!dhcp) {
		site_packet(site, client->mac, packets->ack.Raw, sizeof(packets->ack.Raw));
		return;
	}
	memcpy(packets->ack.Raw, dhcp->ack.data, dhcp->ack.length);
	site_apply(site, packets->ack.Raw, sizeof(packets->ack.Raw));
	packets->have_proxy = dhcp->proxy.length != 0;
	memcpy(packets->proxy.Raw, dhcp->proxy.data, dhcp->proxy.length);
}

int base_code_give(struct efi *efi, EFI_HANDLE nic, const struct dhcp_client *client,
                   const struct dhcp4 *dhcp, const struct site *site)
{
	struct dhcp_client here = *client;
	EFI_HANDLE handle = find_base_code(efi, nic);
	struct dhcp_packets only;
	struct packets packets;
	struct dhcp_lease lease;

	if (!handle)
		return ERR_UNSUPPORTED;
	collect(client, dhcp, site, &packets);
	memset(&only, 0, sizeof(only));
	only.ack = (struct span){ packets.ack.Raw, sizeof(packets.ack.Raw) };
	dhcp_read(&only, &lease);
	net_take(efi, handle, &lease);
	if (packets.have_proxy) {
		memcpy(here.address, lease.address, sizeof(here.address));
		ask_boot_server(efi, &here, &packets);
		site_apply(site, packets.proxy.Raw, sizeof(packets.proxy.Raw));
	}
	return start_base_code(efi, handle, &lease, &packets);
}
