/* SPDX-License-Identifier: BSD-2-Clause */
/* Partition tables: MBR with logical partitions, and GPT with its backup. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "nbp/proto/crc32.h"
#include "nbp/proto/error.h"
#include "server/isdctl/partition.h"

#define DISK_MAX (96 * 512) /* whatever the sector size */

static uint8_t bytes[DISK_MAX];

static int disk_read(void *context, uint64_t offset, void *buffer, size_t length)
{
	const struct partition_disk *disk = context;

	REQUIRE(offset <= disk->size && length <= disk->size - offset);
	memcpy(buffer, bytes + offset, length);
	return 0;
}

static uint32_t get32(const uint8_t *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* Gives a GPT header a mark, sums and a place that hold, as no fuzzer finds them. */
static void mend_gpt(const struct partition_disk *disk, uint64_t lba)
{
	uint8_t *header = bytes + lba * disk->sector_size;
	uint64_t entries = get32(header + 72) * (uint64_t)disk->sector_size;
	uint64_t length = (uint64_t)get32(header + 80) * get32(header + 84);

	memcpy(header, "EFI PART", 8);
	put32(header + 12, 92);
	put32(header + 24, (uint32_t)lba);
	put32(header + 28, 0);
	if (entries <= disk->size && length <= disk->size - entries)
		put32(header + 88, crc32(bytes + entries, length));
	put32(header + 16, 0);
	put32(header + 16, crc32(header, 92));
}

static bool is_gpt(const struct partition_disk *disk)
{
	return memcmp(bytes + disk->sector_size, "EFI PART", 8) == 0 ||
	       memcmp(bytes + (disk->size / disk->sector_size - 1) * disk->sector_size,
	              "EFI PART", 8) == 0;
}

/* No primary partition of an MBR may cover what is said to be free. */
static void require_free(const struct partition_disk *disk, uint64_t from, uint64_t to)
{
	for (const uint8_t *entry = bytes + 446; entry < bytes + 510; entry += 16) {
		uint64_t start = get32(entry + 8) * (uint64_t)disk->sector_size;
		uint64_t length = get32(entry + 12) * (uint64_t)disk->sector_size;

		if (entry[4] && entry[4] != 0xee && length)
			REQUIRE(start >= to || start + length <= from);
	}
}

/* A disk without partitions may have a boot sector and tables, but nothing else before the
 * place: so it is where the second sector, and that of a GPT, is none. */
static void require_blank(const struct partition_disk *disk, uint64_t from)
{
	uint64_t end = from / disk->sector_size * disk->sector_size;

	for (uint64_t at = disk->sector_size; at < end; at++)
		REQUIRE(bytes[at] == 0 || is_gpt(disk));
}

static bool has_mbr(void)
{
	return bytes[510] == 0x55 && bytes[511] == 0xaa &&
	       !((bytes[446] | bytes[462] | bytes[478] | bytes[494]) & 0x7f);
}

#define SECTOR_4K  0x01
#define MARK_ALL   0x02 /* 55h AAh at the end of every sector that the input names */
#define MEND_FIRST 0x04 /* the GPT */
#define MEND_LAST  0x08 /* its backup */

/* A byte of choices, the place asked for, and the disk: sector, offset, length, bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct partition_disk disk = { .read = disk_read, .context = &disk };
	struct wire in = wire_reader(data, size);
	uint8_t how = wire_read_u8(&in), sector;
	uint64_t from = wire_read_u8(&in) * 256u, to = from + (wire_read_u8(&in) + 1) * 256u;
	struct partition_answer answer;
	uint32_t guess;
	int rc;

	memset(bytes, 0, sizeof(bytes));
	disk.size = DISK_MAX - (how >> 4) * 700u;
	disk.sector_size = how & SECTOR_4K ? 4096 : 512;
	while (wire_left(&in)) {
		size_t at = (size_t)(sector = wire_read_u8(&in) % 96) * 512;
		size_t offset = wire_read_u8(&in) * 2u, length = wire_read_u8(&in);

		length = length < wire_left(&in) ? length : wire_left(&in);
		length = length < DISK_MAX - at - offset ? length : DISK_MAX - at - offset;
		wire_read_bytes(&in, bytes + at + offset, length);
		if (how & MARK_ALL)
			memcpy(bytes + at + 510, "\x55\xaa", 2);
	}
	if (how & MEND_LAST)
		mend_gpt(&disk, disk.size / disk.sector_size - 1);
	if (how & MEND_FIRST)
		mend_gpt(&disk, 1);
	memset(&answer, 'x', sizeof(answer));
	rc = partition_check(&disk, from, to, &answer);
	REQUIRE(rc == 0 || rc == ERR_REFUSED || rc == ERR_MALFORMED || rc == ERR_SPACE);
	fuzz_require_text(answer.message, sizeof(answer.message));
	REQUIRE(rc == ERR_REFUSED || !answer.forcible);
	if (rc == 0 && has_mbr())
		require_free(&disk, from, to);
	if (rc == 0 && !answer.partitions)
		require_blank(&disk, from);
	rc = partition_guess_sector_size(&disk, &guess);
	REQUIRE(rc == ERR_REFUSED || (rc == 0 && (guess == 512 || guess == 4096)));
	return 0;
}
