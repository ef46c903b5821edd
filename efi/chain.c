/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/cpu.h"
#include "efi/fetched.h"
#include "efi/port.h"
#include "nbp/debug.h"
#include "nbp/log.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/tftp_read.h"

/* A loader: fetched by TFTP, given its options in the base code's packets, started. */

/* --- TFTP by EFI_PXE_BASE_CODE_PROTOCOL.Mtftp() (UEFI 24.3.5) ------------------- */

#define IMAGE_MAX (64u << 20)
#define IMAGE_GUESS (8u << 20) /* where no size is known: above any loader's */
#define BLOCK_SIZE 1432        /* fits an Ethernet frame, also inside a tunnel */

#define TFTP_UNDEFINED 0       /* error codes of RFC 1350 */
#define TFTP_NOT_FOUND 1

struct tftp_file {
	EFI_IP_ADDRESS server;
	UINT8 *name;
};

/* Firmware often leaves out the server's error; then the likely one is assumed. */
static int tftp_error(struct efi *efi)
{
	EFI_PXE_BASE_CODE_MODE *mode = efi->pxe->Mode;

	if (!mode->TftpErrorReceived || mode->TftpError.ErrorCode == TFTP_UNDEFINED ||
	    mode->TftpError.ErrorCode == TFTP_NOT_FOUND)
		return ERR_NOT_FOUND;
	return ERR_REFUSED;
}

static EFI_STATUS call_mtftp(struct efi *efi, EFI_PXE_BASE_CODE_TFTP_OPCODE operation,
                             struct tftp_file *file, void *buffer, UINT64 *size)
{
	UINTN block = BLOCK_SIZE;
	EFI_STATUS status;

	efi->platform.watchdog(&efi->platform, WATCHDOG_SECONDS);
	status = efi->pxe->Mtftp(efi->pxe, operation, buffer, FALSE, size, &block,
	                         &file->server, file->name, NULL, FALSE);
	debug(2, &efi->platform, "mtftp %d %s: status %d, size %u", (int)operation,
	      (const char *)file->name, (int)status, (uint32_t)*size);
	return status;
}

/*
 * Asks the server for the file's size. Returns 0, an error that reading would meet too, or
 * ERR_UNSUPPORTED: iPXE before 2026 has no such operation, and EDK2 returns EFI_NOT_FOUND or
 * worse where the server does not know the option "tsize".
 */
static int ask_size(struct efi *efi, struct tftp_file *file, UINT64 *size)
{
	EFI_STATUS status;

	*size = 0;
	status = call_mtftp(efi, EFI_PXE_BASE_CODE_TFTP_GET_FILE_SIZE, file, NULL, size);
	switch (status) {
	case EFI_SUCCESS:
		return *size == 0 ? ERR_UNSUPPORTED : 0;
	case EFI_TFTP_ERROR:
		return tftp_error(efi);
	case EFI_TIMEOUT:
	case EFI_NO_RESPONSE:
	case EFI_ICMP_ERROR:
		return efi_error(status);
	default:
		return ERR_UNSUPPORTED;
	}
}

/* Reads the file into a buffer of @size bytes, which is its length if @known, else a guess. */
static int read_file(struct efi *efi, struct tftp_file *file, size_t size, bool known,
                     struct image *image)
{
	UINT64 length = size;
	EFI_STATUS status;
	int rc;

	/* Some firmware writes a whole last block, however little of it is the file's. */
	if (EFI_ERROR(efi->boot->AllocatePool(EfiLoaderData, size + BLOCK_SIZE,
	                                      &efi->fetched)))
		return ERR_SPACE;
	fetched_prepare(efi->fetched, size);
	status = call_mtftp(efi, EFI_PXE_BASE_CODE_TFTP_READ_FILE, file, efi->fetched, &length);
	if (EFI_ERROR(status)) {
		image_free(efi);
		return status == EFI_TFTP_ERROR ? tftp_error(efi) : efi_error(status);
	}
	image->data = efi->fetched;
	rc = fetched_length(efi->fetched, size, known ? size : 0, length, &image->length);
	if (rc != 0)
		image_free(efi);
	return rc;
}

/* --- TFTP over UDP4 -------------------------------------------------------------- */

static int read_by_udp(struct efi *efi, const uint8_t server[4], const char *name, bool multicast,
                       uint32_t capacity, struct image *image)
{
	struct tftp_reading *reading;
	int rc;

	if (EFI_ERROR(efi->boot->AllocatePool(EfiLoaderData, sizeof(*reading) + capacity,
	                                      &efi->fetched)))
		return ERR_SPACE;
	reading = efi->fetched;
	memset(reading, 0, sizeof(*reading));
	reading->p = &efi->platform;
	reading->join = udp_join;
	reading->capacity = capacity;
	memcpy(reading->server.address, server, sizeof(reading->server.address));
	rc = tftp_read(reading, name, multicast, (uint16_t)(0xc000 | cpu_counter()));
	debug(1, &efi->platform, "%s: %d, %u bytes, %smaster", name, rc, reading->length,
	      reading->master ? "" : "not ");
	image->data = reading->data;
	image->length = reading->length;
	if (rc != 0)
		image_free(efi);
	return rc;
}

/* --- either ---------------------------------------------------------------------- */

int chain_fetch(struct platform *p, const uint8_t server[4], const char *name, bool multicast,
                struct image *image)
{
	struct efi *efi = efi_of(p);
	uint32_t capacity = IMAGE_GUESS;
	struct tftp_file file;
	UINT64 size;
	bool known;
	int rc;

	image_free(efi);
	if (!efi->pxe)
		return ERR_UNSUPPORTED;
	/* The base code knows neither groups nor the router of an address that it did not get. */
	while (multicast || efi->nic.own) {
		rc = read_by_udp(efi, server, name, multicast, capacity, image);
		if (rc == 0)
			return 0;
		if (multicast)
			log_line(p, "%s by multicast: %s", name, error_text(rc));
		else if (rc == ERR_SPACE && capacity != IMAGE_MAX) /* the guess was low */
			capacity = IMAGE_MAX;
		else
			return rc;
		multicast = false;
	}
	memset(&file, 0, sizeof(file));
	memcpy(file.server.v4.Addr, server, 4);
	file.name = (UINT8 *)(uintptr_t)name;
	rc = ask_size(efi, &file, &size);
	known = rc != ERR_UNSUPPORTED;
	if (!known)
		size = IMAGE_GUESS;
	else if (rc != 0)
		return rc;
	if (size > IMAGE_MAX)
		return ERR_SPACE;
	rc = read_file(efi, &file, (size_t)size, known, image);
	if (rc == ERR_SPACE && !known) /* the guess was low */
		rc = read_file(efi, &file, IMAGE_MAX, false, image);
	return rc;
}

/* --- the handover ------------------------------------------------------------ */

/* Copies a packet and puts the options into the copy; does nothing where there is none. */
static int copy_packet(BOOLEAN have, const EFI_PXE_BASE_CODE_PACKET *packet,
                       const struct handover *handover, EFI_PXE_BASE_CODE_PACKET *copy)
{
	if (!have)
		return 0;
	memcpy(copy, packet, sizeof(*copy));
	return dhcp_set_handover(copy->Raw, sizeof(copy->Raw), handover);
}

static bool is_same_packet(BOOLEAN have, const EFI_PXE_BASE_CODE_PACKET *packet,
                           const EFI_PXE_BASE_CODE_PACKET *copy)
{
	return !have || memcmp(packet, copy, sizeof(*copy)) == 0;
}

/*
 * Puts the options into every packet that a DHCP or boot server sent us, since loaders differ
 * in which they read and which counts: syslinux.efi takes the Ack, then the PxeReply if
 * received, else the ProxyOffer if received; others the other way round. Each packet keeps its
 * own file, which tells a loader where it came from; siaddr becomes the server that we used.
 */
static int set_packets(struct efi *efi, const struct handover *handover)
{
	EFI_PXE_BASE_CODE_PROTOCOL *pxe = efi->pxe;
	EFI_PXE_BASE_CODE_MODE *mode = pxe->Mode;
	BOOLEAN ack = mode->DhcpAckReceived, proxy = mode->ProxyOfferReceived,
		reply = mode->PxeReplyReceived;
	EFI_PXE_BASE_CODE_PACKET copies[3];
	EFI_STATUS status;
	int rc;

	if (!ack && !proxy && !reply)
		return ERR_UNSUPPORTED;
	if ((rc = copy_packet(ack, &mode->DhcpAck, handover, &copies[0])) != 0 ||
	    (rc = copy_packet(proxy, &mode->ProxyOffer, handover, &copies[1])) != 0 ||
	    (rc = copy_packet(reply, &mode->PxeReply, handover, &copies[2])) != 0)
		return rc;
	status = pxe->SetPackets(pxe, NULL, &ack, &proxy, NULL, &reply, NULL, NULL,
	                         ack ? &copies[0] : NULL, proxy ? &copies[1] : NULL, NULL,
	                         reply ? &copies[2] : NULL, NULL);
	if (EFI_ERROR(status))
		return efi_error(status);
	/* A loader that found no configuration file's name would look for another one. */
	if (!is_same_packet(ack, &mode->DhcpAck, &copies[0]) ||
	    !is_same_packet(proxy, &mode->ProxyOffer, &copies[1]) ||
	    !is_same_packet(reply, &mode->PxeReply, &copies[2]))
		return ERR_IO;
	return 0;
}

static int load_image(struct efi *efi, const struct image *image)
{
	EFI_LOADED_IMAGE *loaded;
	EFI_HANDLE loader;
	int rc = image_load(efi, efi->path, image->data, image->length, &loader);

	if (rc != 0)
		return rc;
	efi->loader = loader;
	loaded = efi_protocol(efi, loader, &efi_loaded_image_guid);
	if (!loaded)
		return ERR_IO;
	/* A loader looks for its packets there; firmware may have guessed another handle. */
	loaded->DeviceHandle = efi->device;
	return 0;
}

int chain_prepare(struct platform *p, const struct image *image, const struct handover *handover)
{
	struct efi *efi = efi_of(p);
	int rc;

	if (!efi->pxe)
		return ERR_UNSUPPORTED;
	rc = load_image(efi, image);
	image_free(efi); /* the firmware has its own copy */
	return rc != 0 ? rc : set_packets(efi, handover);
}

int chain_start(struct platform *p, const struct image *image, const struct handover *handover)
{
	struct efi *efi = efi_of(p);
	EFI_HANDLE loader = efi->loader;
	EFI_STATUS status;
	int rc;

	(void)image; /* it is loaded */
	if (efi_tpl(efi) > efi->tpl) /* the loader would hang in its first wait */
		return ERR_IO;
	/* The options are set once more: iPXE's base code makes its packets anew after UDP. */
	rc = set_packets(efi, handover);
	if (rc != 0)
		return rc;
	efi->loader = NULL;
	keys_restore(efi);
	console_restore(efi);
	local_clear_bootnext(efi);
	status = image_start(efi, loader);
	local_restore_bootnext(efi);
	net_find_again(efi);
	keys_find_again(efi);
	return status == EFI_SECURITY_VIOLATION ? ERR_REFUSED : ERR_IO;
}
