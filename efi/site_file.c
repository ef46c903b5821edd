/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/nic.h"
#include "efi/rom/rom_site.h"
#include "nbp/log.h"
#include "nbp/proto/memory.h"

#define FILE_NAME L"\\openpreboot.cfg"

static const EFI_GUID rom_guid = ROM_SITE_GUID;

/* Reads the file into @buffer of @size bytes. Returns its length, or 0 without one. */
static UINTN read_file(EFI_FILE_IO_INTERFACE *volume, void *buffer, UINTN size)
{
	EFI_FILE_HANDLE root, file;

	if (EFI_ERROR(volume->OpenVolume(volume, &root)))
		return 0;
	if (EFI_ERROR(root->Open(root, &file, (CHAR16 *)(uintptr_t)FILE_NAME, EFI_FILE_MODE_READ,
	                         0))) {
		root->Close(root);
		return 0;
	}
	if (EFI_ERROR(file->Read(file, &size, buffer)))
		size = 0;
	file->Close(file);
	root->Close(root);
	return size;
}

void site_file_read(struct efi *efi, struct site *site)
{
	const struct rom_site *rom = efi_protocol(efi, efi->device, &rom_guid);
	EFI_FILE_IO_INTERFACE *volume = efi_protocol(efi, efi->device, &efi_volume_guid);
	char buffer[SITE_SIZE_MAX + 1];
	const void *text = buffer;
	struct site_error error;
	UINTN length = 0;

	if (rom) {
		text = rom->text;
		length = rom->length;
	} else if (volume) {
		length = read_file(volume, buffer, sizeof(buffer));
	}
	if (site_parse(text, length, site, &error) != 0)
		log_line(&efi->platform, "openpreboot.cfg:%u: %s", (uint32_t)error.line,
		         error.message);
}
