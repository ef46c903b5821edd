/* SPDX-License-Identifier: BSD-2-Clause */
#include <efi.h>

/*
 * A stand-in for Microsoft's bootmgfw.efi, which nobody but Microsoft may hand out. It asks the base
 * code of the card that it was loaded from for the same files in the same spelling, prints how many
 * bytes came and their CRC-32, and restarts the machine.
 */

#define BCD_OPTION 252 /* DHCP's option by which Windows' boot manager learns another name */
#define BLOCK_SIZE 1432

static EFI_SYSTEM_TABLE *st;
static EFI_PXE_BASE_CODE *pxe;

static void print(const CHAR16 *text)
{
	st->ConOut->OutputString(st->ConOut, (CHAR16 *)text);
}

static void print_bytes(const CHAR8 *text)
{
	CHAR16 wide[2] = { 0, 0 };

	for (; *text; text++) {
		wide[0] = (unsigned char)*text;
		print(wide);
	}
}

static void print_hex(UINT32 value)
{
	CHAR16 digits[9] = { 0 };

	for (int i = 0; i < 8; i++, value <<= 4)
		digits[i] = (CHAR16)L"0123456789abcdef"[value >> 28];
	print(digits);
}

/* Finds @code in a packet's options; returns where its length is. */
static const UINT8 *find_option(const EFI_PXE_BASE_CODE_PACKET *packet, UINT8 code)
{
	const UINT8 *at = packet->Dhcpv4.DhcpOptions, *end = packet->Raw + sizeof(packet->Raw);

	while (at + 1 < end && *at != 255) {
		if (*at == code)
			return at + 1;
		at += *at ? 2 + at[1] : 1;
	}
	return NULL;
}

static void print_record(const EFI_PXE_BASE_CODE_PACKET *packet)
{
	const UINT8 *at = find_option(packet, 225);

	if (!at)
		return;
	print(L"winpe: record ");
	for (int i = 1; i <= 16; i += 4)
		print_hex((UINT32)at[i] << 24 | at[i + 1] << 16 | at[i + 2] << 8 | at[i + 3]);
	print(L"\r\n");
}

/* Fetches @name whole; returns whether it came. */
static BOOLEAN fetch(const UINT8 server[4], const CHAR8 *name)
{
	EFI_IP_ADDRESS address = { { 0 } };
	UINTN block = BLOCK_SIZE;
	UINT64 size = 0;
	UINT32 crc = 0;
	void *data;
	EFI_STATUS status;

	for (int i = 0; i < 4; i++)
		address.v4.Addr[i] = server[i];
	status = pxe->Mtftp(pxe, EFI_PXE_BASE_CODE_TFTP_GET_FILE_SIZE, NULL, FALSE, &size, &block,
	                    &address, (UINT8 *)name, NULL, FALSE);
	if (!EFI_ERROR(status))
		status = st->BootServices->AllocatePool(EfiLoaderData, size, &data);
	if (!EFI_ERROR(status))
		status = pxe->Mtftp(pxe, EFI_PXE_BASE_CODE_TFTP_READ_FILE, data, FALSE, &size,
		                    &block, &address, (UINT8 *)name, NULL, FALSE);
	if (EFI_ERROR(status)) {
		print(L"winpe: cannot fetch ");
		print_bytes(name);
		print(L"\r\n");
		return FALSE;
	}
	st->BootServices->CalculateCrc32(data, size, &crc);
	st->BootServices->FreePool(data);
	print(L"winpe: ");
	print_bytes(name);
	print(L": ");
	print_hex((UINT32)size);
	print(L" bytes, crc ");
	print_hex(crc);
	print(L"\r\n");
	return TRUE;
}

/* The name of the BCD: DHCP's, else the usual one. */
static void name_bcd(const EFI_PXE_BASE_CODE_PACKET *packet, CHAR8 name[256])
{
	static const CHAR8 usual[] = "\\Boot\\BCD";
	const UINT8 *option = find_option(packet, BCD_OPTION);
	UINTN length = option ? option[0] : sizeof(usual);

	for (UINTN i = 0; i < length; i++)
		name[i] = option ? (CHAR8)option[1 + i] : usual[i];
	name[length] = 0;
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	static EFI_GUID loaded_guid = LOADED_IMAGE_PROTOCOL, pxe_guid = EFI_PXE_BASE_CODE_PROTOCOL_GUID;
	static const CHAR8 *const files[] = {
		(const CHAR8 *)"\\Boot\\Fonts\\wgl4_boot.ttf", (const CHAR8 *)"\\Boot\\boot.sdi",
		(const CHAR8 *)"\\Boot\\WinPE.wim",
	};
	const EFI_PXE_BASE_CODE_PACKET *packet;
	EFI_LOADED_IMAGE *loaded;
	CHAR8 bcd[256];

	st = system;
	if (EFI_ERROR(st->BootServices->HandleProtocol(image, &loaded_guid, (void **)&loaded)) ||
	    EFI_ERROR(st->BootServices->HandleProtocol(loaded->DeviceHandle, &pxe_guid,
	                                               (void **)&pxe))) {
		print(L"winpe: no base code\r\n");
		return EFI_NOT_FOUND;
	}
	packet = pxe->Mode->PxeReplyReceived ? &pxe->Mode->PxeReply : &pxe->Mode->DhcpAck;
	print_record(packet);
	name_bcd(packet, bcd);
	if (!fetch(packet->Dhcpv4.BootpSiAddr, bcd))
		return EFI_NOT_FOUND;
	for (UINTN i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (!fetch(packet->Dhcpv4.BootpSiAddr, files[i]))
			return EFI_NOT_FOUND;
	print(L"winpe: all is here\r\n");
	st->RuntimeServices->ResetSystem(EfiResetCold, EFI_SUCCESS, 0, NULL);
	return EFI_SUCCESS;
}
