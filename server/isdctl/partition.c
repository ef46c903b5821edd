/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/isdctl/partition.h"

#include <stdlib.h>
#include <string.h>

#include "nbp/proto/crc32.h"
#include "nbp/proto/error.h"
#include "nbp/proto/wire.h"
#include "server/isdctl/partition_gap.h"

#define BOOT_SECTOR 512      /* the bytes of it that count, whatever the sector size */
#define TABLE       446      /* the partition table's offset in it */
#define LOGICAL_MAX 1024     /* links of a chain of logical partitions */
#define ENTRIES_MAX 0x100000 /* bytes of all entries of a GPT; 16 KiB are usual */
#define ENTRY_SIZE  128      /* bytes of the smallest entry of a GPT */

/* Is this range of a disk free? */
struct query {
	const struct partition_disk *disk;
	uint64_t first, last; /* sectors of the range */
	uint64_t sectors;     /* of the disk */
	struct partition_gap gap; /* what the tables say about the sectors before the range */
};

/* Reads @length bytes from sector @lba on. Returns 0, ERR_MALFORMED (past the end) or ERR_IO,
 * having written the message. */
static int read_sectors(struct query *q, uint64_t lba, void *buffer, size_t length)
{
	if (lba >= q->sectors || (length - 1) / q->disk->sector_size >= q->sectors - lba)
		return partition_reason(q->gap.answer, ERR_MALFORMED,
		                        "its partition table points past the end of the disk");
	if (q->disk->read(q->disk->context, lba * q->disk->sector_size, buffer, length))
		return partition_reason(q->gap.answer, ERR_IO, "cannot read sector %llu",
		                        (unsigned long long)lba);
	return 0;
}

/* Marks the sectors from @first to @last, both included, as known. Returns whether one of them
 * is in the range. */
static bool mark_sectors(struct query *q, uint64_t first, uint64_t last)
{
	for (uint64_t i = first; i <= last && i < GAP_SECTORS; i++)
		q->gap.known[i] = 1;
	return first <= q->last && last >= q->first;
}

/* Does the same for a partition. */
static bool mark_partition(struct query *q, uint64_t first, uint64_t last)
{
	/* A partition that begins past the disk's end proves nothing about this disk. */
	if (first <= last && first < q->sectors)
		q->gap.partitions = true;
	return mark_sectors(q, first, last);
}

/* --- MBR ------------------------------------------------------------------- */

struct mbr_entry {
	uint8_t status, type;
	uint32_t start, count; /* sectors */
};

enum { MBR_ENTRIES = 4, TYPE_GPT = 0xee };

static bool is_extended(uint8_t type)
{
	return type == 0x05 || type == 0x0f || type == 0x85;
}

/* Reads the table of a boot sector. Returns 0, or ERR_NOT_FOUND if there is none. */
static int read_mbr(const uint8_t sector[BOOT_SECTOR], struct mbr_entry entries[MBR_ENTRIES])
{
	struct wire in = wire_reader(sector, BOOT_SECTOR);
	int rc = 0;

	wire_seek(&in, TABLE);
	for (int i = 0; i < MBR_ENTRIES; i++) {
		entries[i].status = wire_read_u8(&in);
		wire_skip(&in, 3);
		entries[i].type = wire_read_u8(&in);
		wire_skip(&in, 3);
		entries[i].start = wire_read_le32(&in);
		entries[i].count = wire_read_le32(&in);
		/* A file system's boot sector has code here, not a table. */
		if (entries[i].status & 0x7f)
			rc = ERR_NOT_FOUND;
	}
	return wire_read_le16(&in) == 0xaa55 ? rc : ERR_NOT_FOUND;
}

static int check_entry(struct query *q, const char *what, int number, uint64_t start,
                       uint32_t count)
{
	if (count && mark_partition(q, start, start + count - 1))
		return partition_reason(q->gap.answer, ERR_REFUSED,
		                        "%s partition %d begins at sector %llu and covers it",
		                        what, number, (unsigned long long)start);
	return 0;
}

/* Follows the chain of logical partitions, which are numbered from 5. */
static int check_logical(struct query *q, uint32_t base)
{
	uint64_t at = base;

	for (int number = 5; number < 5 + LOGICAL_MAX; number++) {
		uint8_t sector[BOOT_SECTOR];
		struct mbr_entry entries[MBR_ENTRIES];
		int rc = read_sectors(q, at, sector, sizeof(sector));

		if (rc)
			return rc;
		if (read_mbr(sector, entries))
			return partition_reason(q->gap.answer, ERR_MALFORMED,
			                        "its chain of logical partitions is damaged at "
			                        "sector %llu", (unsigned long long)at);
		if (mark_sectors(q, at, at))
			return partition_reason(q->gap.answer, ERR_REFUSED,
			                        "a table of logical partitions covers it");
		if (entries[0].type)
			rc = check_entry(q, "logical", number, at + entries[0].start,
			                 entries[0].count);
		if (rc)
			return rc;
		if (!is_extended(entries[1].type) || entries[1].count == 0)
			return 0;
		at = (uint64_t)base + entries[1].start;
	}
	return partition_reason(q->gap.answer, ERR_MALFORMED,
	                        "its chain of logical partitions does not end");
}

/* Checks the four entries of an MBR.
 * @protective: receives whether one of them announces a GPT */
static int check_mbr(struct query *q, const struct mbr_entry entries[MBR_ENTRIES],
                     bool *protective)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < MBR_ENTRIES; i++) {
		const struct mbr_entry *e = &entries[i];

		if (e->type == TYPE_GPT) {
			*protective = true;
		} else if (e->type) {
			rc = check_entry(q, is_extended(e->type) ? "extended" : "primary", i + 1,
			                 e->start, e->count);
			if (rc == 0 && is_extended(e->type) && e->count)
				rc = check_logical(q, e->start);
		}
	}
	return rc;
}

/* --- GPT ------------------------------------------------------------------- */

struct gpt {
	uint64_t at, alternate, entries; /* sectors */
	uint32_t count, entry_size, crc;
};

/* Reads the header in sector @lba. Returns 0, ERR_NOT_FOUND or ERR_MALFORMED. */
static int read_header(struct query *q, uint64_t lba, struct gpt *gpt)
{
	uint8_t sector[4096] = { 0 };
	struct wire in = wire_reader(sector, q->disk->sector_size);
	uint32_t length, crc;
	int rc = read_sectors(q, lba, sector, q->disk->sector_size);

	if (rc)
		return rc;
	if (memcmp(sector, "EFI PART", 8) != 0)
		return ERR_NOT_FOUND;
	wire_seek(&in, 12);
	length = wire_read_le32(&in);
	crc = wire_read_le32(&in);
	wire_skip(&in, 4);
	gpt->at = wire_read_le64(&in);
	gpt->alternate = wire_read_le64(&in);
	wire_seek(&in, 72);
	gpt->entries = wire_read_le64(&in);
	gpt->count = wire_read_le32(&in);
	gpt->entry_size = wire_read_le32(&in);
	gpt->crc = wire_read_le32(&in);
	if (in.error || length < 92 || length > q->disk->sector_size)
		return ERR_MALFORMED;
	memset(sector + 16, 0, 4); /* the CRC counts as zero within itself */
	if (crc32(sector, length) != crc || gpt->at != lba || gpt->entry_size < ENTRY_SIZE ||
	    gpt->entry_size % 8 || gpt->count == 0 || gpt->count > ENTRIES_MAX / gpt->entry_size)
		return ERR_MALFORMED;
	return 0;
}

static int check_entries(struct query *q, const struct gpt *gpt, const char *which,
                         const uint8_t *entries)
{
	static const uint8_t unused[16];
	struct wire in = wire_reader(entries, (size_t)gpt->count * gpt->entry_size);

	for (uint32_t i = 0; i < gpt->count; i++) {
		struct wire entry = wire_read_part(&in, gpt->entry_size);
		uint8_t type[16];
		uint64_t first, last;

		wire_read_bytes(&entry, type, sizeof(type));
		wire_skip(&entry, 16);
		first = wire_read_le64(&entry);
		last = wire_read_le64(&entry);
		if (memcmp(type, unused, sizeof(type)) != 0 && mark_partition(q, first, last))
			return partition_reason(q->gap.answer, ERR_REFUSED,
			                        "%s partition %u begins at sector %llu and covers "
			                        "it", which, i + 1, (unsigned long long)first);
	}
	return 0;
}

/* Checks header, entries and their CRC. Returns 0, ERR_REFUSED, ERR_IO, ERR_NOT_FOUND or
 * ERR_MALFORMED. */
static int check_gpt_table(struct query *q, uint64_t lba, const char *which, struct gpt *gpt)
{
	uint8_t *entries;
	uint64_t length;
	int rc = read_header(q, lba, gpt);

	if (rc)
		return rc;
	length = (uint64_t)gpt->count * gpt->entry_size;
	entries = malloc(length);
	if (!entries)
		return partition_reason(q->gap.answer, ERR_IO, "out of memory");
	rc = read_sectors(q, gpt->entries, entries, length);
	if (rc == 0 && crc32(entries, length) != gpt->crc)
		rc = ERR_MALFORMED;
	if (rc == 0 && (mark_sectors(q, lba, lba) |
	                mark_sectors(q, gpt->entries,
	                             gpt->entries + (length - 1) / q->disk->sector_size)))
		rc = partition_reason(q->gap.answer, ERR_REFUSED, "the %s table itself covers it",
		                      which);
	if (rc == 0)
		rc = check_entries(q, gpt, which, entries);
	free(entries);
	return rc;
}

/*
 * Checks the GPT and its backup (UEFI 2.10 section 5.3). One valid table is enough.
 * @announced: the MBR says that there is one
 * Returns partition_check()'s values, or ERR_NOT_FOUND if there is none.
 */
static int check_gpts(struct query *q, bool announced)
{
	struct gpt gpt, backup;
	int second, first = check_gpt_table(q, 1, "GPT", &gpt);

	if (first == ERR_REFUSED || first == ERR_IO)
		return first;
	second = check_gpt_table(q, first == 0 ? gpt.alternate : q->sectors - 1, "backup GPT",
	                         &backup);
	if (second == ERR_REFUSED || second == ERR_IO)
		return second;
	/* The place of a damaged first table still belongs to it. */
	if (first != 0 && second == 0)
		mark_sectors(q, 1, 1 + ((uint64_t)backup.count * backup.entry_size +
		                        q->disk->sector_size - 1) / q->disk->sector_size);
	if (first == 0 || second == 0)
		return 0;
	/* A backup may be left over from an earlier use of the disk. */
	if (first == ERR_NOT_FOUND && !announced)
		return ERR_NOT_FOUND;
	if (first == ERR_NOT_FOUND && second == ERR_NOT_FOUND)
		return partition_reason(q->gap.answer, ERR_MALFORMED,
		                        "its MBR announces a GPT, but there is none");
	return partition_reason(q->gap.answer, ERR_MALFORMED,
	                        "its GPT is damaged, so its partitions are unknown");
}

/* --- both ------------------------------------------------------------------ */

int partition_check(const struct partition_disk *disk, uint64_t from, uint64_t to,
                    struct partition_answer *answer)
{
	struct query q = {
		.disk = disk,
		.first = from / disk->sector_size,
		.last = (to - 1) / disk->sector_size,
		.sectors = disk->size / disk->sector_size,
		.gap = { .disk = disk, .end = from / disk->sector_size * disk->sector_size,
		         .answer = answer },
	};
	struct mbr_entry entries[MBR_ENTRIES];
	uint8_t sector[BOOT_SECTOR];
	bool protective = false;
	int rc;

	memset(answer, 0, sizeof(*answer));
	if (q.sectors <= q.last)
		return partition_reason(answer, ERR_SPACE, "it is too small: %llu bytes, not %llu",
		                        (unsigned long long)disk->size, (unsigned long long)to);
	if ((rc = read_sectors(&q, 0, sector, sizeof(sector))) != 0)
		return rc;
	if (read_mbr(sector, entries) == 0) {
		q.gap.known[0] = 1; /* code and table; without a table it must be zeros, too */
		if ((rc = check_mbr(&q, entries, &protective)) != 0)
			return rc;
	}
	rc = check_gpts(&q, protective);
	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	answer->partitions = q.gap.partitions;
	return partition_gap_check(&q.gap, sector);
}

int partition_guess_sector_size(const struct partition_disk *disk, uint32_t *size)
{
	uint8_t mark[8];
	bool found[2] = { false, false };

	for (int i = 0; i < 2; i++) {
		uint32_t at = i ? 4096 : 512;

		if (disk->size < at + sizeof(mark))
			continue;
		if (disk->read(disk->context, at, mark, sizeof(mark)))
			return ERR_IO;
		found[i] = memcmp(mark, "EFI PART", sizeof(mark)) == 0;
	}
	*size = found[1] ? 4096 : 512;
	return found[0] && found[1] ? ERR_REFUSED : 0;
}
