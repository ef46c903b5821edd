/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/port.h"

void efi_close(struct efi *efi)
{
	udp_close(&efi->platform);
	net_release(efi);
	image_close(efi);
	keys_restore(efi);
	console_restore(efi);
	efi->platform.watchdog(&efi->platform, 0);
}

/*
 * The boot manager goes on to the next Boot#### entry only after an error;
 * after EFI_SUCCESS EDK2 opens its menu and waits for a person.
 */
void efi_leave(struct efi *efi)
{
	efi_close(efi);
	fault_release(efi);
	efi->boot->Exit(efi->image, EFI_LOAD_ERROR, 0, NULL);
}
