/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/port.h"
#include "nbp/debug.h"
#include "nbp/medium.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

#define FIRST_DRIVE 0x80
#define READ_TRIES 3

#define DISK_RESET 0x0000
#define DISK_READ_CHS 0x0201      /* one sector */
#define DISK_GEOMETRY 0x0800
#define DISK_EXTENSIONS 0x4100
#define DISK_READ_LBA 0x4200
#define DISK_PARAMETERS 0x4800

#define EXTENSIONS_ASK 0x55aa
#define EXTENSIONS_ANSWER 0xaa55
#define EXTENSIONS_FIXED_DISK 0x01 /* functions 42h to 44h, 47h and 48h are there */

/* The address packet of function 42h (EDD-3 section 8.2.1). */
struct disk_packet {
	uint8_t size, reserved;
	uint16_t count;
	struct segoff buffer;
	uint64_t lba;
} __attribute__((packed));

/* Calls INT 13h for @drive. Returns whether it worked. */
static bool call_disk(struct realmode *r, uint8_t drive)
{
	r->edx = (r->edx & 0xff00) | drive;
	realmode_interrupt(0x13, r);
	return !(r->eflags & EFLAGS_CF);
}

static bool has_extensions(uint8_t drive)
{
	struct realmode r = { .eax = DISK_EXTENSIONS, .ebx = EXTENSIONS_ASK };

	return call_disk(&r, drive) && (uint16_t)r.ebx == EXTENSIONS_ANSWER &&
	       (r.ecx & EXTENSIONS_FIXED_DISK);
}

static int read_parameters(uint8_t drive, struct disk *disk, bool *removable)
{
	/* The sizes of EDD's versions: a BIOS may refuse any size but that of its own. */
	static const uint8_t sizes[] = { EDD_SIZE, 0x42, 0x1e, 0x1a };
	uint8_t data[EDD_SIZE];
	struct realmode r;

	for (size_t i = 0; i < sizeof(sizes); i++) {
		memset(data, 0, sizeof(data));
		data[0] = sizes[i];
		r = (struct realmode){
			.eax = DISK_PARAMETERS,
			.ds = segoff(data).segment, .esi = segoff(data).offset,
		};
		if (call_disk(&r, drive) && int13_read_edd(data, disk, removable) == 0)
			return 0;
	}
	return ERR_IO;
}

static int read_geometry(uint8_t drive, struct drive *d, struct disk *disk)
{
	struct realmode r = { .eax = DISK_GEOMETRY };
	int rc;

	if (!call_disk(&r, drive))
		return ERR_IO;
	rc = int13_read_geometry((uint16_t)r.ecx, (uint16_t)r.edx, &d->geometry);
	disk->sectors = d->geometry.cylinders * d->geometry.heads * d->geometry.sectors;
	disk->sector_size = 512;
	return rc;
}

static bool read_drive(uint8_t number, struct drive *drive, struct disk *disk)
{
	bool removable = false;

	drive->number = number;
	drive->extensions = has_extensions(number) &&
	                    read_parameters(number, disk, &removable) == 0;
	return drive->extensions ? !removable : read_geometry(number, drive, disk) == 0;
}

/* Reads one sector to @buffer, which may not cross 64 KiB. */
static int read_sector(const struct drive *drive, uint64_t lba, void *buffer)
{
	for (size_t i = 0; i < READ_TRIES; i++) {
		struct disk_packet packet = {
			.size = sizeof(packet), .count = 1, .buffer = segoff(buffer), .lba = lba,
		};
		struct realmode r = { 0 };
		uint16_t cx, dx;

		if (drive->extensions) {
			r.eax = DISK_READ_LBA;
			r.ds = segoff(&packet).segment;
			r.esi = segoff(&packet).offset;
		} else {
			if (int13_locate(&drive->geometry, lba, &cx, &dx) != 0)
				return ERR_NOT_FOUND;
			r.eax = DISK_READ_CHS;
			r.ecx = cx;
			r.edx = dx;
			r.es = segoff(buffer).segment;
			r.ebx = segoff(buffer).offset;
		}
		if (call_disk(&r, drive->number))
			return 0;
		r = (struct realmode){ .eax = DISK_RESET };
		call_disk(&r, drive->number);
	}
	return ERR_IO;
}

int disk_read(struct platform *p, size_t disk, uint64_t lba, uint32_t count, void *buffer)
{
	struct bios *bios = bios_of(p);
	void *bounce = memory_bounce(bios);
	const struct disk *from;
	uint8_t *to = buffer;
	int rc;

	if (disk >= p->machine.disk_count)
		return ERR_NOT_FOUND;
	from = &p->machine.disks[disk];
	if (lba >= from->sectors || count > from->sectors - lba)
		return ERR_NOT_FOUND;
	if (!bounce)
		return ERR_IO;
	for (; count; count--, lba++, to += from->sector_size) {
		rc = read_sector(&bios->drives[disk], lba, bounce);
		if (rc)
			return rc;
		memcpy(to, bounce, from->sector_size);
	}
	return 0;
}

/* The boot medium is left out: no program may take it for a disk of the machine's. */
void disk_find(struct bios *bios)
{
	struct machine *machine = &bios->platform.machine;
	uint8_t count = *(volatile uint8_t *)physical(BDA_DISKS);
	void *sector = physical(memory_loader_start());

	for (uint8_t i = 0; i < count && machine->disk_count < DISKS_MAX; i++) {
		struct drive *drive = &bios->drives[machine->disk_count];
		struct disk *disk = &machine->disks[machine->disk_count];

		if (!read_drive(FIRST_DRIVE + i, drive, disk))
			continue;
		machine->disk_count++;
		if (disk_read(&bios->platform, machine->disk_count - 1, 0, 1, sector) == 0 &&
		    medium_is(sector)) {
			machine->disk_count--;
			bios->medium = true;
			continue;
		}
		debug(1, &bios->platform,
		      "disk %x: %" PRIu64 " sectors of %u bytes, kind %u, EDD %u",
		      (uint32_t)drive->number, disk->sectors, disk->sector_size,
		      (uint32_t)disk->kind, (uint32_t)drive->extensions);
	}
}
