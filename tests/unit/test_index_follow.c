/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <unistd.h>
#include <sqlite3.h>

#include "nbp/proto/error.h"
#include "server/index/index.h"
#include "server/store/devices.h"
#include "server/store/settings.h"
#include "server/store/store.h"
#include "tests/unit/index_dump.h"

/*
 * An index that follows changes is the same as one loaded anew, whatever happens
 * to the database; and both say what the database says.
 */

static const struct store_options options = { .create = true, .relaxed = true };

#define ADD_DEVICE "INSERT INTO device (id, name, uuid, isd, added, folder) VALUES "
#define ADD_JOB \
	"INSERT INTO job (device, state, bundle, source, source_id, attempts, deadline, assigned," \
	" loader_bios, loader_uefi, config, prefix, details) VALUES "
#define THE_REST "1, 1, 1, '', '', '', '', x'')"

/*
 * What may happen. $n stands for a number of the pool, $s for a small one, $u, $i
 * and $m for a UUID, a device id and a MAC of it, $0 for 0 or 1, $? for NULL in
 * front of one of them, half of the time. What the schema refuses does not happen.
 */
static const char *const event_records[] = {
	ADD_DEVICE "($n, 'd$n', $?$u, $?$i, $n, $?$n)",
	ADD_DEVICE "($n, 'd$n', $?$u, $?$i, $n, $?$n)",
	ADD_DEVICE "($s, 'd$n', $?$u, $?$i, $n, $?$n)",
	"INSERT INTO device (id, name, added) VALUES ($n, 'a rather long name for a device $n', 1)",
	"DELETE FROM device WHERE id = $n",
	"UPDATE device SET uuid = $?$u WHERE id = $n",
	"UPDATE device SET isd = $?$i, name = 'e$n' WHERE id = $n",
	"UPDATE device SET claim_uuid = $?$u, claim_mac = $?$m WHERE id = $n",
	"UPDATE device SET folder = $?$n WHERE id = $n OR id = $n",
	"INSERT INTO mac VALUES ($m, $n)",
	"INSERT INTO mac VALUES ($m, $n)",
	"INSERT INTO mac SELECT $m, 7 UNION SELECT $m, 7 UNION SELECT $m, 7",
	"DELETE FROM mac WHERE mac = $m",
	"UPDATE mac SET device = $n WHERE mac = $m",
	"INSERT INTO folder VALUES ($n, NULL, 'f$n')",
	"INSERT INTO folder VALUES ($n, $n, 'f$n')",
	"UPDATE folder SET parent = $?$n WHERE id = $n",
	"UPDATE folder SET parent = NULL WHERE id > 3",
	"DELETE FROM folder WHERE id = $n",
	"INSERT INTO device_group VALUES ($n, 'g$n')",
	"DELETE FROM device_group WHERE id = $n",
	"INSERT INTO member VALUES ($n, $n)",
	"INSERT INTO member SELECT $n, id FROM device",
	"DELETE FROM member WHERE device = $n",
	"INSERT INTO bundle VALUES ($n, 'b$n', 'imaging', '*', '', 'c$n', 'p', x'', $n, $n, 1, "
	"'agent', '', '')",
	"INSERT INTO bundle VALUES ($n, 'b$n', 'script', '', '*', 'c', '',"
	" CAST('image=i$n' AS BLOB), 0, 0, 1, 'agent', '', '')",
	"UPDATE bundle SET name = 'c$n' WHERE id = $n",
	"DELETE FROM bundle WHERE id = $n",
	"INSERT INTO assignment VALUES ($n, $n, 'global', 0, 'once', 0, $n)",
	"INSERT INTO assignment VALUES ($n, $n, 'folder', $n, 'always', 0, $n)",
	"INSERT INTO assignment VALUES ($n, $n, 'group', $n, 'until', $n, $n)",
	"INSERT INTO assignment VALUES ($n, $n, 'device', $n, 'once', 0, $n)",
	"INSERT INTO assignment VALUES ($n, $n, 'device', $n, 'until', $n, $n)",
	"UPDATE assignment SET owner = $n WHERE id = $n AND level <> 'global'",
	"UPDATE assignment SET level = 'device' WHERE id = $n AND level = 'group'",
	"DELETE FROM assignment WHERE id = $n",
	"INSERT INTO rule VALUES ($n, $n, 'r$n', $n, 'both', 'memory > $n', $0, $0)",
	"INSERT INTO rule VALUES ($n, $n, 'r$n', $n, 'unknown', '', $0, $0)",
	"INSERT INTO rule VALUES ($n, $n, 'r$n', $n, 'known', 'memory >', $0, $0)",
	"UPDATE rule SET position = $n, applies = 'known' WHERE id = $n",
	"DELETE FROM rule WHERE id = $n",
	"INSERT INTO multicast VALUES ($n, 's$n', $n, $n, $n, 'waiting', 0, 0, 0, 1)",
	"INSERT INTO multicast VALUES ($s, 's$n', $n, $n, $n, 'ended', 0, 0, 0, 1)",
	"UPDATE multicast SET state = 'started', last_joined = $n WHERE id = $n",
	"DELETE FROM multicast WHERE id = $n",
	"INSERT INTO multicast_member VALUES ($s, $s, $0)",
	"INSERT INTO multicast_member VALUES ($s, $s, $0)",
	"UPDATE multicast_member SET joined = $0 WHERE device = $s",
	"DELETE FROM multicast_member WHERE device = $s",
	"INSERT OR REPLACE INTO setting VALUES ('global', 0, 'attempts', '$n')",
	"INSERT OR REPLACE INTO setting VALUES ('global', 0, 'menu-file', 'm$n')",
	"INSERT OR REPLACE INTO setting VALUES ('folder', $n, 'attempts', '$n')",
	"INSERT OR REPLACE INTO setting VALUES ('folder', $n, 'loader-bios', 'l$n')",
	"INSERT OR REPLACE INTO setting VALUES ('device', $n, 'attempts', '$n')",
	"INSERT OR REPLACE INTO setting VALUES ('device', $n, 'menu-file', 'n$n')",
	"INSERT OR REPLACE INTO setting VALUES ('device', $n, 'colour', 'blue')",
	"DELETE FROM setting WHERE owner = $n",
	"DELETE FROM setting WHERE level = 'global'",
	ADD_JOB "($s, 'pending', $?$s, 'assignment', $s, " THE_REST,
	ADD_JOB "($s, 'offered', $s, 'multicast', $s, " THE_REST,
	ADD_JOB "($s, 'failed', $s, 'rule', $s, " THE_REST,
	"UPDATE job SET state = 'done' WHERE device = $s",
	"UPDATE job SET state = 'done' WHERE device < $s",
	"UPDATE job SET state = 'failed' WHERE device = $s AND id % 2",
	"UPDATE job SET state = 'cancelled' WHERE device = $s AND state = 'pending'",
	"DELETE FROM job WHERE device = $s AND id % 3 = 0",
};

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Makes one of the changes, with numbers in it. */
static void make_sql(unsigned *seed, char *out)
{
	const char *from = event_records[next_random(seed) % COUNT(event_records)];
	bool null = false;

	for (; *from; from++) {
		int number = 1 + (int)(next_random(seed) % POOL);
		uint8_t bytes[16];
		size_t size = 0;

		if (*from != '$') {
			*out++ = *from;
			continue;
		}
		switch (*++from) {
		case '?': null = next_random(seed) % 2; continue;
		case 's': number = 1 + number % 4; break;
		case '0': *out++ = "01"[number % 2]; continue;
		case 'u': pool_uuid(bytes, 'u', number); size = 16; break;
		case 'i': pool_uuid(bytes, 'i', number); size = 16; break;
		case 'm': pool_mac(bytes, number); size = 6; break;
		}
		if (null)
			out += sprintf(out, "NULL");
		else if (!size)
			out += sprintf(out, "%d", number);
		else
			out += sprintf(out, "x'");
		for (size_t i = 0; !null && i < size; i++)
			out += sprintf(out, "%02x", bytes[i]);
		if (!null && size)
			*out++ = '\'';
		null = false;
	}
	*out = '\0';
}

/* --- what the database says ------------------------------------------------ */

static void check_found(int rc, const struct device *device, const struct entry *entry)
{
	struct device other;

	assert_int_equal(rc, entry ? 0 : ERR_NOT_FOUND);
	if (!entry)
		return;
	entry_device(entry, &other);
	assert_int_equal(other.id, device->id);
	assert_string_equal(other.name, device->name);
	assert_memory_equal(other.uuid, device->uuid, 16);
	assert_memory_equal(other.isd, device->isd, 16);
	assert_memory_equal(other.bound_uuid, device->bound_uuid, 16);
	assert_memory_equal(other.bound_mac, device->bound_mac, 6);
	assert_int_equal(other.added, device->added);
}

/* How the last job of a device from one source ended, in one statement. */
static enum outcome past_of(struct store *store, int device, const char *which, int id)
{
	enum outcome past = OUTCOME_NONE;
	sqlite3_stmt *row;
	char sql[300];

	snprintf(sql, sizeof(sql), "SELECT state FROM job WHERE device = %d AND %s = %d"
	         " ORDER BY id DESC LIMIT 1", device, which, id);
	assert_int_equal(sqlite3_prepare_v2(store->db, sql, -1, &row, NULL), SQLITE_OK);
	if (sqlite3_step(row) == SQLITE_ROW) {
		const char *state = (const char *)sqlite3_column_text(row, 0);

		if (strcmp(state, "failed") == 0)
			past = OUTCOME_FAILED;
		else if (strcmp(state, "cancelled") == 0)
			past = OUTCOME_CANCELLED;
		else if (strcmp(state, "done") == 0)
			past = OUTCOME_DONE;
	}
	sqlite3_finalize(row);
	return past;
}

static void check_device(struct store *store, const struct index *index, int id)
{
	const struct owner owner = { LEVEL_DEVICE, (uint64_t)id };
	const struct entry *entry = index_by_id(index, (uint64_t)id);
	struct settings room, expected;
	const struct settings *settings;

	if (!entry)
		return;
	/* Where a folder is within itself, each cuts the circle elsewhere. */
	if (!strstr(index_warnings(index), "within itself")) {
		assert_int_equal(settings_read(store, &owner, &expected), 0);
		settings = entry_settings(index, entry, &room);
		assert_int_equal(settings->attempts, expected.attempts);
		assert_string_equal(settings->menu_file, expected.menu_file);
		assert_memory_equal(&settings->loaders, &expected.loaders, sizeof(expected.loaders));
	}
	for (int i = 1; i <= POOL; i++) {
		assert_int_equal(entry_outcome(entry, OUTCOME_OF_BUNDLE, (uint64_t)i),
		                 past_of(store, id, "bundle", i));
		assert_int_equal(entry_outcome(entry, OUTCOME_OF_ASSIGNMENT, (uint64_t)i),
		                 past_of(store, id, "source = 'assignment' AND source_id", i));
		assert_int_equal(entry_outcome(entry, OUTCOME_OF_MULTICAST, (uint64_t)i),
		                 past_of(store, id, "source = 'multicast' AND source_id", i));
	}
}

static void check_against_store(struct store *store, const struct index *index)
{
	struct device device;
	uint8_t uuid[16], mac[6];

	for (int i = 0; i <= POOL; i++) {
		check_found(device_by_id(store, (uint64_t)i, &device), &device,
		            index_by_id(index, (uint64_t)i));
		pool_uuid(uuid, 'u', i);
		check_found(device_by_uuid(store, uuid, &device), &device,
		            index_by_uuid(index, uuid));
		pool_uuid(uuid, 'i', i);
		check_found(device_by_isd(store, uuid, &device), &device,
		            index_by_isd(index, uuid));
		pool_mac(mac, i);
		check_found(device_by_mac(store, mac, &device), &device, index_by_mac(index, mac));
		check_device(store, index, i);
	}
}

/* --- following ------------------------------------------------------------- */

static void follow_and_compare(struct store *store, struct index *index, bool ask_store)
{
	struct index *fresh = index_new();
	struct changes *changes;
	char *followed, *loaded;

	assert_int_equal(index_read_changes(index, store, &changes), 0);
	if (changes)
		assert_int_equal(index_apply(index, changes), 0);
	assert_int_equal(index_read_changes(index, store, &changes), 0);
	assert_null(changes);
	assert_int_equal(index_load(fresh, store), 0);
	followed = index_dump(index);
	loaded = index_dump(fresh);
	assert_string_equal(followed, loaded);
	if (ask_store)
		check_against_store(store, fresh);
	free(followed);
	free(loaded);
	index_free(fresh);
}

static void run(unsigned seed, int rounds)
{
	char path[] = "/tmp/preboot-index-XXXXXX", sql[1000];
	struct index *index = index_new();
	int happened = 0, tried = 0;
	struct store store;

	close(mkstemp(path));
	assert_int_equal(store_open(&store, path, &options), 0);
	assert_int_equal(index_load(index, &store), 0);
	for (int i = 0; i < rounds; i++) {
		/* Mostly few at a time, so that the one does not hide what the other lacks. */
		unsigned most = next_random(&seed) % 4 ? 2 : 40;

		for (unsigned count = 1 + next_random(&seed) % most; count; count--) {
			make_sql(&seed, sql);
			tried++;
			happened += sqlite3_exec(store.db, sql, NULL, NULL, NULL) == SQLITE_OK;
		}
		if (next_random(&seed) % 4 == 0)
			assert_int_equal(index_forget_changes(index, &store), 0);
		follow_and_compare(&store, index, i % 20 == 19);
	}
	print_message("           %d of %d statements happened; %zu devices\n", happened, tried,
	              index_count(index));
	assert_true(happened > tried / 3 && index_count(index) > 3);
	index_free(index);
	store_close(&store);
	unlink(path);
}

static void test_follows_all_changes(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 4; seed++)
		run(seed, 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_follows_all_changes) };

	return cmocka_run_group_tests_name("index_follow", tests, NULL, NULL);
}
