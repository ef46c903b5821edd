/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/port.h"
#include "nbp/debug.h"
#include "nbp/proto/error.h"

int image_load(struct efi *efi, EFI_DEVICE_PATH *path, void *data, size_t size,
               EFI_HANDLE *image)
{
	EFI_STATUS status;

	*image = NULL;
	efi->platform.watchdog(&efi->platform, WATCHDOG_SECONDS);
	status = efi->boot->LoadImage(!data, efi->image, path, data, size, image);
	if (!EFI_ERROR(status))
		return 0;
	debug(1, &efi->platform, "LoadImage: status %d", (int)status);
	/* The image is loaded all the same, for somebody to ask the user (UEFI 7.4.1). */
	if (status == EFI_SECURITY_VIOLATION && *image)
		efi->boot->UnloadImage(*image);
	return status == EFI_UNSUPPORTED ? ERR_MALFORMED : efi_error(status);
}

void image_free(struct efi *efi)
{
	efi_free(efi, efi->fetched);
	efi->fetched = NULL;
}

void image_close(struct efi *efi)
{
	image_free(efi);
	if (efi->loader)
		efi->boot->UnloadImage(efi->loader);
	efi->loader = NULL;
}

EFI_STATUS image_start(struct efi *efi, EFI_HANDLE image)
{
	CHAR16 *data = NULL;
	UINTN size = 0;
	EFI_STATUS status;

	fault_release(efi);
	efi->platform.watchdog(&efi->platform, WATCHDOG_SECONDS);
	status = efi->boot->StartImage(image, &size, &data);
	efi_free(efi, data);
	debug(1, &efi->platform, "the program came back: status %d", (int)status);
	efi->platform.watchdog(&efi->platform, WATCHDOG_SECONDS);
	fault_catch(efi);
	return status;
}
