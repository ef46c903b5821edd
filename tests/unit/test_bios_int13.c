/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "bios/int13.h"
#include "nbp/proto/error.h"

struct edd {
	uint16_t size, flags;
	uint32_t cylinders, heads, track;
	uint64_t sectors;
	uint16_t sector_size;
	uint32_t configuration;
	uint16_t key;
	uint8_t path_length, reserved[3];
	char bus[4], interface[8];
	uint8_t paths[26];
} __attribute__((packed));

_Static_assert(sizeof(struct edd) == EDD_SIZE, "the specification's layout");

static struct edd disk(const char *interface)
{
	struct edd edd = { .size = 0x42, .sectors = 1000, .sector_size = 512, .key = 0xbedd };

	memcpy(edd.interface, interface, sizeof(edd.interface));
	return edd;
}

static void kinds(void **state)
{
	static const struct {
		const char *interface;
		enum disk_kind kind;
	} cases[] = {
		{ "ATA     ", DISK_ATA },     { "ATAPI   ", DISK_ATA },
		{ "SATA    ", DISK_ATA },     { "SCSI    ", DISK_SCSI },
		{ "SAS     ", DISK_SCSI },    { "USB     ", DISK_USB },
		{ "NVME    ", DISK_NVME },    { "1394    ", DISK_UNKNOWN },
		{ "        ", DISK_UNKNOWN }, { "\0\0\0\0\0\0\0", DISK_UNKNOWN },
		{ "VIRTIO  ", DISK_VIRTIO },  { "SD      ", DISK_SD },
		{ "SASX    ", DISK_UNKNOWN }, { "FIBRE   ", DISK_UNKNOWN },
	};
	struct disk result;
	bool removable;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct edd edd = disk(cases[i].interface);

		assert_int_equal(int13_read_edd(&edd, &result, &removable), 0);
		assert_int_equal(result.kind, cases[i].kind);
		edd.key = 0; /* a BIOS of before EDD 3.0 says no kind */
		assert_int_equal(int13_read_edd(&edd, &result, &removable), 0);
		assert_int_equal(result.kind, DISK_UNKNOWN);
	}
}

static void sizes(void **state)
{
	static const struct {
		uint64_t sectors;
		uint16_t sector_size;
		int rc;
	} cases[] = {
		{ 1, 512, 0 }, { UINT64_MAX, 4096, 0 }, { 0x123456789a, 1024, 0 },
		{ 0, 512, ERR_MALFORMED }, { 1, 0, ERR_MALFORMED }, { 1, 256, ERR_MALFORMED },
		{ 1, 8192, ERR_MALFORMED }, { 1, 520, ERR_MALFORMED }, { 1, 0xffff, ERR_MALFORMED },
	};
	struct disk result;
	bool removable;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct edd edd = disk("ATA     ");

		edd.sectors = cases[i].sectors;
		edd.sector_size = cases[i].sector_size;
		edd.flags = i % 2 ? 4 : 0xfffb;
		assert_int_equal(int13_read_edd(&edd, &result, &removable), cases[i].rc);
		assert_int_equal(removable, i % 2);
		assert_int_equal(result.sectors, cases[i].sectors);
		assert_int_equal(result.sector_size, cases[i].sector_size);
	}
}

static void geometry(void **state)
{
	struct geometry g;
	uint16_t cx, dx;

	(void)state;
	/* 1024 cylinders, 255 heads, 63 sectors: the most that a PC has */
	assert_int_equal(int13_read_geometry(0xffff, 0xfe01, &g), 0);
	assert_int_equal(g.cylinders, 1024);
	assert_int_equal(g.heads, 255);
	assert_int_equal(g.sectors, 63);
	assert_int_equal(int13_locate(&g, 0, &cx, &dx), 0);
	assert_int_equal(cx, 0x0001);
	assert_int_equal(dx, 0x0000);
	assert_int_equal(int13_locate(&g, 63, &cx, &dx), 0);
	assert_int_equal(cx, 0x0001);
	assert_int_equal(dx, 0x0100);
	assert_int_equal(int13_locate(&g, 1024 * 255 * 63 - 1, &cx, &dx), 0);
	assert_int_equal(cx, 0xffff);
	assert_int_equal(dx, 0xfe00);
	assert_int_equal(int13_locate(&g, 1024 * 255 * 63, &cx, &dx), ERR_NOT_FOUND);
	assert_int_equal(int13_locate(&g, UINT64_MAX, &cx, &dx), ERR_NOT_FOUND);
	/* cylinder 300 = 12Ch: its two highest bits go into CL's */
	assert_int_equal(int13_locate(&g, 300 * 255 * 63 + 5, &cx, &dx), 0);
	assert_int_equal(cx, 0x2c46);
	/* a floppy's worth, and no sectors at all */
	assert_int_equal(int13_read_geometry(79 << 8 | 18, 1 << 8, &g), 0);
	assert_int_equal(int13_locate(&g, 2879, &cx, &dx), 0);
	assert_int_equal(int13_locate(&g, 2880, &cx, &dx), ERR_NOT_FOUND);
	assert_int_equal(int13_read_geometry(0xffc0, 0xfe01, &g), ERR_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),
		cmocka_unit_test(sizes),
		cmocka_unit_test(geometry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
