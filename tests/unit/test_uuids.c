/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/store_place.h"

#include <sqlite3.h>

#include "nbp/platform.h"
#include "nbp/proto/error.h"
#include "server/store/admission.h"
#include "server/store/uuids.h"

/* How much is kept of UUIDs, whatever machines tell. */

static void run(struct store *store, const char *sql)
{
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(store->db));
}

static int64_t number_of(struct store *store, const char *sql)
{
	int64_t number = -1;

	assert_int_equal(store_one(store, store_take_number, &number, sql, ""), 0);
	return number;
}

static const uint8_t uuid[16] = { 0x4c, 0x4c, 0x45, 0x44, 0, 0x34, 0x4d, 0x10, 0x80, 0x52, 0xb4,
	                          0xc0, 0x4f, 0x4a, 0x32, 1 };

/* Those that came first are what the doubt began with: they stay, and tell when they came last. */
static void test_witnesses_of_one(void **state)
{
	struct place *place = *state;
	struct sighting sighting = { .serials = { .model = "Dell Inc. XPS" } };
	struct store store;
	struct store_rows *rows;
	uint8_t count = 0;

	assert_int_equal(store_open(&store, place->path, &create), 0);
	/* Of one of which nothing is known, nothing is kept. */
	assert_int_equal(sighting_add(&store, uuid, &sighting), 0);
	assert_int_equal(number_of(&store, "SELECT count(*) FROM witness"), 0);
	assert_int_equal(uuid_set(&store, uuid, UUID_SHARED, 1), 0);
	for (uint8_t i = 1; i <= 100; i++) {
		memcpy(sighting.mac, (uint8_t[]){ 2, 0, 0, 0, 0, i }, 6);
		sighting.first = sighting.last = i;
		assert_int_equal(sighting_add(&store, uuid, &sighting), 0);
		assert_int_equal(number_of(&store, "SELECT count(*) FROM witness"),
		                 i < SIGHTINGS_MAX ? i : SIGHTINGS_MAX);
	}
	memcpy(sighting.mac, (uint8_t[]){ 2, 0, 0, 0, 0, 1 }, 6);
	assert_int_equal(sighting_add(&store, uuid, &sighting), 0);
	assert_int_equal(sighting_list(&store, uuid, &rows), 0);
	while (store_step(rows) == 1) {
		sighting_row(rows, &sighting);
		assert_int_equal(sighting.mac[5], ++count);
		assert_int_equal(sighting.first, count);
		assert_int_equal(sighting.last, count == 1 ? 100 : count);
	}
	assert_int_equal(count, SIGHTINGS_MAX);
	store_close(&store);
}

/* Of all, those that have not come for the longest time go, also where many came in one second. */
static void test_witnesses_of_all(void **state)
{
	static const char *const lasts[] = { "n", "7" };
	struct place *place = *state;
	struct sighting sighting = { .mac = { 2 }, .first = 1000000, .last = 1000000 };
	char sql[400];
	struct store store;

	assert_int_equal(store_open(&store, place->path, &create), 0);
	assert_int_equal(uuid_set(&store, uuid, UUID_SHARED, 1), 0);
	for (size_t i = 0; i < COUNT(lasts); i++) {
		run(&store, "DELETE FROM witness; INSERT OR IGNORE INTO uuid VALUES"
		    " (x'00000000000000000000000000000001', 'shared', 1)");
		snprintf(sql, sizeof(sql), "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL"
		         " SELECT n + 1 FROM c LIMIT %d) INSERT INTO witness SELECT"
		         " x'00000000000000000000000000000001', x'020000000001', '', n, '', 1, %s"
		         " FROM c", SIGHTINGS_ALL, lasts[i]);
		run(&store, sql);
		assert_int_equal(sighting_add(&store, uuid, &sighting), 0);
		assert_int_equal(number_of(&store, "SELECT count(*) FROM witness"), SIGHTINGS_ALL);
		assert_int_equal(
			number_of(&store, "SELECT count(*) FROM witness WHERE last = 1000000"), 1);
		assert_int_equal(number_of(&store, "SELECT count(*) FROM witness WHERE serial = '1'"
		                           " AND last = 1"), 0);
	}
	store_close(&store);
}

/* Has a machine ask that is unknown. */
static void ask(struct store *store, uint8_t machine, const uint8_t its_uuid[16])
{
	struct message message = { .type = MESSAGE_REQUEST };
	struct identity *identity = &message.u.request.identity;
	uint8_t datagram[MESSAGE_MAX];
	size_t length;

	memcpy(identity->mac, (uint8_t[]){ 2, 0, 0, 0, 0, machine }, 6);
	memcpy(identity->uuid, its_uuid, 16);
	message.u.request.firmware = FIRMWARE_BIOS;
	assert_int_equal(message_encode(&message, datagram, sizeof(datagram), &length), 0);
	assert_int_equal(unknown_seen(store, identity, machine, "192.0.2.1", "", datagram, length),
	                 0);
	assert_int_equal(admission_mark_shared(store, identity, machine), 0);
}

static enum uuid_state state_of(struct store *store, const uint8_t its_uuid[16])
{
	struct uuid_record word;

	assert_int_equal(uuid_find(store, its_uuid, &word), 0);
	return word.state;
}

/* Unknown machines cannot fill the table, which prebootd has in memory: further ones are only
 * reported. */
static void test_doubts(void **state)
{
	struct place *place = *state;
	struct unknown unknown = { .id = 0 };
	struct identity identity = { { 2, 0, 0, 0, 0, 4 }, { 0 } };
	char sql[300], note[REASON_SIZE];
	uint8_t other[16];
	struct store store;

	memcpy(other, uuid, sizeof(other));
	other[15] = 2;
	memcpy(identity.uuid, other, sizeof(other));
	assert_int_equal(store_open(&store, place->path, &create), 0);
	snprintf(sql, sizeof(sql), "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c"
	         " LIMIT %d) INSERT INTO uuid SELECT CAST(printf('%%016d', n) AS BLOB), 'shared', 1"
	         " FROM c", UUIDS_MARKED_MAX - 1);
	run(&store, sql);
	ask(&store, 1, uuid);
	assert_int_equal(state_of(&store, uuid), UUID_FREE);
	ask(&store, 2, uuid);
	assert_int_equal(state_of(&store, uuid), UUID_SHARED);
	assert_int_equal(number_of(&store, "SELECT count(*) FROM witness"), 2);
	ask(&store, 3, other);
	ask(&store, 4, other);
	assert_int_equal(state_of(&store, other), UUID_FREE);
	assert_int_equal(number_of(&store, "SELECT count(*) FROM uuid"), UUIDS_MARKED_MAX);
	assert_int_equal(number_of(&store, "SELECT count(*) FROM witness"), 2);
	assert_int_equal(unknown_find(&store, &identity, &unknown), 0);
	assert_int_equal(admission_note(&store, &unknown, note), 0);
	assert_string_not_equal(note, "");
	store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_witnesses_of_one), TEST(test_witnesses_of_all), TEST(test_doubts),
	};

	return cmocka_run_group_tests_name("uuids", tests, NULL, NULL);
}
