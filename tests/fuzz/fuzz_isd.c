/* SPDX-License-Identifier: BSD-2-Clause */
/* Image-safe data: two copies on a disk. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "nbp/proto/crc32.h"
#include "nbp/proto/error.h"
#include "nbp/isd_load.h"
#include "nbp/proto/isd.h"

#define HEADER 12

struct disk_test {
	struct platform platform; /* first: disk_read() casts back */
	uint32_t sector_size;
	bool fails[ISD_COPIES];
	uint8_t copies[ISD_COPIES][ISD_COPY_SIZE];
};

static int disk_read(struct platform *p, size_t disk, uint64_t lba, uint32_t count, void *buffer)
{
	struct disk_test *d = (struct disk_test *)p;
	uint64_t from = lba * d->sector_size;
	size_t length = count * d->sector_size;

	REQUIRE(disk == 0 && from >= ISD_OFFSET && length <= ISD_COPY_SIZE);
	REQUIRE(from + length <= ISD_END);
	from -= ISD_OFFSET;
	if (d->fails[from / ISD_COPY_SIZE])
		return ERR_IO;
	memcpy(buffer, d->copies[0] + from, length);
	return 0;
}

static uint32_t now(struct platform *p)
{
	(void)p;
	return 0;
}

/* Bits of the byte before each copy. */
#define RAW      0x01 /* the header comes from the input, too */
#define NO_SUM   0x02
#define AT_END   0x04 /* the length field says that the fields fill the copy */
#define FAILS    0x08 /* reading this copy fails */
#define SEQUENCE 0xf0

static void make_copy(struct wire *in, uint8_t how, size_t size, uint8_t *copy)
{
	struct wire out = wire_writer(copy, ISD_COPY_SIZE - 4), end;
	size_t left = wire_left(in), room;

	if (!(how & RAW)) {
		wire_write_bytes(&out, "OPBI\1\0", 6);
		wire_write_u16(&out, (uint16_t)(how & AT_END ? ISD_COPY_SIZE - HEADER - 4 : size));
		/* Numbers on both sides of the wrap. */
		wire_write_u32(&out, (uint32_t)((how & SEQUENCE) - 0x80) << 24);
	}
	room = wire_left(&out);
	size = size < left ? size : left;
	size = size < room ? size : room;
	wire_read_bytes(in, copy + out.position, size);
	end = wire_writer(copy + ISD_COPY_SIZE - 4, 4);
	wire_write_u32(&end, crc32(copy, ISD_COPY_SIZE - 4) + (how & NO_SUM ? 1 : 0));
}

static void require_texts(const struct isd *isd)
{
	fuzz_require_text(isd->name, sizeof(isd->name));
	fuzz_require_text(isd->image, sizeof(isd->image));
	fuzz_require_text(isd->dns_suffix, sizeof(isd->dns_suffix));
	REQUIRE(isd->dns_count <= ISD_DNS_MAX);
}

/* A copy that decodes must encode, with its unknown fields, and decode to the same. */
static int decode(const uint8_t *copy, struct isd *isd)
{
	static struct isd again;
	static uint8_t encoded[ISD_COPY_SIZE];
	int rc = isd_decode(isd, copy);

	REQUIRE(rc == 0 || rc == ERR_NOT_FOUND || rc == ERR_VERSION || rc == ERR_MALFORMED);
	if (rc)
		return rc;
	require_texts(isd);
	REQUIRE(isd_encode(isd, copy, encoded) == 0);
	REQUIRE(isd_decode(&again, encoded) == 0);
	/* A list of zeros counts as none, and is not written again. */
	if (again.dns_count == 0)
		again.dns_count = isd->dns_count;
	REQUIRE(memcmp(isd, &again, sizeof(again)) == 0);
	return 0;
}

static void load(struct disk_test *d)
{
	static struct isd isd, copies[ISD_COPIES], none;
	int rc = isd_load(&d->platform, &isd), states[ISD_COPIES], best = -1;

	for (int i = 0; i < ISD_COPIES; i++) {
		states[i] = d->fails[i] ? ERR_IO : decode(d->copies[i], &copies[i]);
		if (states[i] == 0 && (best < 0 || isd_newer(copies[i].sequence,
		                                             copies[best].sequence)))
			best = i;
	}
	if (rc == ERR_IO && !(d->fails[0] && d->fails[1])) {
		/* Only a disk without such a place. */
		const struct disk *disk = &d->platform.machine.disks[0];

		REQUIRE(disk->sector_size != d->sector_size ||
		        disk->sectors * d->sector_size < ISD_END);
		return;
	}
	REQUIRE(rc == (best >= 0 ? 0 : d->fails[0] && d->fails[1] ? ERR_IO : ERR_NOT_FOUND));
	REQUIRE(memcmp(&isd, best >= 0 ? &copies[best] : &none, sizeof(isd)) == 0);
}

/* The input: the disk, how each copy is made, the length of the first, and both copies. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t sizes[] = { 512, 4096, 1024, 2048, 0, 513, 256, 8192 };
	static struct disk_test d;
	struct wire in = wire_reader(data, size);
	uint8_t shape = wire_read_u8(&in), how[ISD_COPIES];
	size_t first;
	struct disk *disk = &d.platform.machine.disks[0];

	memset(&d, 0, sizeof(d));
	wire_read_bytes(&in, how, sizeof(how));
	first = wire_read_u16(&in);
	disk->sector_size = sizes[shape & 7];
	d.sector_size = (shape & 7) < 4 ? disk->sector_size : 512;
	disk->sectors = shape & 8 ? 0 : shape & 16 ? ISD_END / d.sector_size - 1 : 1 << 20;
	d.platform.machine.disk_count = shape & 32 ? 0 : 1;
	d.platform.disk_read = disk_read;
	d.platform.now = now;
	make_copy(&in, how[0], first, d.copies[0]);
	make_copy(&in, how[1], wire_left(&in), d.copies[1]);
	for (int i = 0; i < ISD_COPIES; i++)
		d.fails[i] = how[i] & FAILS;
	if (d.platform.machine.disk_count)
		load(&d);
	else
		REQUIRE(isd_load(&d.platform, &(struct isd){ 0 }) == ERR_IO);
	return 0;
}
