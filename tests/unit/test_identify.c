/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/identify_bench.h"

#include "nbp/proto/error.h"

/*
 * Who speaks, with image-safe data: no machine may be taken for another one
 * because its disk was moved or copied.
 */

#define DISK "a disk moved or copied"

/* A device that has all three. */
static void test_all_three(void **state)
{
	struct bench *bench = *state;

	bench_add(bench, &(struct known){ "a", 'A', 'a', '1' });
	bench_add(bench, &(struct known){ "b", 'B', 'b', '2' });
	bench_expect(bench, (struct reported){ 'A', 'a', '1' }, "a", "");
	bench_expect(bench, (struct reported){ 'A', 'a', '2' }, "a", "the MAC is that of b");
	bench_expect(bench, (struct reported){ 'A', '-', '1' }, "a", "");
	bench_expect(bench, (struct reported){ '-', 'a', '1' }, "a", ""); /* a new disk */
	bench_expect(bench, (struct reported){ 'X', 'a', '1' }, "a", "another disk");
	/* The disk of a, or a copy of it, in b. */
	bench_expect(bench, (struct reported){ 'A', 'b', '2' }, "b",
	             "image-safe data of a, but is another "
	             "machine");
	/* In an unknown machine, who is left alone: with any network adapter, a's own too. */
	bench_expect(bench, (struct reported){ 'A', 'x', '9' }, NULL, DISK);
	bench_expect(bench, (struct reported){ 'A', 'x', '1' }, NULL, DISK);
	bench_expect(bench, (struct reported){ 'A', 'x', '2' }, NULL, DISK);
	bench_expect(bench, (struct reported){ 'A', '-', '9' }, NULL, DISK);
	bench_expect(bench, (struct reported){ 'A', '-', '2' }, "b", DISK);
}

/* Devices without a UUID, as on boards that have none. */
static void test_without_uuid(void **state)
{
	struct bench *bench = *state;

	bench_add(bench, &(struct known){ "a", 'A', '-', '1' });
	bench_add(bench, &(struct known){ "b", '-', '-', '2' });
	bench_expect(bench, (struct reported){ 'A', '-', '1' }, "a", "");
	bench_expect(bench, (struct reported){ 'A', 'x', '1' }, "a", "");
	bench_expect(bench, (struct reported){ 'A', '-', '2' }, "b", DISK);
	bench_expect(bench, (struct reported){ 'A', 'x', '2' }, "b", DISK);
	bench_expect(bench, (struct reported){ 'A', '-', '9' }, NULL, DISK);
	bench_expect(bench, (struct reported){ 'A', 'x', '9' }, NULL, DISK);
}

/* Known by image-safe data alone: the first machine that comes with them is it. */
static void test_claim(void **state)
{
	struct bench *bench = *state;

	bench_add(bench, &(struct known){ "a", 'A', '-', '-' });
	bench_add(bench, &(struct known){ "b", '-', 'b', '2' });
	bench_expect(bench, (struct reported){ '-', 'x', '8' }, NULL, "");
	/* Not even the first, where its own UUID names another device. */
	bench_expect(bench, (struct reported){ 'A', 'b', '2' }, "b", DISK);
	bench_expect(bench, (struct reported){ 'A', 'x', '8' }, "a", "");
	bench_expect(bench, (struct reported){ 'A', 'x', '8' }, "a", "");
	/* Its agent and its events report no image-safe data. */
	bench_expect(bench, (struct reported){ '-', 'x', '8' }, "a", "");
	bench_expect(bench, (struct reported){ '-', '-', '8' }, "a", "");
	/* A copy of the disk, anywhere else. */
	bench_expect(bench, (struct reported){ 'A', 'y', '7' }, NULL, DISK);
	bench_expect(bench, (struct reported){ 'A', 'y', '8' }, NULL, DISK);
	bench_expect(bench, (struct reported){ 'A', '-', '7' }, NULL, DISK);
	bench_expect(bench, (struct reported){ 'A', 'b', '2' }, "b", DISK);
	bench_expect(bench, (struct reported){ 'A', 'x', '8' }, "a", "");
}

static void test_claim_by_mac(void **state)
{
	struct bench *bench = *state;

	bench_add(bench, &(struct known){ "a", 'A', '-', '-' });
	bench_expect(bench, (struct reported){ 'A', '-', '8' }, "a", "");
	bench_expect(bench, (struct reported){ 'A', '-', '8' }, "a", "");
	bench_expect(bench, (struct reported){ 'A', '-', '7' }, NULL, DISK);
	bench_expect(bench, (struct reported){ 'A', 'y', '7' }, NULL, DISK);
	bench_expect(bench, (struct reported){ '-', '-', '8' }, "a", "");
}

/* The image-safe data come before the MAC. */
static void test_before_the_mac(void **state)
{
	struct bench *bench = *state;

	bench_add(bench, &(struct known){ "a", 'A', '-', '-' });
	bench_add(bench, &(struct known){ "b", '-', '-', '2' });
	/* But without a UUID there would be nothing to know the machine by. */
	bench_expect(bench, (struct reported){ 'A', '-', '2' }, "b", DISK);
	bench_expect(bench, (struct reported){ 'A', '-', '-' }, NULL, DISK);
	bench_expect(bench, (struct reported){ 'A', 'x', '2' }, "a",
	             "the MAC is that of b, the image-safe "
	             "data count");
	bench_expect(bench, (struct reported){ 'A', 'x', '2' }, "a", "the MAC is that of b");
}

/* One machine, one disk after the other: it stays what it was at first. */
static void test_disks_taken_in_turn(void **state)
{
	struct bench *bench = *state;

	bench_add(bench, &(struct known){ "a", 'A', '-', '-' });
	bench_add(bench, &(struct known){ "b", 'B', '-', '-' });
	bench_expect(bench, (struct reported){ 'A', 'x', '8' }, "a", "");
	bench_expect(bench, (struct reported){ 'B', 'x', '8' }, "a", DISK);
	/* Another machine with the first one's network adapter: both keep what they are. */
	bench_expect(bench, (struct reported){ 'B', 'y', '8' }, "b", "the MAC is that of a");
	bench_expect(bench, (struct reported){ 'B', 'y', '8' }, "b", "the MAC is that of a");
	bench_expect(bench, (struct reported){ 'A', 'x', '8' }, "a", "");
	bench_expect(bench, (struct reported){ 'A', 'z', '7' }, NULL, DISK);
}

static void test_device_id_is_one_device_s(void **state)
{
	struct device device = { .name = "b" };
	struct bench *bench = *state;

	bench_add(bench, &(struct known){ "a", 'A', 'a', '1' });
	bench_fill(device.isd, sizeof(device.isd), 'A');
	assert_int_equal(device_add(&bench->store, &device, NULL, 0), ERR_REFUSED);
	bench_fill(device.isd, sizeof(device.isd), 'B');
	assert_int_equal(device_add(&bench->store, &device, NULL, 0), 0);
}

/* All ways to be asked: whoever is answered as a device has something of it, and no UUID
 * of another one. */
static void test_every_combination(void **state)
{
	static const char isds[] = "-ABX", uuids[] = "-abx", macs[] = "-129";
	struct bench *bench = *state;

	bench_add(bench, &(struct known){ "a", 'A', 'a', '1' });
	bench_add(bench, &(struct known){ "b", 'B', 'b', '2' });
	for (int i = 0; i < 4 * 4 * 4; i++) {
		struct reported reported = { isds[i % 4], uuids[i / 4 % 4], macs[i / 16] };
		struct identification who;
		char name;

		bench_ask(bench, &reported, &who);
		assert_false(who.binds);
		if (!who.known)
			continue;
		name = who.device.name[0];
		assert_true(reported.uuid == name || reported.uuid == '-');
		assert_true(reported.uuid == name || reported.mac == (name == 'a' ? '1' : '2'));
	}
}

/* Without image-safe data: the UUID before the MAC, and no UUID that does not distinguish machines
 * apart. */
static void test_hardware_alone(void **state)
{
	static const struct {
		uint8_t uuid[17], mac; /* the MAC's last byte; 0: none */
		const char *expected, *note;
	} cases[] = {
		{ "uuid of device a", 1, "a", "" },
		{ "uuid of device a", 0, "a", "" },
		{ "uuid of device a", 9, "a", "" },
		{ "uuid of device a", 2, "a", "the MAC is that of b, the UUID counts" },
		{ "", 1, "a", "" },
		{ "", 2, "b", "" },
		{ "", 3, "b", "" }, /* each of its MACs */
		{ "", 4, "b", "" },
		{ "uuid of device b", 2, "b", "" }, /* b has none to compare */
		{ "uuid of device x", 1, NULL, "the MAC is that of a, but the UUID is not" },
		{ "uuid of device x", 9, NULL, "" },
		{ "", 9, NULL, "" },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 1, "a", "" },
		{ "\x03\0\x02\0\x04\0\x05\0\0\x06\0\x07\0\x08\0\x09", 3, "b", "" },
	};
	static const uint8_t macs[4][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 },
	                                    { 2, 0, 0, 0, 0, 3 }, { 2, 0, 0, 0, 0, 4 } };
	struct device a = { .name = "a", .uuid = "uuid of device a" }, b = { .name = "b" };
	struct bench *bench = *state;
	size_t sure = 0;

	assert_int_equal(device_add(&bench->store, &a, macs, 1), 0);
	assert_int_equal(device_add(&bench->store, &b, macs + 1, 3), 0);
	bench->index = index_new();
	assert_int_equal(index_load(bench->index, &bench->store), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct identity identity = { .mac = { 2, 0, 0, 0, 0, cases[i].mac } };
		struct sender sender = { .identity = &identity };
		struct identification found;

		memcpy(identity.uuid, cases[i].uuid, 16);
		if (!cases[i].mac)
			memset(identity.mac, 0, 6);
		identify_machine(bench->index, &sender, &found);
		sure += bench_check_sure(bench->index, &sender, &found);
		assert_int_equal(found.known, cases[i].expected != NULL);
		if (cases[i].expected)
			assert_string_equal(found.device.name, cases[i].expected);
		assert_string_equal(found.anomaly, cases[i].note);
	}
	assert_in_range(sure, 1, COUNT(cases) - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all_three), TEST(test_without_uuid), TEST(test_claim),
		TEST(test_claim_by_mac), TEST(test_before_the_mac),
		TEST(test_disks_taken_in_turn), TEST(test_device_id_is_one_device_s),
		TEST(test_every_combination), TEST(test_hardware_alone),
	};

	return cmocka_run_group_tests_name("identify", tests, NULL, NULL);
}
