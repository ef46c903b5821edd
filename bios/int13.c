/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/int13.h"

#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/wire.h"

#define EDD_FLAGS 0x02
#define EDD_SECTORS 0x10
#define EDD_SECTOR_SIZE 0x18
#define EDD_PATH 0x1e      /* PATH_KEY where a device path follows */
#define EDD_INTERFACE 0x28 /* 8 characters, padded with blanks */

#define FLAG_REMOVABLE 0x0004
#define PATH_KEY 0xbedd

#define CYLINDERS_MAX 1024

static uint8_t interface_kind(const uint8_t *interface)
{
	/* Longer names begin with these: ATAPI, NVME. */
	static const struct {
		char name[4];
		uint8_t kind;
	} kinds[] = {
		{ "ATA", DISK_ATA }, { "SATA", DISK_ATA }, { "SCSI", DISK_SCSI },
		{ "SAS ", DISK_SCSI }, { "USB", DISK_USB }, { "NVM", DISK_NVME },
		{ "VIRT", DISK_VIRTIO }, { "SD ", DISK_SD },
	};
	size_t length;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		length = kinds[i].name[3] ? 4 : 3;
		if (memcmp(interface, kinds[i].name, length) == 0)
			return kinds[i].kind;
	}
	return DISK_UNKNOWN;
}

int int13_read_edd(const void *data, struct disk *disk, bool *removable)
{
	struct wire wire = wire_reader(data, EDD_SIZE);
	uint32_t low;

	wire_seek(&wire, EDD_FLAGS);
	*removable = wire_read_le16(&wire) & FLAG_REMOVABLE;
	wire_seek(&wire, EDD_SECTORS);
	low = wire_read_le32(&wire);
	disk->sectors = low | (uint64_t)wire_read_le32(&wire) << 32;
	disk->sector_size = wire_read_le16(&wire);
	disk->kind = DISK_UNKNOWN;
	wire_seek(&wire, EDD_PATH);
	if (wire_read_le16(&wire) == PATH_KEY)
		disk->kind = interface_kind((const uint8_t *)data + EDD_INTERFACE);
	if (disk->sectors == 0 || disk->sector_size < 512 || disk->sector_size > 4096 ||
	    (disk->sector_size & (disk->sector_size - 1)))
		return ERR_MALFORMED;
	return 0;
}

int int13_read_geometry(uint16_t cx, uint16_t dx, struct geometry *geometry)
{
	geometry->sectors = cx & 0x3f;
	geometry->heads = (dx >> 8) + 1;
	geometry->cylinders = ((cx & 0xc0) << 2 | cx >> 8) + 1;
	return geometry->sectors ? 0 : ERR_MALFORMED;
}

int int13_locate(const struct geometry *geometry, uint64_t lba, uint16_t *cx, uint16_t *dx)
{
	uint32_t track, cylinder;

	/* No disk with a geometry has so many sectors. A smaller number fits in 32 bits. */
	if (lba >= (uint64_t)CYLINDERS_MAX * 256 * 63)
		return ERR_NOT_FOUND;
	track = (uint32_t)lba / geometry->sectors;
	cylinder = track / geometry->heads;
	if (cylinder >= geometry->cylinders)
		return ERR_NOT_FOUND;
	*cx = (uint16_t)(cylinder << 8 | (cylinder >> 2 & 0xc0) |
	                 ((uint32_t)lba % geometry->sectors + 1));
	*dx = (uint16_t)(track % geometry->heads << 8);
	return 0;
}
