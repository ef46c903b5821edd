/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/port.h"
#include "nbp/debug.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

/* The local disks by EFI_BLOCK_IO_PROTOCOL (UEFI 13.9). */

#define READ_MAX 0x10000 /* bytes, as platform.h has it */
#define PCI_VENDOR_VIRTIO 0x1af4

/* A virtio disk is on PCI itself, without a bus of its own in between. */
static uint8_t disk_kind(struct efi *efi, EFI_HANDLE handle, const struct device_path *path)
{
	EFI_HANDLE pci;

	if (path->bus != DISK_UNKNOWN)
		return path->bus;
	pci = efi_parent_with(efi, efi_protocol(efi, handle, &efi_path_guid), &efi_pci_guid);
	if ((efi_pci_read(efi, pci, 0) & 0xffff) == PCI_VENDOR_VIRTIO)
		return DISK_VIRTIO;
	return DISK_UNKNOWN;
}

/* Adds a disk to the list unless it is no whole disk, or is in the list already. */
static void add_disk(struct efi *efi, EFI_HANDLE handle)
{
	struct machine *machine = &efi->platform.machine;
	struct device_path path;
	EFI_BLOCK_IO *block = block_fixed(efi, handle, &path);
	struct disk *disk = &machine->disks[machine->disk_count];

	if (!block || block->Media->LogicalPartition || machine->disk_count == DISKS_MAX)
		return;
	for (size_t i = 0; i < machine->disk_count; i++)
		if (efi->disks[i] == block)
			return;
	disk->sectors = block->Media->LastBlock + 1;
	disk->sector_size = block->Media->BlockSize;
	disk->kind = disk_kind(efi, handle, &path);
	efi->disks[machine->disk_count++] = block;
	debug(1, &efi->platform, "disk: kind %u, %" PRIu64 " sectors of %u bytes",
	      (uint32_t)disk->kind, disk->sectors, disk->sector_size);
}

/* Adds the disk of the first of BootOrder's options that has one. */
static void add_first_option(struct efi *efi, bool connect)
{
	uint8_t place[DEVICE_PATH_MAX];
	struct boot_order order = { .efi = efi };
	struct device_path facts;
	size_t count = efi->platform.machine.disk_count;

	while (efi->platform.machine.disk_count == count && order_next(&order)) {
		EFI_DEVICE_PATH *path = (EFI_DEVICE_PATH *)place;
		int length = order_place(&order, connect, place);

		if (length <= 0 || device_path_read(place, sizeof(place), &facts) != 0 ||
		    device_path_join(place, sizeof(place),
		                     (struct span){ place, facts.device },
		                     (struct span){ NULL, 0 }) == 0)
			continue;
		add_disk(efi, efi_parent_with(efi, path, &efi_block_guid));
	}
	order_end(&order);
}

static void add_all_disks(struct efi *efi)
{
	EFI_HANDLE *handles;
	UINTN count = efi_handles(efi, &efi_block_guid, &handles);

	for (UINTN i = 0; i < count; i++)
		add_disk(efi, handles[i]);
	efi_free(efi, handles);
}

void disk_find(struct efi *efi)
{
	struct machine *machine = &efi->platform.machine;

	add_first_option(efi, false);
	add_all_disks(efi);
	if (machine->disk_count != 0)
		return;
	/*
	 * To boot from the network, firmware need not have looked for disks. The boot
	 * option's disk is worth the time; all disks are only if there is no such option.
	 */
	add_first_option(efi, true);
	if (machine->disk_count == 0)
		block_connect_all(efi);
	add_all_disks(efi);
}

int disk_read(struct platform *p, size_t disk, uint64_t lba, uint32_t count, void *buffer)
{
	struct efi *efi = efi_of(p);
	EFI_BLOCK_IO *block = disk < p->machine.disk_count ? efi->disks[disk] : NULL;
	UINTN size, align;
	VOID *pool, *bounce;
	EFI_STATUS status;

	if (!block || lba > block->Media->LastBlock ||
	    count > block->Media->LastBlock - lba + 1)
		return ERR_NOT_FOUND;
	size = (UINTN)count * block->Media->BlockSize;
	align = block->Media->IoAlign > 1 ? block->Media->IoAlign : 1;
	if (size > READ_MAX || align > READ_MAX)
		return ERR_IO;
	/* The firmware wants a buffer at a multiple of a power of two; the caller's is anywhere. */
	if (EFI_ERROR(efi->boot->AllocatePool(EfiLoaderData, size + align, &pool)))
		return ERR_IO;
	bounce = (VOID *)(((uintptr_t)pool + align - 1) & ~(align - 1));
	status = block->ReadBlocks(block, block->Media->MediaId, lba, size, bounce);
	if (!EFI_ERROR(status))
		memcpy(buffer, bounce, size);
	efi->boot->FreePool(pool);
	return EFI_ERROR(status) ? ERR_IO : 0;
}
