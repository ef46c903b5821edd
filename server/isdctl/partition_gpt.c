/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/isdctl/partition_gpt.h"

#include <stdlib.h>
#include <string.h>

#include "nbp/proto/crc32.h"
#include "nbp/proto/error.h"
#include "nbp/proto/wire.h"

#define ENTRIES_MAX 0x100000 /* bytes of all entries; usual are 16 KiB */
#define ENTRY_SIZE  128      /* the smallest */

struct gpt {
	uint64_t at, alternate, entries; /* sectors */
	uint32_t count, entry_size, crc;
};

/* Reads the header in sector @lba. Returns 0, ERR_NOT_FOUND or ERR_MALFORMED. */
static int read_header(const struct question *q, uint64_t lba, struct gpt *gpt)
{
	uint8_t sector[4096] = { 0 };
	struct wire in = wire_reader(sector, q->disk->sector_size);
	uint32_t length, crc;
	int rc = question_read(q, lba, sector, q->disk->sector_size);

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

static int check_entries(const struct question *q, const struct gpt *gpt, const char *which,
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
		if (memcmp(type, unused, sizeof(type)) != 0 &&
		    question_claim_partition(q, first, last))
			return tell(q, ERR_REFUSED, "%s partition %u begins at sector %llu and "
			            "covers it", which, i + 1, (unsigned long long)first);
	}
	return 0;
}

/* Checks header, entries and their CRC. Returns 0, ERR_REFUSED, ERR_IO or what ails it. */
static int check_gpt(const struct question *q, uint64_t lba, const char *which, struct gpt *gpt)
{
	uint8_t *entries;
	uint64_t length;
	int rc = read_header(q, lba, gpt);

	if (rc)
		return rc;
	length = (uint64_t)gpt->count * gpt->entry_size;
	entries = malloc(length);
	if (!entries)
		return tell(q, ERR_IO, "no memory");
	rc = question_read(q, gpt->entries, entries, length);
	if (rc == 0 && crc32(entries, length) != gpt->crc)
		rc = ERR_MALFORMED;
	if (rc == 0 && (question_claim(q, lba, lba) |
	                question_claim(q, gpt->entries,
	                       gpt->entries + (length - 1) / q->disk->sector_size)))
		rc = tell(q, ERR_REFUSED, "the %s table itself covers it", which);
	if (rc == 0)
		rc = check_entries(q, gpt, which, entries);
	free(entries);
	return rc;
}

int question_gpt(const struct question *q, bool announced)
{
	struct gpt gpt, backup;
	int second, first = check_gpt(q, 1, "GPT", &gpt);

	if (first == ERR_REFUSED || first == ERR_IO)
		return first;
	second = check_gpt(q, first == 0 ? gpt.alternate : q->sectors - 1, "backup GPT", &backup);
	if (second == ERR_REFUSED || second == ERR_IO)
		return second;
	/* The first one's place stays its own when it is damaged. */
	if (first != 0 && second == 0)
		question_claim(q, 1, 1 + ((uint64_t)backup.count * backup.entry_size +
		                          q->disk->sector_size - 1) / q->disk->sector_size);
	if (first == 0 || second == 0)
		return 0;
	/* A disk's earlier life may have left a backup that nobody cares for. */
	if (first == ERR_NOT_FOUND && !announced)
		return ERR_NOT_FOUND;
	if (first == ERR_NOT_FOUND && second == ERR_NOT_FOUND)
		return tell(q, ERR_MALFORMED, "its MBR tells of a GPT, but there is none");
	return tell(q, ERR_MALFORMED, "its GPT is damaged, so its partitions are not known");
}
