/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/partitioned.h"

#include "tests/unit/unit.h"

#include "nbp/proto/error.h"
#include "nbp/proto/isd.h"

static int read_at(void *context, uint64_t offset, void *buffer, size_t length)
{
	struct bench *bench = context;

	bench->reads++;
	if (offset > DISK_SIZE || length > DISK_SIZE - offset)
		return ERR_IO;
	memcpy(buffer, bench->bytes + offset, length);
	return 0;
}

struct bench *partitioned_fresh(uint32_t sector_size)
{
	static struct bench bench;

	memset(&bench, 0, sizeof(bench));
	bench.disk = (struct partition_disk){ read_at, &bench, DISK_SIZE, sector_size };
	return &bench;
}

int partitioned_check(struct bench *bench)
{
	struct partition_answer answer;
	int rc = partition_check(&bench->disk, ISD_OFFSET, ISD_END, &answer);

	if (rc)
		print_message("           %s\n", answer.message);
	assert_true((rc == 0) == (answer.message[0] == '\0'));
	assert_true(rc == ERR_REFUSED || !answer.forcible);
	bench->forcible = answer.forcible;
	return rc;
}

void partitioned_put(uint8_t *at, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

void put_entry(struct bench *bench, uint64_t sector, int i, uint8_t type, uint32_t start,
               uint32_t count)
{
	uint8_t *at = bench->bytes + sector * bench->disk.sector_size;

	at[510] = 0x55;
	at[511] = 0xaa;
	at += 446 + 16 * i;
	at[4] = type;
	partitioned_put(at + 8, start, 4);
	partitioned_put(at + 12, count, 4);
}
