/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <unistd.h>

#include "error.h"
#include "identify.h"

/*
 * Who speaks, with image-safe data: no machine may be taken for another one
 * because its disk was moved or copied.
 */

struct bench {
	struct store store;
	struct index *index;
	char serial; /* that a machine tells of its system; 0: none */
	char path[64];
};

/* What the tests call these things: one letter or digit each. */
struct known {
	const char *name;
	char isd, uuid, mac; /* '-': none */
};

struct told {
	char isd, uuid, mac;
};

static void fill(uint8_t *out, size_t size, char what)
{
	memset(out, 0, size);
	if (what == '-')
		return;
	memset(out, what, size);
	out[0] = 2; /* no group address, nor all bytes alike */
}

static int set_up(void **state)
{
	static const struct store_options create = { .create = true };
	struct bench *bench = calloc(1, sizeof(*bench));
	int fd;

	strcpy(bench->path, "/tmp/preboot-identify-XXXXXX");
	fd = mkstemp(bench->path);
	if (fd < 0)
		return -1;
	close(fd);
	*state = bench;
	return store_open(&bench->store, bench->path, &create);
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	index_free(bench->index);
	store_close(&bench->store);
	unlink(bench->path);
	free(bench);
	return 0;
}

static uint64_t add(struct bench *bench, const struct known *known)
{
	struct device device = { .added = 1 };
	uint8_t macs[1][6];

	snprintf(device.name, sizeof(device.name), "%s", known->name);
	fill(device.isd, sizeof(device.isd), known->isd);
	fill(device.uuid, sizeof(device.uuid), known->uuid);
	fill(macs[0], sizeof(macs[0]), known->mac);
	assert_int_equal(device_add(&bench->store, &device, macs, known->mac != '-'), 0);
	return device.id;
}

/* Who is surely one is found to be that one, and nothing odd. Returns whether anybody is. */
static bool check_sure(const struct index *index, const struct sender *sender,
                       const struct identified *found)
{
	bool sure = false;

	for (uint64_t id = 1; id <= 9; id++) {
		const struct entry *entry = index_by_id(index, id);

		if (!entry || !identify_is(index, entry, sender))
			continue;
		assert_true(found->known && !found->claims && !found->suspect);
		assert_ptr_equal(found->entry, entry);
		assert_string_equal(found->note, "");
		sure = true;
	}
	return sure;
}

/* Keeps what was found out, as the server does for a request. Returns whether it had to. */
static bool keep(struct bench *bench, const struct sender *sender,
                 const struct weighing *weighing, const struct identified *out)
{
	static const uint8_t boot[NONCE_SIZE] = { 1 };

	if (weighing->device)
		assert_int_equal(weigh_keep(&bench->store, sender, weighing, 5, boot), 0);
	if (out->claims)
		assert_int_equal(device_claim(&bench->store, &out->device, &out->identity), 0);
	return out->claims || sender->weighed == WEIGHED_CARD || sender->weighed == WEIGHED_SHARED;
}

static void load_index(struct bench *bench)
{
	if (bench->index)
		return;
	bench->index = index_new();
	assert_int_equal(index_load(bench->index, &bench->store), 0);
}

static void follow(struct bench *bench, bool any)
{
	struct changes *changes;

	assert_int_equal(index_read_changes(bench->index, &bench->store, &changes), 0);
	assert_int_equal(changes != NULL, any);
	if (changes)
		assert_int_equal(index_apply(bench->index, changes), 0);
}

/* Identifies, weighs and claims where that is due, as the server does for a request. The index is
 * loaded at the first question, and follows what comes of it. */
static void ask(struct bench *bench, const struct told *told, struct identified *out)
{
	struct index *own = index_new();
	struct identified of_store;
	struct request request = { .firmware = 1, .manufacturer = "Maker", .product = "PC" };
	struct identity *identity = &request.identity;
	struct weighing weighing;
	uint8_t isd[16];
	struct sender sender = { identity, isd, &request, WEIGHED_NOT }, tool = sender;

	fill(identity->uuid, sizeof(identity->uuid), told->uuid);
	fill(identity->mac, sizeof(identity->mac), told->mac);
	fill(isd, sizeof(isd), told->isd);
	if (bench->serial)
		snprintf(request.serial, sizeof(request.serial), "5CG01%c9", bench->serial);
	load_index(bench);
	assert_int_equal(identify_weighed(&bench->store, bench->index, &sender, out, &weighing), 0);
	assert_false(out->weigh);
	if (!weighing.device)
		check_sure(bench->index, &sender, out);
	assert_int_equal(identify(&bench->store, own, &tool, &of_store), 0);
	assert_int_equal(of_store.known, out->known);
	assert_int_equal(of_store.device.id, out->device.id);
	assert_int_equal(of_store.claims, out->claims);
	assert_int_equal(of_store.pretends, out->pretends);
	assert_string_equal(of_store.note, out->note);
	assert_int_equal(tool.weighed, sender.weighed);
	index_free(own);
	follow(bench, keep(bench, &sender, &weighing, out));
}

/* @expected: the device's name; NULL: it must be unknown */
static void expect(struct bench *bench, struct told told, const char *expected, const char *note)
{
	struct identified who;

	print_message("           isd %c uuid %c mac %c: %s\n", told.isd, told.uuid, told.mac,
	              expected ? expected : "unknown");
	ask(bench, &told, &who);
	assert_int_equal(who.known, expected != NULL);
	if (expected)
		assert_string_equal(who.device.name, expected);
	if (note[0])
		assert_non_null(strstr(who.note, note));
	else
		assert_string_equal(who.note, "");
	assert_int_equal(who.by_mac, who.known && who.device.isd[1] != told.isd && told.uuid == '-' &&
	                 (device_uuid_ok(who.device.uuid) || device_uuid_ok(who.device.claim_uuid)));
	if (who.suspect)
		assert_true(who.note[0] && who.suspect != (who.known ? who.device.id : 0));
}

#define DISK "a disk moved or copied"

/* A device that has all three. */
static void test_all_three(void **state)
{
	struct bench *bench = *state;

	add(bench, &(struct known){ "a", 'A', 'a', '1' });
	add(bench, &(struct known){ "b", 'B', 'b', '2' });
	expect(bench, (struct told){ 'A', 'a', '1' }, "a", "");
	expect(bench, (struct told){ 'A', 'a', '2' }, "a", "the MAC is that of b");
	expect(bench, (struct told){ 'A', '-', '1' }, "a", "");
	expect(bench, (struct told){ '-', 'a', '1' }, "a", ""); /* a new disk */
	expect(bench, (struct told){ 'X', 'a', '1' }, "a", "another disk");
	/* The disk of a, or a copy of it, in b. */
	expect(bench, (struct told){ 'A', 'b', '2' }, "b", "image-safe data of a, but is another "
	       "machine");
	/* In a stranger, who is left alone: with any network adapter, a's own too. */
	expect(bench, (struct told){ 'A', 'x', '9' }, NULL, DISK);
	expect(bench, (struct told){ 'A', 'x', '1' }, NULL, DISK);
	expect(bench, (struct told){ 'A', 'x', '2' }, NULL, DISK);
	expect(bench, (struct told){ 'A', '-', '9' }, NULL, DISK);
	expect(bench, (struct told){ 'A', '-', '2' }, "b", DISK);
}

/* Devices without a UUID, as on boards that have none. */
static void test_without_uuid(void **state)
{
	struct bench *bench = *state;

	add(bench, &(struct known){ "a", 'A', '-', '1' });
	add(bench, &(struct known){ "b", '-', '-', '2' });
	expect(bench, (struct told){ 'A', '-', '1' }, "a", "");
	expect(bench, (struct told){ 'A', 'x', '1' }, "a", "");
	expect(bench, (struct told){ 'A', '-', '2' }, "b", DISK);
	expect(bench, (struct told){ 'A', 'x', '2' }, "b", DISK);
	expect(bench, (struct told){ 'A', '-', '9' }, NULL, DISK);
	expect(bench, (struct told){ 'A', 'x', '9' }, NULL, DISK);
}

/* Known by image-safe data alone: the first machine that comes with them is it. */
static void test_claim(void **state)
{
	struct bench *bench = *state;

	add(bench, &(struct known){ "a", 'A', '-', '-' });
	add(bench, &(struct known){ "b", '-', 'b', '2' });
	expect(bench, (struct told){ '-', 'x', '8' }, NULL, "");
	/* Not even the first, where its own UUID names another device. */
	expect(bench, (struct told){ 'A', 'b', '2' }, "b", DISK);
	expect(bench, (struct told){ 'A', 'x', '8' }, "a", "");
	expect(bench, (struct told){ 'A', 'x', '8' }, "a", "");
	/* Its agent and its events tell of no image-safe data. */
	expect(bench, (struct told){ '-', 'x', '8' }, "a", "");
	expect(bench, (struct told){ '-', '-', '8' }, "a", "");
	/* A copy of the disk, anywhere else. */
	expect(bench, (struct told){ 'A', 'y', '7' }, NULL, DISK);
	expect(bench, (struct told){ 'A', 'y', '8' }, NULL, DISK);
	expect(bench, (struct told){ 'A', '-', '7' }, NULL, DISK);
	expect(bench, (struct told){ 'A', 'b', '2' }, "b", DISK);
	expect(bench, (struct told){ 'A', 'x', '8' }, "a", "");
}

static void test_claim_by_mac(void **state)
{
	struct bench *bench = *state;

	add(bench, &(struct known){ "a", 'A', '-', '-' });
	expect(bench, (struct told){ 'A', '-', '8' }, "a", "");
	expect(bench, (struct told){ 'A', '-', '8' }, "a", "");
	expect(bench, (struct told){ 'A', '-', '7' }, NULL, DISK);
	expect(bench, (struct told){ 'A', 'y', '7' }, NULL, DISK);
	expect(bench, (struct told){ '-', '-', '8' }, "a", "");
}

/* The image-safe data come before the MAC. */
static void test_before_the_mac(void **state)
{
	struct bench *bench = *state;

	add(bench, &(struct known){ "a", 'A', '-', '-' });
	add(bench, &(struct known){ "b", '-', '-', '2' });
	/* But without a UUID there would be nothing to know the machine by. */
	expect(bench, (struct told){ 'A', '-', '2' }, "b", DISK);
	expect(bench, (struct told){ 'A', '-', '-' }, NULL, DISK);
	expect(bench, (struct told){ 'A', 'x', '2' }, "a", "the MAC is that of b, the image-safe "
	       "data count");
	expect(bench, (struct told){ 'A', 'x', '2' }, "a", "the MAC is that of b");
}

/* One machine, one disk after the other: it stays what it was at first. */
static void test_disks_taken_in_turn(void **state)
{
	struct bench *bench = *state;

	add(bench, &(struct known){ "a", 'A', '-', '-' });
	add(bench, &(struct known){ "b", 'B', '-', '-' });
	expect(bench, (struct told){ 'A', 'x', '8' }, "a", "");
	expect(bench, (struct told){ 'B', 'x', '8' }, "a", DISK);
	/* Another machine with the first one's network adapter: both keep what they are. */
	expect(bench, (struct told){ 'B', 'y', '8' }, "b", "the MAC is that of a");
	expect(bench, (struct told){ 'B', 'y', '8' }, "b", "the MAC is that of a");
	expect(bench, (struct told){ 'A', 'x', '8' }, "a", "");
	expect(bench, (struct told){ 'A', 'z', '7' }, NULL, DISK);
}

static void test_device_id_is_one_device_s(void **state)
{
	struct device device = { .name = "b" };
	struct bench *bench = *state;

	add(bench, &(struct known){ "a", 'A', 'a', '1' });
	fill(device.isd, sizeof(device.isd), 'A');
	assert_int_equal(device_add(&bench->store, &device, NULL, 0), ERR_REFUSED);
	fill(device.isd, sizeof(device.isd), 'B');
	assert_int_equal(device_add(&bench->store, &device, NULL, 0), 0);
}

/* All ways to be asked: whoever is answered as a device has something of it, and no UUID
 * of another one. */
static void test_every_combination(void **state)
{
	static const char isds[] = "-ABX", uuids[] = "-abx", macs[] = "-129";
	struct bench *bench = *state;

	add(bench, &(struct known){ "a", 'A', 'a', '1' });
	add(bench, &(struct known){ "b", 'B', 'b', '2' });
	for (int i = 0; i < 4 * 4 * 4; i++) {
		struct told told = { isds[i % 4], uuids[i / 4 % 4], macs[i / 16] };
		struct identified who;
		char name;

		ask(bench, &told, &who);
		assert_false(who.claims);
		if (!who.known)
			continue;
		name = who.device.name[0];
		assert_true(told.uuid == name || told.uuid == '-');
		assert_true(told.uuid == name || told.mac == (name == 'a' ? '1' : '2'));
	}
}

/* Without image-safe data: the UUID before the MAC, and no UUID that does not tell machines
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
		struct identified found;

		memcpy(identity.uuid, cases[i].uuid, 16);
		if (!cases[i].mac)
			memset(identity.mac, 0, 6);
		identify_machine(bench->index, &sender, &found);
		sure += check_sure(bench->index, &sender, &found);
		assert_int_equal(found.known, cases[i].expected != NULL);
		if (cases[i].expected)
			assert_string_equal(found.device.name, cases[i].expected);
		assert_string_equal(found.note, cases[i].note);
	}
	assert_in_range(sure, 1, COUNT(cases) - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
