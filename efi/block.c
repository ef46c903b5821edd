/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/port.h"
#include "nbp/debug.h"
#include "nbp/medium.h"
#include "nbp/proto/memory.h"

/* Which handles of the firmware are fixed local disks or partitions of them (UEFI 13.9). */

#define SECTOR_MIN 512
#define SECTOR_MAX 4096
#define CONTROLLERS_MAX 16

#define PCI_CLASS_STORAGE 0x01
#define PCI_CLASS_SD_HOST 0x0805

/* GNU-EFI's declarations leave it to the compiler's options how UEFI aligns its numbers. */
_Static_assert(offsetof(EFI_BLOCK_IO_MEDIA, LastBlock) == 24, "UEFI aligns 64 bits to 8 bytes");

/*
 * Says whether a disk, or a partition of one, is on a boot medium. One of the disk's partitions
 * then has the mark of nbp/medium.h in its path, where firmware puts an MBR's id; or firmware has
 * found a CD's volume on the disk, as EDK2 does for an ISO image on a stick. So no disk is read.
 */
static bool is_medium(struct efi *efi, EFI_HANDLE handle, size_t device)
{
	static const uint32_t mark = MEDIUM_MARK;
	const void *above = efi_protocol(efi, handle, &efi_path_guid);
	EFI_HANDLE *handles;
	UINTN count = efi_handles(efi, &efi_block_guid, &handles);
	bool found = false;

	for (UINTN i = 0; i < count && !found; i++) {
		void *bytes = efi_protocol(efi, handles[i], &efi_path_guid);
		struct device_path path;

		found = bytes && device_path_read(bytes, DEVICE_PATH_MAX, &path) == 0 &&
		        (path.cd ||
		         memcmp(path.partition.signature, &mark, sizeof(mark)) == 0) &&
		        efi_is_below(efi, handles[i], above, device);
	}
	efi_free(efi, handles);
	return found;
}

EFI_BLOCK_IO *block_fixed(struct efi *efi, EFI_HANDLE handle, struct device_path *path)
{
	EFI_BLOCK_IO *block = efi_protocol(efi, handle, &efi_block_guid);
	void *bytes = efi_protocol(efi, handle, &efi_path_guid);
	struct device_path facts;

	if (!path)
		path = &facts;
	if (!block || !block->Media || !bytes ||
	    device_path_read(bytes, DEVICE_PATH_MAX, path) != 0 || path->kind != PATH_DEVICE)
		return NULL;
	if (block->Media->RemovableMedia || !block->Media->MediaPresent ||
	    block->Media->BlockSize < SECTOR_MIN || block->Media->BlockSize > SECTOR_MAX ||
	    is_medium(efi, handle, path->device))
		return NULL;
	return block;
}

void block_connect_all(struct efi *efi)
{
	EFI_HANDLE *handles;
	UINTN count, controllers = 0;

	if (efi->connected)
		return;
	efi->connected = true;
	count = efi_handles(efi, &efi_pci_guid, &handles);
	for (UINTN i = 0; i < count && controllers < CONTROLLERS_MAX; i++) {
		uint32_t class = efi_pci_read(efi, handles[i], 8);

		if (class >> 24 != PCI_CLASS_STORAGE && class >> 16 != PCI_CLASS_SD_HOST)
			continue;
		controllers++;
		efi_connect_below(efi, handles[i]);
	}
	efi_free(efi, handles);
	debug(1, &efi->platform, "connected %u disk controllers", (uint32_t)controllers);
}
