/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/isdctl/partition.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/wire.h"
#include "server/isdctl/partition_gpt.h"

#define BOOT_SECTOR 512  /* bytes of it that count, whatever the sector size */
#define TABLE       446  /* where its partition table is */
#define LOGICAL_MAX 1024 /* links of a chain of logical partitions */

int tell(const struct question *q, int rc, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(q->message, q->size, format, args);
	va_end(args);
	return rc;
}

int question_read(const struct question *q, uint64_t lba, void *buffer, size_t length)
{
	if (lba >= q->sectors || (length - 1) / q->disk->sector_size >= q->sectors - lba)
		return tell(q, ERR_MALFORMED,
		            "its partition table points behind the end of the disk");
	if (q->disk->read(q->disk->context, lba * q->disk->sector_size, buffer, length))
		return tell(q, ERR_IO, "sector %llu cannot be read",
		            (unsigned long long)lba);
	return 0;
}

bool question_claim(const struct question *q, uint64_t first, uint64_t last)
{
	for (uint64_t i = first; i <= last && i < GAP_SECTORS; i++)
		q->gap->claimed[i] = 1;
	return first <= q->last && last >= q->first;
}

bool question_claim_partition(const struct question *q, uint64_t first, uint64_t last)
{
	/* What is said to begin behind the disk's end proves nothing of this disk. */
	if (first <= last && first < q->sectors)
		q->gap->partitions = true;
	return question_claim(q, first, last);
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

/* Reads the table of a boot sector. Returns 0, or ERR_NOT_FOUND if it is none. */
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

static int check_entry(const struct question *q, const char *what, int number, uint64_t start,
                       uint32_t count)
{
	if (count && question_claim_partition(q, start, start + count - 1))
		return tell(q, ERR_REFUSED, "%s partition %d begins at sector %llu and covers it",
		            what, number, (unsigned long long)start);
	return 0;
}

/* Follows the chain of logical partitions; those are numbered from 5. */
static int check_logical(const struct question *q, uint32_t base)
{
	uint64_t at = base;

	for (int number = 5; number < 5 + LOGICAL_MAX; number++) {
		uint8_t sector[BOOT_SECTOR];
		struct mbr_entry entries[MBR_ENTRIES];
		int rc = question_read(q, at, sector, sizeof(sector));

		if (rc)
			return rc;
		if (read_mbr(sector, entries))
			return tell(q, ERR_MALFORMED, "its chain of logical partitions is damaged "
			            "at sector %llu", (unsigned long long)at);
		if (question_claim(q, at, at))
			return tell(q, ERR_REFUSED, "a table of logical partitions is there");
		if (entries[0].type)
			rc = check_entry(q, "logical", number, at + entries[0].start,
			                 entries[0].count);
		if (rc)
			return rc;
		if (!is_extended(entries[1].type) || entries[1].count == 0)
			return 0;
		at = (uint64_t)base + entries[1].start;
	}
	return tell(q, ERR_MALFORMED, "its chain of logical partitions has no end");
}

/* @protective: receives whether it says that there is a GPT */
static int check_mbr(const struct question *q, const struct mbr_entry entries[MBR_ENTRIES],
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

/* --- all together ---------------------------------------------------------- */

int partition_check(const struct partition_disk *disk, uint64_t from, uint64_t to,
                    struct partition_answer *answer)
{
	struct gap gap = { 0 };
	struct question q = { disk, from / disk->sector_size, (to - 1) / disk->sector_size,
	                      disk->size / disk->sector_size, answer->message,
	                      sizeof(answer->message), &gap };
	struct mbr_entry entries[MBR_ENTRIES];
	uint8_t sector[BOOT_SECTOR];
	bool protective = false;
	int rc, mbr;

	memset(answer, 0, sizeof(*answer));
	if (q.sectors <= q.last)
		return tell(&q, ERR_SPACE, "it is too small: %llu bytes, not %llu",
		            (unsigned long long)disk->size, (unsigned long long)to);
	if ((rc = question_read(&q, 0, sector, sizeof(sector))) != 0)
		return rc;
	mbr = read_mbr(sector, entries);
	if (mbr == 0) {
		gap.claimed[0] = 1; /* code and table; without a table it has to be zeros, too */
		if ((rc = check_mbr(&q, entries, &protective)) != 0)
			return rc;
	}
	rc = question_gpt(&q, protective);
	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	rc = question_gap(&q, sector, &answer->forcible);
	answer->partitions = gap.partitions;
	return rc;
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
