/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/store_place.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <sqlite3.h>

#include "nbp/proto/error.h"
#include "server/store/devices.h"
#include "server/store/store_schema.h"
#include "server/store/store_where.h"

/* The database file: what is opened, what is refused and left as it is. */

static const struct store_options existing = { .busy_timeout_ms = 100 };
static const struct store_options again = { .again = true, .busy_timeout_ms = 100 };

struct bytes {
	uint8_t data[1 << 18];
	size_t length;
	struct timespec changed;
};

static void read_file(const char *path, struct bytes *bytes)
{
	int fd = open(path, O_RDONLY);
	struct stat status;

	assert_true(fd >= 0);
	bytes->length = (size_t)read(fd, bytes->data, sizeof(bytes->data));
	assert_true(bytes->length < sizeof(bytes->data));
	assert_int_equal(fstat(fd, &status), 0);
	bytes->changed = status.st_mtim;
	close(fd);
}

static void write_file(const char *path, const void *data, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, length), length);
	close(fd);
}

static void make_database(const char *path)
{
	struct store store;

	assert_int_equal(store_open(&store, path, &create), 0);
	store_close(&store);
}

/* Opening must fail with @expected, say @what, and change nothing. */
static void check_refused(const struct place *place, int expected, const char *what)
{
	static struct bytes before, after;
	struct store store;

	read_file(place->path, &before);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(store_open(&store, place->path, i ? &create : &existing),
		                 expected);
		assert_non_null(strstr(store.message, place->path));
		assert_non_null(strstr(store.message, what));
	}
	read_file(place->path, &after);
	assert_int_equal(before.length, after.length);
	assert_memory_equal(before.data, after.data, before.length);
	assert_memory_equal(&before.changed, &after.changed, sizeof(before.changed));
	assert_int_equal(count_files(place, false), 1); /* and nothing put beside it */
}

static void test_create_and_reopen(void **state)
{
	struct place *place = *state;
	struct device device = { .name = "web01" };
	struct store store;
	struct stat status;

	assert_int_equal(store_open(&store, place->path, &existing), ERR_NOT_FOUND);
	assert_non_null(strstr(store.message, place->path));
	assert_int_equal(count_files(place, false), 0);
	assert_int_equal(store_open(&store, place->path, &create), 0);
	assert_int_equal(device_add(&store, &device, NULL, 0), 0);
	store_close(&store);
	assert_int_equal(count_files(place, false), 1);
	assert_int_equal(stat(place->path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_equal(store_open(&store, place->path, &create), 0);
	assert_int_equal(device_by_name(&store, "WEB01", &device), 0);
	store_close(&store);
}

static void test_empty_file_is_filled(void **state)
{
	struct place *place = *state;
	struct store store;

	write_file(place->path, "", 0);
	assert_int_equal(store_open(&store, place->path, &existing), ERR_NOT_FOUND);
	assert_int_equal(store_open(&store, place->path, &create), 0);
	store_close(&store);
	assert_int_equal(store_open(&store, place->path, &existing), 0);
	store_close(&store);
}

static void test_no_folder(void **state)
{
	struct place *place = *state;
	struct store store;
	char path[128];

	snprintf(path, sizeof(path), "%s/none/a.db", place->folder);
	assert_int_equal(store_open(&store, path, &create), ERR_IO);
	assert_non_null(strstr(store.message, "folder"));
	assert_int_equal(store_open(&store, place->folder, &create), ERR_MALFORMED);
	assert_non_null(strstr(store.message, "not a plain file"));
}

static void test_foreign_files(void **state)
{
	static const char text[] = "This is a shopping list, and not a short one: milk, "
		"bread, butter, cheese, eggs, apples, rice, beans, tea, coffee, sugar, flour.\n";
	struct place *place = *state;
	sqlite3 *db;

	write_file(place->path, text, sizeof(text) - 1);
	check_refused(place, ERR_MALFORMED, "not an OpenPreboot database");
	write_file(place->path, text, 5);
	check_refused(place, ERR_MALFORMED, "not an OpenPreboot database");
	unlink(place->path);
	assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE device (a)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	check_refused(place, ERR_MALFORMED, "not an OpenPreboot database");
}

static void test_newer_version(void **state)
{
	struct place *place = *state;
	char sql[64];
	sqlite3 *db;

	make_database(place->path);
	assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
	snprintf(sql, sizeof(sql), "PRAGMA user_version=%d", STORE_VERSION + 1);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	check_refused(place, ERR_VERSION, "newer than this program");
}

/* Writes nonsense over each page of a good database in turn, and cuts it short. */
static void test_damaged(void **state)
{
	static struct bytes good;
	struct place *place = *state;
	size_t pages, page_size;

	make_database(place->path);
	read_file(place->path, &good);
	page_size = (size_t)good.data[16] << 8 | good.data[17];
	pages = good.length / page_size;
	assert_true(pages > 4);
	for (size_t i = 0; i < pages; i++) {
		static struct bytes bad;

		bad = good;
		/* The first 100 bytes of the file are for the other tests. */
		memset(bad.data + i * page_size + (i ? 0 : 100), 0xa5, page_size - (i ? 0 : 100));
		write_file(place->path, bad.data, bad.length);
		check_refused(place, ERR_MALFORMED, "damaged");
	}
	write_file(place->path, good.data, good.length - page_size);
	check_refused(place, ERR_MALFORMED, "damaged");
	write_file(place->path, good.data, good.length / 2 + 100);
	check_refused(place, ERR_MALFORMED, "damaged");
	write_file(place->path, good.data, good.length);
	make_database(place->path); /* the good one is still good */
}

/* A tool need not wait until all of a large database has been read, but the daemon does. */
static void test_large(void **state)
{
	static const char sql[] = "CREATE TABLE ballast (a); INSERT INTO ballast"
		" VALUES (zeroblob(9000000)); PRAGMA wal_checkpoint(TRUNCATE)";
	struct store_options tool = { .trusting = true };
	struct place *place = *state;
	struct store store;
	int fd;

	assert_int_equal(store_open(&store, place->path, &create), 0);
	assert_int_equal(sqlite3_exec(store.db, sql, NULL, NULL, NULL), SQLITE_OK);
	store_close(&store);
	fd = open(place->path, O_WRONLY);
	/* An overflow page's next one. */
	assert_int_equal(pwrite(fd, "\xff\xff\xff\xff", 4, 5000 * 1024), 4);
	close(fd);
	assert_int_equal(store_open(&store, place->path, &existing), ERR_MALFORMED);
	assert_int_equal(store_open(&store, place->path, &tool), 0);
	store_close(&store);
}

/* What a killed program leaves is read on, its log included. */
static void test_log_left_behind(void **state)
{
	struct place *place = *state;
	struct device device = { .name = "web01" };
	char copy[128], side[160];
	struct store store, next;
	static struct bytes bytes;

	assert_int_equal(store_open(&store, place->path, &create), 0);
	assert_int_equal(device_add(&store, &device, NULL, 0), 0);
	snprintf(copy, sizeof(copy), "%s/copy.db", place->folder);
	read_file(place->path, &bytes);
	write_file(copy, bytes.data, bytes.length);
	snprintf(side, sizeof(side), "%s-wal", place->path);
	read_file(side, &bytes);
	assert_true(bytes.length > 0);
	snprintf(side, sizeof(side), "%s-wal", copy);
	write_file(side, bytes.data, bytes.length);
	assert_int_equal(store_open(&next, copy, &existing), 0);
	assert_int_equal(device_by_name(&next, "web01", &device), 0);
	store_close(&next);
	store_close(&store);
}

/* --- where it lies ----------------------------------------------------------- */

static void check_misplaced(const struct place *place, const char *what)
{
	struct store store;

	assert_int_equal(store_open(&store, place->path, &create), ERR_MALFORMED);
	assert_non_null(strstr(store.message, what));
}

static void test_hard_links(void **state)
{
	const struct place *place = *state;
	char other[128];
	struct store store;

	make_database(place->path);
	snprintf(other, sizeof(other), "%s/other.db", place->folder);
	assert_int_equal(link(place->path, other), 0);
	check_misplaced(place, "has 2 names");
	assert_int_equal(unlink(other), 0);
	assert_int_equal(store_open(&store, place->path, &existing), 0);
	store_close(&store);
}

static void test_links_beside(void **state)
{
	static const char *const suffixes[] = { "-wal", "-shm", "-journal" };
	const struct place *place = *state;
	char link_[128], what[160];

	make_database(place->path);
	for (size_t i = 0; i < COUNT(suffixes); i++) {
		snprintf(link_, sizeof(link_), "%s%s", place->path, suffixes[i]);
		snprintf(what, sizeof(what), "%s: is a symbolic link", link_);
		assert_int_equal(symlink("/nonexistent", link_), 0);
		check_misplaced(place, what);
		assert_int_equal(unlink(link_), 0);
	}
}

static void test_remote_file_systems(void **state)
{
	(void)state;
	assert_string_equal(store_where_remote(0x6969), "NFS");
	/* Some machines report the number with its sign. */
	assert_string_equal(store_where_remote((unsigned long)(int)0xff534d42), "CIFS");
	assert_null(store_where_remote(0xef53));     /* ext4 */
	assert_null(store_where_remote(0x01021994)); /* tmpfs, one beside 9P */
	assert_null(store_where_remote(0x9123683e)); /* btrfs */
}

static void test_durable(void **state)
{
	struct place *place = *state;
	struct store_options relaxed = { .create = true, .relaxed = true };
	struct store_rows *row;
	struct store store;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(store_open(&store, place->path, i ? &relaxed : &create), 0);
		assert_int_equal(store_start(&store, &row, "PRAGMA synchronous", ""), 0);
		assert_int_equal(store_step(row), 1);
		assert_int_equal(store_number(row, 0), i ? 1 : 2); /* NORMAL : FULL */
		store_end(row);
		assert_int_equal(store_start(&store, &row, "PRAGMA journal_mode", ""), 0);
		assert_int_equal(store_step(row), 1);
		assert_string_equal(store_string(row, 0), "wal");
		store_end(row);
		store_close(&store);
	}
}

/* A second writer is asked to come again, and readers go on. */
static void test_two_programs(void **state)
{
	struct place *place = *state;
	struct device device = { .name = "web01" };
	struct store one, two;

	assert_int_equal(store_open(&one, place->path, &create), 0);
	assert_int_equal(store_open(&two, place->path, &again), 0);
	assert_int_equal(store_begin(&one), 0);
	assert_int_equal(device_add(&one, &device, NULL, 0), 0);
	assert_int_equal(store_begin(&two), ERR_AGAIN);
	assert_int_equal(device_by_name(&two, "web01", &device), ERR_NOT_FOUND);
	assert_int_equal(store_commit(&one), 0);
	assert_int_equal(device_by_name(&two, "web01", &device), 0);
	assert_int_equal(store_begin(&two), 0);
	store_rollback(&two);
	store_close(&two);
	store_close(&one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_create_and_reopen),
		TEST(test_empty_file_is_filled),
		TEST(test_no_folder),
		TEST(test_foreign_files),
		TEST(test_newer_version),
		TEST(test_damaged),
		TEST(test_large),
		TEST(test_log_left_behind),
		TEST(test_hard_links),
		TEST(test_links_beside),
		TEST(test_remote_file_systems),
		TEST(test_durable),
		TEST(test_two_programs),
	};

	return cmocka_run_group_tests_name("store file", tests, NULL, NULL);
}
