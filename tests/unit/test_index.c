/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <unistd.h>
#include <sqlite3.h>

#include "nbp/proto/error.h"
#include "server/store/store.h"
#include "tests/unit/index_dump.h"

/* The index: what it makes of odd data, and how it follows. */

struct bench {
	struct store store;
	struct index *index;
	char path[64];
};

static int set_up(void **state)
{
	static const struct store_options options = { .create = true, .relaxed = true };
	struct bench *bench = calloc(1, sizeof(*bench));

	strcpy(bench->path, "/tmp/preboot-index-XXXXXX");
	close(mkstemp(bench->path));
	bench->index = index_new();
	*state = bench;
	return store_open(&bench->store, bench->path, &options);
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

static void run(struct bench *bench, const char *sql)
{
	char *message = NULL;

	if (sqlite3_exec(bench->store.db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
}

/* Follows changes; there must be some. */
static void follow(struct bench *bench)
{
	struct changes *changes;

	assert_int_equal(index_read_changes(bench->index, &bench->store, &changes), 0);
	assert_non_null(changes);
	assert_int_equal(index_apply(bench->index, changes), 0);
}

/* --- odd data -------------------------------------------------------------- */

static const struct {
	const char *sql, *warning; /* NULL: none */
} odd_cases[] = {
	{ "INSERT INTO device (id, name, added) VALUES (4294967296, 'x', 1)",
	  "device x: left out, its id 4294967296 is not between 1 and 4294967295" },
	{ "INSERT INTO device (id, name, added) VALUES (-1, 'x', 1)", "its id -1 is not" },
	{ "INSERT INTO bundle VALUES (268435456, 'x', 'imaging', '', '', '', '', x'', 0, 0,"
	  " 1, 'agent', '', '')", "bundle 268435456: left out, its id is not between 1 and 268435455" },
	{ "INSERT INTO folder VALUES (268435456, NULL, 'x')", "folder 268435456: left out" },
	{ "INSERT INTO folder VALUES (7, 7, 'x')", "folder x: taken for one at the top" },
	{ "INSERT INTO rule VALUES (7, 1, 'x', 77, 'both', '', 0, 1)",
	  "rule 7: left out, its bundle is not there" },
	{ "INSERT INTO rule VALUES (7, 1, 'x', 1, 'both', 'memory', 0, 1)",
	  "rule x: left out, its filter is wrong at column" },
	{ "INSERT INTO rule VALUES (7, 1, 'x', 1, 'both', hex(zeroblob(512)), 0, 1)",
	  "rule x: left out, its filter is too long" },
	{ "INSERT INTO rule VALUES (7, 1, 'x', 1, 'both', 'memory', 0, 0)", NULL },
	{ "INSERT INTO assignment VALUES (7, 77, 'global', 0, 'once', 0, 1)",
	  "assignment 7: left out, its bundle is not there" },
	{ "INSERT INTO assignment VALUES (7, 77, 'device', 1, 'once', 0, 1)", NULL },
	{ "INSERT INTO assignment VALUES (268435456, 1, 'device', 1, 'once', 0, 1)",
	  "device a: left out is its assignment 268435456" },
	{ "INSERT INTO multicast VALUES (7, 'x', 77, 1, 1, 'waiting', 0, 0, 0, 1)",
	  "multicast session 7: left out, its bundle is not there" },
	{ "INSERT INTO multicast_member VALUES (77, 1, 1)", NULL },
	{ "INSERT INTO multicast_member VALUES (268435456, 1, 1)",
	  "device a: left out is its multicast session 268435456" },
	{ "INSERT INTO member VALUES (4294967296, 1)", "left out is its group 4294967296" },
	{ "INSERT INTO setting VALUES ('global', 0, 'colour', 'blue')",
	  "global setting colour=blue: left out" },
	{ "INSERT INTO setting VALUES ('folder', 1, 'attempts', 'many')",
	  "setting attempts=many of folder 1" },
	{ "INSERT INTO setting VALUES ('device', 1, 'attempts', '0')",
	  "device a: left out is its setting attempts=0" },
	{ "INSERT INTO mac VALUES (zeroblob(6), 1)", NULL },
	{ "INSERT INTO mac VALUES (zeroblob(6), 77)", NULL },
	{ "UPDATE device SET uuid = zeroblob(16), isd = zeroblob(16) WHERE id = 2", NULL },
	{ "UPDATE device SET folder = 77 WHERE id = 2", NULL },
	{ "UPDATE device SET folder = 4294967297 WHERE id = 2", NULL },
};

/* What no tool would write: it is left out and reported, and all else is there. */
static void test_odd_data(void **state)
{
	struct bench *bench = *state;
	struct index *index;
	char *sound, *dump;

	run(bench, "PRAGMA foreign_keys = OFF; INSERT INTO folder VALUES (1, NULL, 'f');"
	    "INSERT INTO device (id, name, added, folder) VALUES (1, 'a', 1, 1), (2, 'b', 1, NULL);"
	    "INSERT INTO bundle VALUES (1, 'b', 'imaging', '', '', '', '', x'', 0, 0, 1, 'agent', '', '');"
	    "INSERT INTO rule VALUES (1, 1, 'r', 1, 'both', '', 0, 1);"
	    "INSERT INTO assignment VALUES (1, 1, 'device', 2, 'once', 0, 1)");
	index = index_new();
	assert_int_equal(index_load(index, &bench->store), 0);
	assert_string_equal(index_warnings(index), "");
	assert_int_equal(index_count(index), 2);
	sound = index_dump(index);
	index_free(index);
	for (size_t i = 0; i < COUNT(odd_cases); i++) {
		print_message("           %s\n", odd_cases[i].sql);
		run(bench, "BEGIN");
		run(bench, odd_cases[i].sql);
		index = index_new();
		assert_int_equal(index_load(index, &bench->store), 0);
		if (odd_cases[i].warning)
			assert_non_null(strstr(index_warnings(index), odd_cases[i].warning));
		else
			assert_string_equal(index_warnings(index), "");
		dump = index_dump(index);
		/* But a folder within itself is there, and a rule that is disabled. */
		if (!strstr(odd_cases[i].sql, "7, 7") &&
		    !strstr(odd_cases[i].sql, "'memory', 0, 0"))
			assert_string_equal(dump, sound);
		free(dump);
		index_free(index);
		run(bench, "ROLLBACK");
	}
	free(sound);
}

/* Warnings of the policy are logged once, and do not grow without end. */
static void test_warnings(void **state)
{
	struct bench *bench = *state;

	run(bench, "INSERT INTO setting VALUES ('global', 0, 'colour', 'blue')");
	follow(bench);
	assert_non_null(strstr(index_warnings(bench->index), "colour=blue"));
	run(bench, "INSERT INTO device_group VALUES (1, 'g')");
	follow(bench);
	assert_string_equal(index_warnings(bench->index), "");
	run(bench, "UPDATE setting SET value = 'red'");
	follow(bench);
	assert_non_null(strstr(index_warnings(bench->index), "colour=red"));
	run(bench, "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 1000)"
	    " INSERT INTO setting SELECT 'folder', n, 'colour', 'green' FROM n");
	follow(bench);
	assert_non_null(strstr(index_warnings(bench->index), "\nand more\n"));
	assert_true(strlen(index_warnings(bench->index)) < 4096);
}

/* A folder may be so deep, and no deeper; the order of their ids does not matter. */
static void test_deep_folders(void **state)
{
	struct bench *bench = *state;
	const struct folder *folder;
	char sql[200];

	for (int up = 0; up < 2; up++) {
		for (int i = 1; i <= FOLDER_DEPTH_MAX + 1; i++) {
			int id = up ? 101 - i : 100 + i, parent = up ? id + 1 : id - 1;

			snprintf(sql, sizeof(sql), "PRAGMA foreign_keys = OFF; INSERT INTO folder"
			         " VALUES (%d, %s%d, 'f%d')", id, i == 1 ? "NULL -- " : "", parent,
			         i);
			if (i == 1)
				snprintf(sql, sizeof(sql), "DELETE FROM folder; INSERT INTO folder"
				         " VALUES (%d, NULL, 'f1')", id);
			run(bench, sql);
		}
		follow(bench);
		assert_string_equal(index_warnings(bench->index), "folder f33: taken for one at "
		                    "the top, as it is within itself or more than 32 deep\n");
		folder = catalog_folder(index_catalog(bench->index), up ? 69 : 132);
		for (int i = FOLDER_DEPTH_MAX; i > 0; i--, folder = folder->parent) {
			snprintf(sql, sizeof(sql), "f%d", i);
			assert_string_equal(folder->name, sql);
		}
		assert_null(folder);
		run(bench, "DELETE FROM folder");
		follow(bench);
	}
}

/* --- following ------------------------------------------------------------- */

static void test_marks(void **state)
{
	struct bench *bench = *state;

	run(bench, "INSERT INTO device (id, name, added) VALUES (1, 'a', 1), (2, 'b', 1)");
	follow(bench);
	for (uint64_t id = 1; id <= 2; id++) {
		assert_int_equal(entry_mark(index_by_id(bench->index, id)).hash, 0);
		entry_set_mark(index_by_id(bench->index, id),
		               (struct mark){ UINT64_MAX - id, (uint16_t)id });
	}
	run(bench, "UPDATE device SET name = 'c' WHERE id = 2");
	follow(bench);
	assert_int_equal(entry_mark(index_by_id(bench->index, 1)).hash, UINT64_MAX - 1);
	assert_int_equal(entry_mark(index_by_id(bench->index, 1)).length, 1);
	assert_int_equal(entry_mark(index_by_id(bench->index, 2)).hash, 0);
	assert_string_equal(entry_name(index_by_id(bench->index, 2)), "c");
}

/* Notes of changes are read once, written by nobody, and go when they are in. */
static void test_notes(void **state)
{
	static const char count[] = "SELECT count(*) FROM change";
	struct bench *bench = *state;
	struct changes *changes;
	struct store_rows *row;

	run(bench, "INSERT INTO device (id, name, added) VALUES (1, 'a', 1)");
	assert_int_equal(index_load(bench->index, &bench->store), 0);
	assert_int_equal(index_read_changes(bench->index, &bench->store, &changes), 0);
	assert_null(changes);
	run(bench, "DELETE FROM device");
	assert_int_equal(index_read_changes(bench->index, &bench->store, &changes), 0);
	changes_free(changes);
	changes_free(NULL);
	/* Nothing has been put in yet. */
	assert_non_null(index_by_id(bench->index, 1));
	assert_int_equal(index_forget_changes(bench->index, &bench->store), 0);
	follow(bench);
	assert_null(index_by_id(bench->index, 1));
	assert_int_equal(index_count(bench->index), 0);
	assert_int_equal(index_forget_changes(bench->index, &bench->store), 0);
	assert_int_equal(store_start(&bench->store, &row, count, ""), 0);
	assert_int_equal(store_step(row), 1);
	assert_int_equal(store_number(row, 0), 0);
	store_end(row);
	/* Their numbers go on. */
	run(bench, "INSERT INTO device (id, name, added) VALUES (2, 'a', 1)");
	follow(bench);
	assert_non_null(index_by_id(bench->index, 2));
}

/* In a transaction of the caller's it reads what that sees, and leaves it open. */
static void test_within_a_transaction(void **state)
{
	struct bench *bench = *state;

	run(bench, "INSERT INTO device (id, name, added) VALUES (1, 'a', 1)");
	assert_int_equal(store_begin(&bench->store), 0);
	follow(bench);
	assert_non_null(index_by_id(bench->index, 1));
	run(bench, "INSERT INTO device (id, name, added) VALUES (2, 'b', 1)");
	assert_int_equal(store_commit(&bench->store), 0);
	follow(bench);
	assert_non_null(index_by_id(bench->index, 2));
}

static void test_one_device(void **state)
{
	const uint8_t some[16] = { 2 };
	struct index_prefetch prefetch = { .isd = some, .uuid = some, .mac = some };
	struct bench *bench = *state;

	/* First, when there is none. */
	index_prefetch_begin(bench->index, &prefetch);
	index_prefetch_next(bench->index, &prefetch);
	assert_null(index_by_id(bench->index, 2));
	assert_null(index_by_uuid(bench->index, some));
	run(bench, "INSERT INTO device (id, name, added) VALUES (1, 'a', 1), (2, 'b', 1)");
	run(bench, "INSERT INTO setting VALUES ('global', 0, 'attempts', '9')");
	assert_int_equal(index_load_device(bench->index, &bench->store, 2), 0);
	assert_int_equal(index_count(bench->index), 1);
	assert_string_equal(entry_name(index_by_id(bench->index, 2)), "b");
	assert_int_equal(index_catalog(bench->index)->settings.attempts, 9);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_odd_data),   TEST(test_warnings), TEST(test_deep_folders),
		TEST(test_marks),      TEST(test_notes),    TEST(test_within_a_transaction),
		TEST(test_one_device),
	};

	return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
