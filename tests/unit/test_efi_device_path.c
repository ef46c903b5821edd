/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "efi/device_path.h"
#include "nbp/proto/error.h"

/* Nodes of device paths, as bytes. */
#define ROOT 2, 1, 12, 0, 0xd0, 0x41, 0x03, 0x0a, 0, 0, 0, 0
#define PCI 1, 1, 6, 0, 0, 5
#define VENDOR 1, 4, 20, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
#define ATAPI 3, 1, 8, 0, 0, 0, 0, 0
#define SATA 3, 18, 10, 0, 0, 0, 0xff, 0xff, 0, 0
#define SCSI 3, 2, 8, 0, 0, 0, 0, 0
#define USB 3, 5, 6, 0, 1, 0
#define NVME 3, 23, 16, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define EMMC 3, 29, 5, 0, 0
#define VLAN 3, 20, 6, 0, 1, 0
#define MAC 3, 11, 37, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, \
	0, 0, 0, 0, 0, 0, 0, 0, 0, 1
#define GPT(last) 4, 1, 42, 0, 1, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, \
	0xa0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, last, 2, 2
#define CD 4, 2, 24, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define FILE_X 4, 4, 8, 0, '\\', 0, 'x', 0
#define VOLUME 4, 7, 20, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
#define BBS 5, 1, 8, 0, 2, 0, 0, 0
#define END 0x7f, 0xff, 4, 0
#define NEXT 0x7f, 0x01, 4, 0

#define BYTES(...) ((const uint8_t[]){ __VA_ARGS__ }), sizeof((const uint8_t[]){ __VA_ARGS__ })

static void reads_what_a_path_is_of(void **state)
{
	const struct {
		const uint8_t *bytes;
		size_t size;
		enum path_kind kind;
		uint8_t bus;
		size_t device, file;
	} cases[] = {
		{ BYTES(ROOT, PCI, END), PATH_DEVICE, DISK_UNKNOWN, 18, 18 },
		{ BYTES(ROOT, PCI, SATA, END), PATH_DEVICE, DISK_ATA, 28, 28 },
		{ BYTES(ROOT, PCI, ATAPI, END), PATH_DEVICE, DISK_ATA, 26, 26 },
		{ BYTES(ROOT, VENDOR, SCSI, END), PATH_DEVICE, DISK_SCSI, 40, 40 },
		{ BYTES(ROOT, PCI, USB, SCSI, END), PATH_DEVICE, DISK_USB, 32, 32 },
		{ BYTES(ROOT, PCI, EMMC, END), PATH_DEVICE, DISK_SD, 23, 23 },
		{ BYTES(ROOT, PCI, NVME, GPT(15), FILE_X, END), PATH_DEVICE, DISK_NVME, 34, 76 },
		{ BYTES(ROOT, PCI, GPT(15), END), PATH_DEVICE, DISK_UNKNOWN, 18, 60 },
		{ BYTES(GPT(15), FILE_X, FILE_X, END), PATH_PARTITION, 0, 0, 42 },
		{ BYTES(GPT(15), END), PATH_PARTITION, 0, 0, 42 },
		{ BYTES(FILE_X, END), PATH_FILE, 0, 0, 0 },
		{ BYTES(ROOT, PCI, MAC, END), PATH_OTHER, 0, 55, 55 },
		{ BYTES(ROOT, PCI, VLAN, SCSI, END), PATH_OTHER, DISK_SCSI, 32, 32 },
		{ BYTES(ROOT, PCI, SATA, CD, FILE_X, END), PATH_OTHER, DISK_ATA, 28, 52 },
		{ BYTES(VOLUME, FILE_X, END), PATH_OTHER, 0, 0, 20 },
		{ BYTES(BBS, END), PATH_OTHER, 0, 8, 8 },
		{ BYTES(USB, END), PATH_OTHER, DISK_USB, 6, 6 },
		{ BYTES(END), PATH_OTHER, 0, 0, 0 },
	};
	const uint8_t cd[] = { CD };
	struct device_path path;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(device_path_read(cases[i].bytes, cases[i].size, &path), 0);
		assert_int_equal(path.size, cases[i].size);
		assert_int_equal(path.kind, cases[i].kind);
		assert_int_equal(path.bus, cases[i].bus);
		assert_int_equal(path.device, cases[i].device);
		assert_int_equal(path.file, cases[i].file);
		assert_int_equal(path.cd, memmem(cases[i].bytes, cases[i].size, cd, sizeof(cd)) != NULL);
		/* What follows the end does not count, what lacks it does. */
		assert_int_equal(device_path_read(cases[i].bytes, cases[i].size - 1, &path),
		                 ERR_TRUNCATED);
		assert_int_equal(path.kind, PATH_OTHER);
	}
}

static void refuses_what_is_no_path(void **state)
{
	const struct {
		const uint8_t *bytes;
		size_t size;
	} cases[] = {
		{ BYTES(1, 1, 3, 0, 0x7f, 0xff, 4, 0) },          /* shorter than its header */
		{ BYTES(1, 1, 0, 0, END) },                       /* would go round for ever */
		{ BYTES(ROOT, PCI, NEXT, ROOT, PCI, END) },       /* two in one */
		{ BYTES(4, 1, 8, 0, 1, 0, 0, 0, END) },           /* a partition of nothing */
		{ BYTES(ROOT, 0x7f, 0xff, 6, 0, 0, 0) },          /* an end with something in it */
		{ BYTES(ROOT, 1, 1, 0xff, 0xff, 0, 5, END) },     /* longer than all */
	};
	struct device_path path;
	uint8_t endless[4096];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_not_equal(device_path_read(cases[i].bytes, cases[i].size, &path), 0);
	for (size_t i = 0; i < sizeof(endless); i += 6)
		memcpy(endless + i, (const uint8_t[]){ PCI }, sizeof(endless) - i < 6 ? 4 : 6);
	assert_int_equal(device_path_read(endless, sizeof(endless), &path), ERR_TRUNCATED);
	assert_int_equal(device_path_read(NULL, 0, &path), ERR_TRUNCATED);
}

static struct partition_id partition(const uint8_t *bytes, size_t size)
{
	struct device_path path;

	assert_int_equal(device_path_read(bytes, size, &path), 0);
	return path.partition;
}

static void knows_a_partition_again(void **state)
{
	struct partition_id one = partition(BYTES(GPT(15), FILE_X, END));
	struct partition_id same = partition(BYTES(ROOT, PCI, SATA, GPT(15), END));
	struct partition_id other = partition(BYTES(ROOT, PCI, SATA, GPT(16), END));
	struct partition_id none = partition(BYTES(ROOT, PCI, SATA, END));

	(void)state;
	assert_int_equal(one.number, 1);
	assert_int_equal(one.scheme, 2);
	assert_int_equal(one.signature[0], 0xa0);
	assert_true(device_path_same_partition(&one, &same));
	assert_false(device_path_same_partition(&one, &other));
	assert_false(device_path_same_partition(&one, &none));
	assert_false(device_path_same_partition(&none, &none));
	same.number = 2; /* of a disk with an MBR, whose partitions share a signature */
	assert_false(device_path_same_partition(&one, &same));
}

static void makes_paths(void **state)
{
	static const uint8_t disk[] = { ROOT, PCI }, file[] = { FILE_X };
	static const uint8_t joined[] = { ROOT, PCI, FILE_X, END };
	static const uint8_t named[] = { 4, 4, 10, 0, '\\', 0, 'a', 0, 0, 0, END };
	struct span first = { disk, sizeof(disk) }, rest = { file, sizeof(file) };
	struct span none = { NULL, 0 };
	uint8_t out[64];

	(void)state;
	assert_int_equal(device_path_join(out, sizeof(out), first, rest), sizeof(joined));
	assert_memory_equal(out, joined, sizeof(joined));
	assert_int_equal(device_path_join(out, sizeof(joined) - 1, first, rest), 0);
	assert_int_equal(device_path_join(out, sizeof(out), none, none), DEVICE_PATH_END);
	assert_int_equal(device_path_of_file(out, sizeof(out), "\\a"), sizeof(named));
	assert_memory_equal(out, named, sizeof(named));
	assert_int_equal(device_path_of_file(out, sizeof(named) - 1, "\\a"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_a_path_is_of),
		cmocka_unit_test(refuses_what_is_no_path),
		cmocka_unit_test(knows_a_partition_again),
		cmocka_unit_test(makes_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
