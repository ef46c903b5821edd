/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/efi_port.h"
#include "nbp/dhcp.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

/* Prepares a copy of a packet, or nothing where the firmware has none. */
static int prepare(BOOLEAN have, const EFI_PXE_BASE_CODE_PACKET *packet,
                   const struct handover *handover, EFI_PXE_BASE_CODE_PACKET *copy)
{
	if (!have)
		return 0;
	memcpy(copy, packet, sizeof(*copy));
	return dhcp_set_handover(copy->Raw, sizeof(copy->Raw), handover);
}

static bool same(BOOLEAN have, const EFI_PXE_BASE_CODE_PACKET *packet,
                 const EFI_PXE_BASE_CODE_PACKET *copy)
{
	return !have || memcmp(packet, copy, sizeof(*copy)) == 0;
}

/*
 * Puts the options into every packet that a DHCP or boot server sent us, since
 * loaders differ in which they read and which counts: syslinux.efi takes the
 * Ack, then the PxeReply if received, else the ProxyOffer if received; others
 * the other way round. Each keeps its own siaddr and file, which tell a loader
 * where it came from; one without siaddr gets the server that we went by.
 */
static int set_packets(struct efi_port *port, const struct handover *handover)
{
	EFI_PXE_BASE_CODE_PROTOCOL *pxe = port->pxe;
	EFI_PXE_BASE_CODE_MODE *mode = pxe->Mode;
	BOOLEAN ack = mode->DhcpAckReceived, proxy = mode->ProxyOfferReceived,
		reply = mode->PxeReplyReceived;
	EFI_PXE_BASE_CODE_PACKET copies[3];
	EFI_STATUS status;
	int rc;

	if (!ack && !proxy && !reply)
		return ERR_UNSUPPORTED;
	if ((rc = prepare(ack, &mode->DhcpAck, handover, &copies[0])) != 0 ||
	    (rc = prepare(proxy, &mode->ProxyOffer, handover, &copies[1])) != 0 ||
	    (rc = prepare(reply, &mode->PxeReply, handover, &copies[2])) != 0)
		return rc;
	status = pxe->SetPackets(pxe, NULL, &ack, &proxy, NULL, &reply, NULL, NULL,
	                         ack ? &copies[0] : NULL, proxy ? &copies[1] : NULL, NULL,
	                         reply ? &copies[2] : NULL, NULL);
	if (EFI_ERROR(status))
		return efi_error(status);
	/* A loader that found no name would go and look for another's. */
	if (!same(ack, &mode->DhcpAck, &copies[0]) ||
	    !same(proxy, &mode->ProxyOffer, &copies[1]) ||
	    !same(reply, &mode->PxeReply, &copies[2]))
		return ERR_IO;
	return 0;
}

static int load(struct efi_port *port, const struct image *image)
{
	EFI_LOADED_IMAGE *loaded;
	EFI_HANDLE loader;
	int rc = image_load(port, port->path, image->data, image->length, &loader);

	if (rc != 0)
		return rc;
	port->loader = loader;
	loaded = efi_protocol(port, loader, &loaded_image_guid);
	if (loaded == NULL)
		return ERR_IO;
	/* Where a loader looks for its packets; firmware may guess another. */
	loaded->DeviceHandle = port->device;
	return 0;
}

void chain_forget(struct efi_port *port)
{
	if (port->loader != NULL)
		port->boot->UnloadImage(port->loader);
	port->loader = NULL;
}

int chain_prepare(struct platform *p, const struct image *image,
                  const struct handover *handover)
{
	struct efi_port *port = efi_port(p);
	int rc;

	if (port->pxe == NULL)
		return ERR_UNSUPPORTED;
	rc = load(port, image);
	tftp_release(port); /* the firmware has its own copy */
	return rc != 0 ? rc : set_packets(port, handover);
}

int chain_image(struct platform *p, const struct image *image,
                const struct handover *handover)
{
	struct efi_port *port = efi_port(p);
	EFI_HANDLE loader = port->loader;
	EFI_STATUS status;
	int rc;

	(void)image; /* is loaded */
	if (efi_tpl(port) > port->tpl) /* it would hang in its first wait */
		return ERR_IO;
	/* Once more: after UDP by iPXE's base code that has made its packets anew. */
	rc = set_packets(port, handover);
	if (rc != 0)
		return rc;
	port->loader = NULL;
	keys_restore(port);
	console_restore(port);
	mark_clear(port);
	status = image_start(port, loader);
	mark_restore(port);
	pxe_find_again(port);
	keys_find_again(port);
	return status == EFI_SECURITY_VIOLATION ? ERR_REFUSED : ERR_IO;
}
