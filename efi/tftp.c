/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/efi_port.h"
#include "efi/fetched.h"
#include "nbp/debug.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

/* TFTP by EFI_PXE_BASE_CODE_PROTOCOL.Mtftp() (UEFI 24.3.5). */

#define IMAGE_MAX (64u << 20)
#define IMAGE_GUESS (8u << 20) /* where the size cannot be learnt: above any loader's */
#define BLOCK_SIZE 1432        /* fits an Ethernet frame, also inside a tunnel */

#define TFTP_UNDEFINED 0 /* RFC 1350's error codes */
#define TFTP_NOT_FOUND 1

struct tftp_file {
	EFI_IP_ADDRESS server;
	UINT8 *name;
};

/* Firmware often leaves out the server's error; the likely one is assumed. */
static int tftp_error(struct efi_port *port)
{
	EFI_PXE_BASE_CODE_MODE *mode = port->pxe->Mode;

	if (!mode->TftpErrorReceived || mode->TftpError.ErrorCode == TFTP_UNDEFINED ||
	    mode->TftpError.ErrorCode == TFTP_NOT_FOUND)
		return ERR_NOT_FOUND;
	return ERR_REFUSED;
}

static EFI_STATUS mtftp(struct efi_port *port, EFI_PXE_BASE_CODE_TFTP_OPCODE operation,
                        struct tftp_file *file, void *buffer, UINT64 *size)
{
	UINTN block = BLOCK_SIZE;
	EFI_STATUS status;

	port->platform.watchdog(&port->platform, WATCHDOG_SECONDS);
	status = port->pxe->Mtftp(port->pxe, operation, buffer, FALSE, size, &block,
	                          &file->server, file->name, NULL, FALSE);
	debug(2, &port->platform, "mtftp %d %s: status %d, size %u", (int)operation,
	      (const char *)file->name, (int)status, (uint32_t)*size);
	return status;
}

/*
 * Returns 0, an error that reading would meet too, or ERR_UNSUPPORTED: iPXE
 * before 2026 has no such operation, and EDK2 says EFI_NOT_FOUND or worse where
 * the server does not know the option "tsize".
 */
static int file_size(struct efi_port *port, struct tftp_file *file, UINT64 *size)
{
	EFI_STATUS status;

	*size = 0;
	status = mtftp(port, EFI_PXE_BASE_CODE_TFTP_GET_FILE_SIZE, file, NULL, size);
	switch (status) {
	case EFI_SUCCESS:
		return *size == 0 ? ERR_UNSUPPORTED : 0;
	case EFI_TFTP_ERROR:
		return tftp_error(port);
	case EFI_TIMEOUT:
	case EFI_NO_RESPONSE:
	case EFI_ICMP_ERROR:
		return efi_error(status);
	default:
		return ERR_UNSUPPORTED;
	}
}

/* Reads the file into room for @size bytes, which is its length if @told, else a guess. */
static int read_file(struct efi_port *port, struct tftp_file *file, size_t size, bool told,
                     struct image *image)
{
	UINT64 length = size;
	EFI_STATUS status;
	int rc;

	/* Some firmware writes a whole last block, however little of it counts. */
	if (EFI_ERROR(port->boot->AllocatePool(EfiLoaderData, size + BLOCK_SIZE,
	                                       &port->fetched)))
		return ERR_SPACE;
	fetched_prepare(port->fetched, size);
	status = mtftp(port, EFI_PXE_BASE_CODE_TFTP_READ_FILE, file, port->fetched, &length);
	if (EFI_ERROR(status)) {
		tftp_release(port);
		return status == EFI_TFTP_ERROR ? tftp_error(port) : efi_error(status);
	}
	image->data = port->fetched;
	rc = fetched_length(port->fetched, size, told ? size : 0, length, &image->length);
	if (rc != 0)
		tftp_release(port);
	return rc;
}

void tftp_release(struct efi_port *port)
{
	if (port->fetched != NULL)
		port->boot->FreePool(port->fetched);
	port->fetched = NULL;
}

int tftp_fetch(struct platform *p, const uint8_t server[4], const char *name,
               struct image *image)
{
	struct efi_port *port = efi_port(p);
	struct tftp_file file;
	UINT64 size;
	bool told;
	int rc;

	tftp_release(port);
	if (port->pxe == NULL)
		return ERR_UNSUPPORTED;
	memset(&file, 0, sizeof(file));
	memcpy(file.server.v4.Addr, server, 4);
	file.name = (UINT8 *)(uintptr_t)name;
	rc = file_size(port, &file, &size);
	told = rc != ERR_UNSUPPORTED;
	if (!told)
		size = IMAGE_GUESS;
	else if (rc != 0)
		return rc;
	if (size > IMAGE_MAX)
		return ERR_SPACE;
	rc = read_file(port, &file, (size_t)size, told, image);
	if (rc == ERR_SPACE && !told) /* our guess was low */
		rc = read_file(port, &file, IMAGE_MAX, false, image);
	return rc;
}
