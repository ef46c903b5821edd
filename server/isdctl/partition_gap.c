/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/isdctl/partition_gap.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/wire.h"

#define SECTOR      512  /* the unit of GRUB and of this file, whatever the disk's is */
#define BLOCK       4096
#define LOADER_END  900  /* GRUB's core image ends below this sector, by its own bounds */
#define BLOCKS_LAST 500  /* where in its first sector its list of sectors begins, going down */
#define BLOCKS_SIZE 12   /* bytes of an entry of the list */

/* --- what fills whole disks ------------------------------------------------ */

/* Signatures of what fills whole disks: the message then names it, and not even --force writes.
 * The list need not be complete, as what is not on it must be zeros all the same. */
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

/* Signatures in the first sector that count only on a disk without partitions: some boot
 * sectors of disks with partitions are made from these, too. */
static const struct {
	uint16_t at;
	char name[6];
} boot_marks[] = { { 3, "NTFS " }, { 3, "EXFAT" }, { 54, "FAT12" }, { 54, "FAT16" },
                   { 82, "FAT32" } };

static int read_bytes(const struct partition_gap *gap, uint64_t at, void *buffer, size_t length)
{
	if (gap->disk->read(gap->disk->context, at, buffer, length))
		return partition_reason(gap->answer, ERR_IO, "cannot read byte %llu",
		                        (unsigned long long)at);
	return 0;
}

static bool is_known(const struct partition_gap *gap, uint64_t at)
{
	uint64_t lba = at / gap->disk->sector_size;

	return lba < GAP_SECTORS && gap->known[lba];
}

/* Checks the disk's end: some kinds of RAID keep their mark there, and what is at the front
 * then belongs to the array. */
static int check_end(const struct partition_gap *gap)
{
	static const uint8_t raid[4] = { 0xfc, 0x4e, 0x2b, 0xa9 };
	uint64_t size = gap->disk->size, sectors = size / gap->disk->sector_size;
	uint64_t at[2] = { (size & ~(uint64_t)0xfff) - 0x2000,
	                   (size & ~(uint64_t)0xffff) - 0x10000 };
	uint8_t bytes[14];

	for (size_t i = 0; i < 2; i++) {
		if (at[i] >= size)
			continue; /* the disk is too small for this one */
		if (read_bytes(gap, at[i], bytes, sizeof(raid)))
			return ERR_IO;
		if (memcmp(bytes, raid, sizeof(raid)) == 0)
			return partition_reason(gap->answer, ERR_REFUSED,
			                        "Linux RAID fills the whole disk");
	}
	at[0] = (sectors - 2) * gap->disk->sector_size;
	if (sectors < 2 || at[0] + sizeof(bytes) > size)
		return 0;
	if (read_bytes(gap, at[0], bytes, sizeof(bytes)))
		return ERR_IO;
	return memcmp(bytes, "Intel Raid ISM", sizeof(bytes)) ? 0 :
	       partition_reason(gap->answer, ERR_REFUSED, "Intel RAID fills the whole disk");
}

/* Returns 1 if mark @i is at @at, which is in no table and no partition; 0; or ERR_IO. */
static int has_mark(const struct partition_gap *gap, size_t i, uint64_t at, const uint8_t *sector)
{
	uint8_t bytes[16];

	if (at < SECTOR)
		return memcmp(sector + at, whole[i].mark, whole[i].length) == 0;
	if (at + whole[i].length > gap->end || is_known(gap, at))
		return 0;
	if (read_bytes(gap, at, bytes, whole[i].length))
		return ERR_IO;
	return memcmp(bytes, whole[i].mark, whole[i].length) == 0;
}

static int check_marks(const struct partition_gap *gap, const uint8_t *sector)
{
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		for (uint32_t more = 0; more <= whole[i].more; more++) {
			int rc = has_mark(gap, i, whole[i].at + more * 1024, sector);

			if (rc < 0)
				return rc;
			if (rc)
				return partition_reason(gap->answer, ERR_REFUSED,
				                        "%s fills the whole disk, or did so once; "
				                        "if nothing needs it, wipefs(8) removes "
				                        "its signature", whole[i].name);
		}
	}
	if (gap->partitions)
		return 0;
	for (size_t i = 0; i < sizeof(boot_marks) / sizeof(boot_marks[0]); i++)
		if (memcmp(sector + boot_marks[i].at, boot_marks[i].name, 5) == 0)
			return partition_reason(gap->answer, ERR_REFUSED,
			                        "a file system fills the whole disk");
	return check_end(gap);
}

/* --- GRUB ------------------------------------------------------------------ */

/*
 * Marks the sectors of GRUB's core image as known. Its first sector, which is the disk's
 * second, loads the others by a list of where they are: entries of a 64-bit number, how many,
 * and the segment to put them at, from the sector's end towards its beginning, until one
 * of no sectors. Returns 0, or an ERR_ value where it cannot be read.
 */
static int mark_loader(struct partition_gap *gap)
{
	uint8_t sector[SECTOR], image[LOADER_END] = { [1] = 1 };
	size_t at = BLOCKS_LAST;

	if (gap->disk->sector_size != SECTOR || gap->end < LOADER_END * SECTOR || gap->known[1])
		return 0;
	if (read_bytes(gap, SECTOR, sector, sizeof(sector)))
		return ERR_IO;
	/* GRUB saves the drive first (push dx), and prints that it loads. */
	if (sector[0] != 0x52 || !memmem(sector, BLOCKS_LAST, "loading", 7))
		return 0;
	for (;; at -= BLOCKS_SIZE) {
		struct wire in = wire_reader(sector + at, BLOCKS_SIZE);
		uint64_t first = wire_read_le64(&in), count = wire_read_le16(&in);

		if (count == 0)
			break;
		if (first < 2 || first >= LOADER_END || count > LOADER_END - first ||
		    at < SECTOR / 2)
			return 0; /* this is no such list, so the sector is not GRUB's */
		memset(image + first, 1, count);
	}
	for (size_t i = 1; at < BLOCKS_LAST && i < LOADER_END; i++)
		gap->known[i] |= image[i];
	return 0;
}

/* --- the whole gap ---------------------------------------------------------- */

/* Finds the first byte that is not zero in a sector that is not known. Returns 0, ERR_NOT_FOUND
 * or ERR_IO. */
static int find_byte(const struct partition_gap *gap, uint64_t *at)
{
	uint8_t block[BLOCK];

	for (uint64_t from = 0; from < gap->end; from += sizeof(block)) {
		size_t length = gap->end - from < sizeof(block) ? (size_t)(gap->end - from)
		                                                : sizeof(block);

		if (read_bytes(gap, from, block, length))
			return ERR_IO;
		for (size_t i = 0; i < length; i++) {
			*at = from + i;
			if (block[i] && !is_known(gap, *at))
				return 0;
		}
	}
	return ERR_NOT_FOUND;
}

int partition_gap_check(struct partition_gap *gap, const uint8_t *sector)
{
	uint64_t at = 0;
	int rc = gap->partitions ? mark_loader(gap) : 0;

	if (rc == 0)
		rc = check_marks(gap, sector); /* in sectors that are not known by now */
	if (rc)
		return rc;
	rc = find_byte(gap, &at);
	if (rc)
		return rc == ERR_NOT_FOUND ? 0 : rc;
	if (!gap->partitions)
		return partition_reason(gap->answer, ERR_REFUSED,
		                        "it has no partitions but is not empty (byte %llu); a file "
		                        "system may fill it, or it is not a raw image",
		                        (unsigned long long)at);
	gap->answer->forcible = true;
	return partition_reason(gap->answer, ERR_REFUSED,
	                        "sector %llu, which is before it and in no partition, is not "
	                        "empty; if a boot manager does not need it, say --force",
	                        (unsigned long long)(at / gap->disk->sector_size));
}
