/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/efi_port.h"
#include "nbp/debug.h"
#include "nbp/proto/error.h"

int image_load(struct efi_port *port, EFI_DEVICE_PATH *path, void *data, size_t size,
               EFI_HANDLE *image)
{
	EFI_STATUS status;

	*image = NULL;
	port->platform.watchdog(&port->platform, WATCHDOG_SECONDS);
	status = port->boot->LoadImage(data == NULL, port->image, path, data, size, image);
	if (!EFI_ERROR(status))
		return 0;
	debug(1, &port->platform, "LoadImage: status %d", (int)status);
	/* Loaded all the same, for somebody to ask the user (UEFI 7.4.1). */
	if (status == EFI_SECURITY_VIOLATION && *image != NULL)
		port->boot->UnloadImage(*image);
	return status == EFI_UNSUPPORTED ? ERR_MALFORMED : efi_error(status);
}

EFI_STATUS image_start(struct efi_port *port, EFI_HANDLE image)
{
	CHAR16 *data = NULL;
	UINTN size = 0;
	EFI_STATUS status;

	fault_release(port);
	port->platform.watchdog(&port->platform, WATCHDOG_SECONDS);
	status = port->boot->StartImage(image, &size, &data);
	efi_free(port, data);
	debug(1, &port->platform, "the program came back: status %d", (int)status);
	port->platform.watchdog(&port->platform, WATCHDOG_SECONDS);
	fault_catch(port, NULL);
	return status;
}
