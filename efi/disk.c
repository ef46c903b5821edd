/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/efi_port.h"
#include "nbp/debug.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

/* The local disks by EFI_BLOCK_IO_PROTOCOL (UEFI 13.9). */

#define SECTOR_MIN 512
#define SECTOR_MAX 4096
#define READ_MAX 0x10000 /* bytes, as platform.h has it */
#define CONTROLLERS_MAX 16

#define PCI_CLASS_STORAGE 0x01
#define PCI_CLASS_SD_HOST 0x0805
#define PCI_VENDOR_VIRTIO 0x1af4

EFI_BLOCK_IO *disk_fixed(struct efi_port *port, EFI_HANDLE handle, struct device_path *path)
{
	EFI_BLOCK_IO *block = efi_protocol(port, handle, &block_guid);
	void *bytes = efi_protocol(port, handle, &path_guid);
	struct device_path facts;

	if (path == NULL)
		path = &facts;
	if (block == NULL || block->Media == NULL || bytes == NULL ||
	    device_path_read(bytes, DEVICE_PATH_MAX, path) != 0 || path->kind != PATH_DEVICE)
		return NULL;
	if (block->Media->RemovableMedia || !block->Media->MediaPresent ||
	    block->Media->BlockSize < SECTOR_MIN || block->Media->BlockSize > SECTOR_MAX)
		return NULL;
	return block;
}

/* A virtio disk hangs on PCI itself, without a bus of its own in between. */
static uint8_t disk_kind(struct efi_port *port, EFI_HANDLE handle, const struct device_path *path)
{
	EFI_HANDLE pci;

	if (path->bus != DISK_UNKNOWN)
		return path->bus;
	pci = efi_parent_with(port, efi_protocol(port, handle, &path_guid), &pci_guid);
	if ((efi_pci_read(port, pci, 0) & 0xffff) == PCI_VENDOR_VIRTIO)
		return DISK_VIRTIO;
	return DISK_UNKNOWN;
}

/* Adds a disk to the list unless it is no whole disk, or there already. */
static void add(struct efi_port *port, EFI_HANDLE handle)
{
	struct machine *machine = &port->platform.machine;
	struct device_path path;
	EFI_BLOCK_IO *block = disk_fixed(port, handle, &path);
	struct disk *disk = &machine->disks[machine->disk_count];

	if (block == NULL || block->Media->LogicalPartition || machine->disk_count == DISKS_MAX)
		return;
	for (size_t i = 0; i < machine->disk_count; i++)
		if (port->disks[i] == block)
			return;
	disk->sectors = block->Media->LastBlock + 1;
	disk->sector_size = block->Media->BlockSize;
	disk->kind = disk_kind(port, handle, &path);
	port->disks[machine->disk_count++] = block;
	debug(1, &port->platform, "disk: kind %u, %" PRIu64 " sectors of %u bytes", (uint32_t)disk->kind,
	      disk->sectors, disk->sector_size);
}

/* Adds the disk of the first of BootOrder's options that has one. */
static void add_first(struct efi_port *port, bool connect)
{
	uint8_t place[DEVICE_PATH_MAX];
	struct boot_order order = { .port = port };
	struct device_path facts;
	size_t count = port->platform.machine.disk_count;

	while (port->platform.machine.disk_count == count && order_next(&order)) {
		EFI_DEVICE_PATH *path = (EFI_DEVICE_PATH *)place;
		int length = order_place(&order, connect, place);

		if (length <= 0 || device_path_read(place, sizeof(place), &facts) != 0 ||
		    device_path_join(place, sizeof(place),
		                     (struct span){ place, facts.device },
		                     (struct span){ NULL, 0 }) == 0)
			continue;
		add(port, efi_parent_with(port, path, &block_guid));
	}
	order_end(&order);
}

static void add_all(struct efi_port *port)
{
	EFI_HANDLE *handles;
	UINTN count = efi_handles(port, &block_guid, &handles);

	for (UINTN i = 0; i < count; i++)
		add(port, handles[i]);
	efi_free(port, handles);
}

void disks_find(struct efi_port *port)
{
	struct machine *machine = &port->platform.machine;

	add_first(port, false);
	add_all(port);
	if (machine->disk_count != 0)
		return;
	/*
	 * To boot from the network, firmware need not have looked for disks. That
	 * of the boot option is worth its time; all are only if it has none.
	 */
	add_first(port, true);
	if (machine->disk_count == 0)
		disk_connect_all(port);
	add_all(port);
}

void disk_connect_all(struct efi_port *port)
{
	EFI_HANDLE *handles;
	UINTN count, controllers = 0;

	if (port->connected)
		return;
	port->connected = true;
	count = efi_handles(port, &pci_guid, &handles);
	for (UINTN i = 0; i < count && controllers < CONTROLLERS_MAX; i++) {
		uint32_t class = efi_pci_read(port, handles[i], 8);

		if (class >> 24 != PCI_CLASS_STORAGE && class >> 16 != PCI_CLASS_SD_HOST)
			continue;
		controllers++;
		port->boot->ConnectController(handles[i], NULL, NULL, TRUE);
	}
	efi_free(port, handles);
	debug(1, &port->platform, "connected %u disk controllers", (uint32_t)controllers);
}

int disk_read(struct platform *p, size_t disk, uint64_t lba, uint32_t count, void *buffer)
{
	struct efi_port *port = efi_port(p);
	EFI_BLOCK_IO *block = disk < p->machine.disk_count ? port->disks[disk] : NULL;
	UINTN size, align;
	VOID *pool, *bounce;
	EFI_STATUS status;

	if (block == NULL || lba > block->Media->LastBlock ||
	    count > block->Media->LastBlock - lba + 1)
		return ERR_NOT_FOUND;
	size = (UINTN)count * block->Media->BlockSize;
	align = block->Media->IoAlign > 1 ? block->Media->IoAlign : 1;
	if (size > READ_MAX || align > READ_MAX)
		return ERR_IO;
	/* The caller's buffer may stand anywhere; a power of two is asked for. */
	if (EFI_ERROR(port->boot->AllocatePool(EfiLoaderData, size + align, &pool)))
		return ERR_IO;
	bounce = (VOID *)(((uintptr_t)pool + align - 1) & ~(align - 1));
	status = block->ReadBlocks(block, block->Media->MediaId, lba, size, bounce);
	if (!EFI_ERROR(status))
		memcpy(buffer, bounce, size);
	port->boot->FreePool(pool);
	return EFI_ERROR(status) ? ERR_IO : 0;
}
