/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/wire.h"
#include "server/isdctl/partition_gpt.h"

#define SECTOR      512  /* what GRUB and this count in, whatever the disk does */
#define BLOCK       4096
#define LOADER_END  900  /* GRUB's core image ends below this sector, by its own bounds */
#define BLOCKS_LAST 500  /* where in its first sector its list of sectors begins, going down */
#define BLOCKS_SIZE 12   /* bytes of an entry of the list */

/* --- what fills whole disks ------------------------------------------------ */

/* What is known by its mark, for a message that says what is there, and for what not even
 * force may write into. It is no list of all: what is not on it must be zeros all the same. */
static const struct {
	uint32_t at;
	uint8_t more; /* further places where it may be, 1 KiB from each other */
	uint8_t length;
	const char *mark, *name;
} whole[] = {
#define MARK(at, more, mark, name) { at, more, sizeof(mark) - 1, mark, name }
	MARK(0, 0, "XFSB", "XFS"),
	MARK(0, 0, "LUKS\xba\xbe", "LUKS"),
	MARK(0x4000, 0, "SKUL\xba\xbe", "LUKS"),
	MARK(0, 0, "\xfc\x4e\x2b\xa9", "Linux RAID"),
	MARK(0x1000, 0, "\xfc\x4e\x2b\xa9", "Linux RAID"),
	MARK(0, 1, "LABELONE", "LVM"),
	MARK(0x200, 1, "LABELONE", "LVM"),
	MARK(0x438, 0, "\x53\xef", "ext2, ext3 or ext4"),
	MARK(0x400, 0, "\x10\x20\xf5\xf2", "F2FS"),
	MARK(0x406, 0, "\x34\x34", "NILFS2"),
	MARK(0xff6, 0, "SWAPSPACE2", "swap"),
	MARK(0xff6, 0, "SWAP-SPACE", "swap"),
	MARK(0x1018, 0, "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef",
	     "bcachefs"),
	MARK(0x1018, 0, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81",
	     "bcache or bcachefs"),
	MARK(0x8000, 0, "JFS1", "JFS"),
	MARK(0x8001, 0, "CD001", "ISO 9660"),
	MARK(0x10034, 0, "ReIsEr", "ReiserFS"),
	MARK(0x10040, 0, "_BHRfS_M", "Btrfs"),
	MARK(0x20000, 127, "\x0c\xb1\xba\0\0\0\0\0", "ZFS"),
	MARK(0x20000, 127, "\0\0\0\0\0\xba\xb1\x0c", "ZFS"),
};

/* What counts in the first sector only where there is no partition: boot sectors of disks
 * with partitions are made from such, too. */
static const struct {
	uint16_t at;
	char name[6];
} boot_marks[] = { { 3, "NTFS " }, { 3, "EXFAT" }, { 54, "FAT12" }, { 54, "FAT16" },
                   { 82, "FAT32" } };

static int read_bytes(const struct question *q, uint64_t at, void *buffer, size_t length)
{
	if (q->disk->read(q->disk->context, at, buffer, length))
		return tell(q, ERR_IO, "byte %llu cannot be read", (unsigned long long)at);
	return 0;
}

static bool claimed(const struct question *q, uint64_t at)
{
	uint64_t lba = at / q->disk->sector_size;

	return lba < GAP_SECTORS && q->gap->claimed[lba];
}

/* RAID of some kinds keeps its mark at the end: what is at the front is then an array's. */
static int check_end(const struct question *q)
{
	static const uint8_t raid[4] = { 0xfc, 0x4e, 0x2b, 0xa9 };
	uint64_t size = q->disk->size & ~(uint64_t)0xfff;
	uint64_t at[2] = { size - 0x2000, (size & ~(uint64_t)0xffff) - 0x10000 };
	uint8_t bytes[14];

	for (size_t i = 0; i < 2; i++) {
		if (at[i] >= q->disk->size)
			continue; /* so small a disk has no such */
		if (read_bytes(q, at[i], bytes, sizeof(raid)))
			return ERR_IO;
		if (memcmp(bytes, raid, sizeof(raid)) == 0)
			return tell(q, ERR_REFUSED, "Linux RAID fills the whole disk");
	}
	at[0] = (q->sectors - 2) * q->disk->sector_size;
	if (q->sectors < 2 || at[0] + sizeof(bytes) > q->disk->size)
		return 0;
	if (read_bytes(q, at[0], bytes, sizeof(bytes)))
		return ERR_IO;
	return memcmp(bytes, "Intel Raid ISM", sizeof(bytes)) ? 0 :
	       tell(q, ERR_REFUSED, "Intel RAID fills the whole disk");
}

/* Says whether mark @i is at @at, unless a table or a partition is there; or ERR_IO. */
static int has_mark(const struct question *q, size_t i, uint64_t at, const uint8_t *sector)
{
	uint8_t bytes[16];

	if (at < SECTOR)
		return memcmp(sector + at, whole[i].mark, whole[i].length) == 0;
	if (at + whole[i].length > q->first * q->disk->sector_size || claimed(q, at))
		return 0;
	if (read_bytes(q, at, bytes, whole[i].length))
		return ERR_IO;
	return memcmp(bytes, whole[i].mark, whole[i].length) == 0;
}

static int check_marks(const struct question *q, const uint8_t *sector)
{
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		for (uint32_t more = 0; more <= whole[i].more; more++) {
			int rc = has_mark(q, i, whole[i].at + more * 1024, sector);

			if (rc < 0)
				return rc;
			if (rc)
				return tell(q, ERR_REFUSED, "%s fills the whole disk, or did once; "
				            "if it is long gone, wipefs(8) takes its mark away",
				            whole[i].name);
		}
	}
	for (size_t i = 0; !q->gap->partitions && i < sizeof(boot_marks) / sizeof(boot_marks[0]);
	     i++)
		if (memcmp(sector + boot_marks[i].at, boot_marks[i].name, 5) == 0)
			return tell(q, ERR_REFUSED, "a file system fills the whole disk");
	return q->gap->partitions ? 0 : check_end(q);
}

/* --- GRUB ------------------------------------------------------------------ */

/*
 * Marks the sectors of GRUB's core image as claimed. Its first sector, which is the disk's
 * second, loads the others by a list of where they are: entries of a 64-bit number, how many,
 * and the segment to put them at, from the sector's end towards its beginning, until one
 * of no sectors. Returns 0, or an ERR_ value where it cannot be read.
 */
static int claim_loader(const struct question *q)
{
	uint8_t sector[SECTOR], mine[LOADER_END] = { [1] = 1 };
	size_t at = BLOCKS_LAST;

	if (q->disk->sector_size != SECTOR || q->first < LOADER_END || q->gap->claimed[1])
		return 0;
	if (read_bytes(q, SECTOR, sector, sizeof(sector)))
		return ERR_IO;
	/* It keeps the drive and the address of the list, and says that it loads. */
	if (sector[0] != 0x52 || !memmem(sector, BLOCKS_LAST, "loading", 7))
		return 0;
	for (;; at -= BLOCKS_SIZE) {
		struct wire in = wire_reader(sector + at, BLOCKS_SIZE);
		uint64_t first = wire_read_le64(&in), count = wire_read_le16(&in);

		if (count == 0)
			break;
		if (first < 2 || first >= LOADER_END || count > LOADER_END - first ||
		    at < SECTOR / 2)
			return 0; /* no such list: then it is not GRUB's */
		memset(mine + first, 1, count);
	}
	for (size_t i = 1; at < BLOCKS_LAST && i < LOADER_END; i++)
		q->gap->claimed[i] |= mine[i];
	return 0;
}

/* --- all that is before the range ------------------------------------------ */

/* Finds the first byte before the range that is not zero and nobody's. */
static int find_byte(const struct question *q, uint64_t *at)
{
	uint8_t block[BLOCK];
	uint64_t end = q->first * q->disk->sector_size;

	for (uint64_t from = 0; from < end; from += sizeof(block)) {
		size_t length = end - from < sizeof(block) ? (size_t)(end - from) : sizeof(block);

		if (read_bytes(q, from, block, length))
			return ERR_IO;
		for (size_t i = 0; i < length; i++) {
			*at = from + i;
			if (block[i] && !claimed(q, *at))
				return 0;
		}
	}
	return ERR_NOT_FOUND;
}

int question_gap(const struct question *q, const uint8_t *sector, bool *forcible)
{
	uint64_t at = 0;
	int rc = q->gap->partitions ? claim_loader(q) : 0;

	if (rc == 0)
		rc = check_marks(q, sector); /* what is claimed by now has none */
	if (rc)
		return rc;
	rc = find_byte(q, &at);
	if (rc)
		return rc == ERR_NOT_FOUND ? 0 : rc;
	if (!q->gap->partitions)
		return tell(q, ERR_REFUSED, "it has no partitions but is not empty (byte %llu); a "
		            "file system may fill it, or it is not a raw image",
		            (unsigned long long)at);
	*forcible = true;
	return tell(q, ERR_REFUSED, "sector %llu, which is before it and in no partition, is not "
	            "empty; if that is a boot manager's, or nobody's, say --force",
	            (unsigned long long)(at / q->disk->sector_size));
}
