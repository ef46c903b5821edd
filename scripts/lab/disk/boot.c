/* SPDX-License-Identifier: BSD-2-Clause */
#include <efi.h>

/*
 * \EFI\BOOT\BOOTX64.EFI of the virtual machines' local disk on UEFI, or NAME there on another
 * processor: says that it runs, by which boot option, and stops. Returning would start the next
 * boot option.
 */
EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	static CHAR16 text[] = L"\r\nlocal disk: " NAME L" runs, BootCurrent 000?\r\n";
	static EFI_GUID global = EFI_GLOBAL_VARIABLE;
	static CHAR16 name[] = L"BootCurrent";
	UINTN size = sizeof(UINT16);
	UINT16 option;

	(void)image;
	if (system->RuntimeServices->GetVariable(name, &global, NULL, &size, &option) ==
	    EFI_SUCCESS)
		text[sizeof(text) / sizeof(text[0]) - 4] = L'0' + option;
	system->ConOut->OutputString(system->ConOut, text);
	for (;;)
		system->BootServices->Stall(1000000);
}
