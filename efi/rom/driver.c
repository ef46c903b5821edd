/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/rom/rom_site.h"

#include <stdint.h>

/*
 * The driver in a card's expansion ROM. It gives the card a child handle with
 * EFI_LOAD_FILE_PROTOCOL, of which every boot manager makes a boot option; that one hands out the
 * NBP. The NBP stays an application like any other: it finds its card above that handle, and
 * leaves for the next boot option.
 *
 * The NBP and the site's settings are sections of our own file, ".nbp" and ".site", which
 * scripts/openpreboot-rom has added. "UEFI" below is the UEFI Specification 2.10, "PE" Microsoft's
 * description of the format.
 */

static EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;

/** Our start code calls it (efi/x64/start.S). On success the driver stays. */
EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

struct part {
	const uint8_t *data; /* NULL: there is no such section */
	UINTN length;
};

/* What belongs to the child handle; it lives as long as the driver. */
static struct {
	EFI_BOOT_SERVICES *boot;
	struct part nbp;
	struct rom_site site;
	EFI_LOAD_FILE_INTERFACE load_file;
} driver;

/* --- our own file in memory --------------------------------------------------- */

/* Offsets in a PE file, and sizes (PE, "COFF File Header" and "Section Table"). */
enum { PE_AT = 0x3c, PE_SECTIONS = 6, PE_OPTIONAL_SIZE = 20, PE_OPTIONAL = 24 };
enum { SECTION_LENGTH = 8, SECTION_ADDRESS = 12, SECTION_SIZE = 40 };

static uint32_t read_le(const uint8_t *from, unsigned int bytes)
{
	uint32_t value = 0;

	while (bytes-- != 0)
		value = value << 8 | from[bytes];
	return value;
}

static BOOLEAN is_called(const uint8_t *section, const char *name)
{
	for (unsigned int i = 0; i < 8; i++) {
		if (section[i] != (uint8_t)*name)
			return FALSE;
		if (*name != '\0')
			name++;
	}
	return TRUE;
}

/* Finds the section @name of the image that firmware has loaded at @image. */
static struct part find_section(const uint8_t *image, const char *name)
{
	const uint8_t *pe = image + read_le(image + PE_AT, 4);
	const uint8_t *section = pe + PE_OPTIONAL + read_le(pe + PE_OPTIONAL_SIZE, 2);
	struct part found = { NULL, 0 };

	for (uint32_t left = read_le(pe + PE_SECTIONS, 2); left != 0; left--) {
		if (is_called(section, name)) {
			found.data = image + read_le(section + SECTION_ADDRESS, 4);
			found.length = read_le(section + SECTION_LENGTH, 4);
			break;
		}
		section += SECTION_SIZE;
	}
	return found;
}

/* --- the boot option ------------------------------------------------------------ */

/* The protocol's function (UEFI 13.1): copies the NBP to where the boot manager wants it. */
static EFI_STATUS EFIAPI load_file(EFI_LOAD_FILE_INTERFACE *self, EFI_DEVICE_PATH *path,
                                   BOOLEAN boot_policy, UINTN *size, VOID *buffer)
{
	UINTN capacity;

	(void)self;
	(void)path;
	if (!size)
		return EFI_INVALID_PARAMETER;
	/* It boots, and has no files that anybody could ask for. */
	if (!boot_policy)
		return EFI_UNSUPPORTED;
	capacity = *size;
	*size = driver.nbp.length;
	if (!buffer || capacity < driver.nbp.length)
		return EFI_BUFFER_TOO_SMALL;
	driver.boot->CopyMem(buffer, (VOID *)(uintptr_t)driver.nbp.data, driver.nbp.length);
	return EFI_SUCCESS;
}

/*
 * The child's node behind the path of its card, and the end. Boot managers that are EDK2's call the
 * option by this name.
 */
static const struct {
	EFI_DEVICE_PATH head;
	CHAR16 name[12];
	EFI_DEVICE_PATH end;
} __attribute__((packed)) own_nodes = {
	{ MEDIA_DEVICE_PATH, MEDIA_FILEPATH_DP, { sizeof(EFI_DEVICE_PATH) + 2 * 12, 0 } },
	L"OpenPreboot",
	{ END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, { sizeof(EFI_DEVICE_PATH), 0 } },
};

/* Returns the length of @path without its end. */
static UINTN nodes_length(const uint8_t *path)
{
	UINTN length = 0;

	while ((path[length] & EFI_DP_TYPE_MASK) != END_DEVICE_PATH_TYPE)
		length += read_le(path + length + 2, 2);
	return length;
}

/* Makes the path of the child of @card, pool memory, or returns NULL. */
static uint8_t *make_path(EFI_HANDLE card)
{
	EFI_BOOT_SERVICES *boot = driver.boot;
	VOID *above, *path;
	UINTN length;

	if (EFI_ERROR(boot->HandleProtocol(card, &path_guid, &above)))
		return NULL;
	length = nodes_length(above);
	if (EFI_ERROR(boot->AllocatePool(EfiBootServicesData, length + sizeof(own_nodes), &path)))
		return NULL;
	boot->CopyMem(path, above, length);
	boot->CopyMem((uint8_t *)path + length, (VOID *)(uintptr_t)&own_nodes, sizeof(own_nodes));
	return path;
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	static EFI_GUID loaded_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID, load_file_guid = LOAD_FILE_PROTOCOL;
	static EFI_GUID site_guid = ROM_SITE_GUID;
	EFI_LOADED_IMAGE *loaded;
	EFI_HANDLE child = NULL;
	EFI_STATUS status;
	struct part site;
	uint8_t *path;

	driver.boot = system->BootServices;
	status = driver.boot->HandleProtocol(image, &loaded_guid, (VOID **)&loaded);
	if (EFI_ERROR(status))
		return status;
	driver.nbp = find_section(loaded->ImageBase, ".nbp");
	site = find_section(loaded->ImageBase, ".site");
	/* Firmware starts a ROM's driver with the card as its device (UEFI 14.4.2). */
	path = make_path(loaded->DeviceHandle);
	if (!driver.nbp.data || !path)
		return EFI_UNSUPPORTED;
	driver.load_file.LoadFile = load_file;
	driver.site.text = site.data;
	driver.site.length = site.length;
	status = driver.boot->InstallMultipleProtocolInterfaces(
		&child, &path_guid, path, &load_file_guid, &driver.load_file, &site_guid,
		&driver.site, NULL);
	if (EFI_ERROR(status))
		driver.boot->FreePool(path);
	return status;
}
