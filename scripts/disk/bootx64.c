/* SPDX-License-Identifier: BSD-2-Clause */
#include <efi.h>

/*
 * \EFI\BOOT\BOOTX64.EFI of the virtual machines' local disk on UEFI: says that
 * it runs and stops. Returning would start the next boot option. GNU-EFI's crt0
 * calls efi_main() by the System V convention, hence no EFIAPI.
 */
EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	static CHAR16 text[] = L"\r\nlocal disk: BOOTX64.EFI runs\r\n";

	(void)image;
	system->ConOut->OutputString(system->ConOut, text);
	for (;;)
		system->BootServices->Stall(1000000);
}
