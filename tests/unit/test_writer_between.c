/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/between.h"

#include "nbp/platform.h"
#include "nbp/proto/error.h"

/* What others commit just before the writer does, what becomes of a batch whose commit fails, and
 * what there is one transaction for. */

/* --- what is committed in between ------------------------------------------ */

/* Serves @count datagrams, and counts the transactions meanwhile. */
static void serve_watched(struct bench *bench, size_t count, struct between *between)
{
	watch(bench, between, NULL);
	serve(bench, count);
	stop_watching(bench, between);
}

static void test_cancelled_in_between(void **state)
{
	struct bench *bench = *state;
	struct between between;
	struct message reply;

	watch(bench, &between, "UPDATE job SET state = 'cancelled', ended = 1 WHERE device = 1");
	put_report(bench, 0, 1, bench->job[1], 'a', 1, REPORT_ACCEPTED);
	serve(bench, 1);
	decode(bench, 0, &reply);
	stop_watching(bench, &between);
	assert_null(between.sql);
	assert_int_equal(reply.u.receipt.state, 0);
	check_committed(bench, 1, JOB_CANCELLED, 0);
}

static void test_unassigned_in_between(void **state)
{
	struct bench *bench = *state;
	struct between between;
	struct message reply;

	meddle(bench, BUNDLE "INSERT INTO assignment VALUES (7, 1, 'device', 3, 'once', 0, 1);");
	watch(bench, &between, "DELETE FROM assignment");
	ask(bench, MESSAGE_REQUEST, 3, 'a', &reply);
	stop_watching(bench, &between);
	assert_null(between.sql);
	assert_int_equal(reply.u.answer.decision, DECISION_LOCAL);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM job WHERE device = 3"), 0);
}

/* The agent's report, which another program has stored, is faster than the deadline. */
static void test_done_in_between(void **state)
{
	struct bench *bench = *state;
	struct timestamp late = at(NOW + 200);
	struct between between;

	assert_int_equal(attempt(bench, 1, 'a'), 1);
	report(bench, 1, REPORT_BEGUN);
	watch(bench, &between, "UPDATE job SET state = 'done', ended = 1 WHERE device = 1");
	writer_sweep(&bench->writer, &late);
	stop_watching(bench, &between);
	assert_null(between.sql);
	check_committed(bench, 1, JOB_DONE, 1);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM event WHERE step = 'failed'"), 0);
}

/* --- a commit that fails ---------------------------------------------------- */

/* Makes a commit fail, and nothing before it, once a row is put into @table. */
static void spoil_commits(struct bench *bench, const char *table)
{
	char sql[400];

	snprintf(sql, sizeof(sql), "CREATE TABLE spoilt (d REFERENCES device"
	         " DEFERRABLE INITIALLY DEFERRED); CREATE TRIGGER spoil AFTER INSERT ON %s"
	         " BEGIN INSERT INTO spoilt VALUES (-1); END", table);
	meddle(bench, sql);
}

/* The second was answered by what the first had stored: neither may be answered. */
static void test_commit_fails_for_one_boot(void **state)
{
	struct bench *bench = *state;

	spoil_commits(bench, "offer");
	put_report(bench, 0, 1, bench->job[1], 'a', 1, REPORT_ACCEPTED);
	put_report(bench, 1, 1, bench->job[1], 'a', 1, REPORT_ACCEPTED);
	serve(bench, 2);
	assert_int_equal(bench->batch[0].reply_length, 0);
	assert_int_equal(bench->batch[1].reply_length, 0);
	assert_int_equal(counted(bench).dropped[DROP_STORE], 2);
	check_committed(bench, 1, JOB_PENDING, 0);
	meddle(bench, "DROP TRIGGER spoil");
	assert_int_equal(attempt(bench, 1, 'a'), 1);
}

/* Nor does the history have that the machine was answered. */
static void test_what_is_lost_is_no_history(void **state)
{
	struct bench *bench = *state;

	meddle(bench, BUNDLE "INSERT INTO assignment VALUES (7, 1, 'device', 3, 'once', 0, 1);");
	spoil_commits(bench, "job");
	put(bench, 0, MESSAGE_REQUEST, 3, 'a');
	serve(bench, 1);
	assert_int_equal(bench->batch[0].reply_length, 0);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM event"), 0);
}

/* All need the same database, so that is not tried once each. */
static void test_commit_fails_for_many(void **state)
{
	struct bench *bench = *state;
	struct between between;

	assert_int_equal(attempt(bench, 2, 'a'), 1);
	meddle(bench, "INSERT INTO setting VALUES ('global', 0, 'admit-unknown', 'yes')");
	spoil_commits(bench, "device");
	for (size_t i = 0; i < 40; i++)
		put(bench, i, MESSAGE_REQUEST, (uint8_t)(100 + i), 'a');
	put(bench, 40, MESSAGE_QUERY, 2, 'q');
	serve_watched(bench, 41, &between);
	assert_true(between.begun <= 4);
	assert_int_equal(counted(bench).dropped[DROP_STORE], 40);
	assert_details(bench, 40);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM device"), MACHINES);
}

/* The same where it is a statement that finds no room. */
static void test_disk_is_full_for_many(void **state)
{
	struct bench *bench = *state;
	struct between between;
	struct store_rows *row;

	meddle(bench, "INSERT INTO setting VALUES ('global', 0, 'admit-unknown', 'yes')");
	assert_int_equal(writer_follow(&bench->writer), 0);
	assert_int_equal(store_start(&bench->writer.store, &row, "PRAGMA max_page_count=1", ""), 0);
	assert_int_equal(store_step(row), 1);
	store_end(row);
	for (size_t i = 0; i < 100; i++)
		put(bench, i, MESSAGE_REQUEST, (uint8_t)(100 + i), 'a');
	put(bench, 100, MESSAGE_QUERY, 2, 'q');
	serve_watched(bench, 101, &between);
	assert_details(bench, 100);
	assert_true(counted(bench).dropped[DROP_STORE] > 10);
	/* One for each machine that found room, and none for each that did not. */
	assert_true(between.begun <=
	            4 + (unsigned)number_of(bench, "SELECT count(*) - 3 FROM device"));
}

/* --- claims ----------------------------------------------------------------- */

static void put_with_disk(struct bench *bench, size_t slot, uint8_t number, uint8_t disk)
{
	struct datagram *d = put(bench, slot, MESSAGE_REQUEST, number, (uint8_t)('a' + slot));
	struct message message;

	assert_int_equal(message_decode(&message, d->data, d->length), 0);
	message.u.request.isd_state = ISD_VALID;
	memset(message.u.request.isd_device, 0x40, 16);
	message.u.request.isd_device[15] = disk;
	fill(d, &message);
}

#define DISK(number) "x'404040404040404040404040404040" #number "'"

static void test_claims_in_a_batch(void **state)
{
	struct bench *bench = *state;
	struct between between;
	struct message reply;

	meddle(bench, BUNDLE "INSERT INTO assignment VALUES (7, 1, 'global', 0, 'once', 0, 1);"
	       "INSERT INTO device (id, name, isd, added) VALUES (11, 'd1', " DISK(01) ", 1),"
	       " (12, 'd2', " DISK(02) ", 1), (13, 'd3', " DISK(03) ", 1);");
	put_with_disk(bench, 0, 100, 1);
	put_with_disk(bench, 1, 101, 1); /* a copy of the same disk */
	put_with_disk(bench, 2, 102, 2);
	put_with_disk(bench, 3, 102, 3); /* the same machine with another disk */
	serve_watched(bench, 4, &between);
	decode(bench, 0, &reply);
	assert_string_equal(reply.u.answer.device, "d1");
	assert_int_equal(reply.u.answer.decision, DECISION_JOB);
	decode(bench, 1, &reply);
	assert_int_equal(reply.u.answer.decision, DECISION_LOCAL);
	assert_string_equal(reply.u.answer.device, "");
	decode(bench, 2, &reply);
	assert_string_equal(reply.u.answer.device, "d2");
	decode(bench, 3, &reply);
	assert_string_equal(reply.u.answer.device, "d2");
	assert_int_equal(number_of(bench, "SELECT count(*) FROM job WHERE device = 11 AND"
	                           " state = 'pending'"), 1);
	assert_int_equal(number_of(bench, "SELECT count(claim_mac) FROM device"), 2);
	assert_int_equal(drops(bench), 0);
	/* A machine that comes again begins another transaction; then comes the history. */
	assert_true(between.begun <= 4);
}

/* Whom another program removes each time that it was admitted is dropped in the end. */
static void test_admitted_again_and_again(void **state)
{
	struct bench *bench = *state;
	struct between between;

	meddle(bench, "INSERT INTO setting VALUES ('global', 0, 'admit-unknown', 'yes')");
	watch(bench, &between, "DELETE FROM mac WHERE device > 3; DELETE FROM device WHERE id > 3");
	between.again = 100;
	put(bench, 0, MESSAGE_REQUEST, 9, 'a');
	put(bench, 1, MESSAGE_REQUEST, 1, 'a');
	serve(bench, 2);
	stop_watching(bench, &between);
	assert_in_range(between.begun, 2, 20);
	assert_int_equal(bench->batch[0].reply_length, 0);
	assert_int_equal(counted(bench).dropped[DROP_STORE], 1);
	/* The next message in the batch is answered all the same. */
	assert_true(bench->batch[1].reply_length > 0);
}

/* --- what is overdue --------------------------------------------------------- */

static void test_overdue_in_parts(void **state)
{
	struct bench *bench = *state;
	struct timestamp timestamp = at(NOW);
	struct between between;
	unsigned parts = 1;

	meddle(bench,
	       "WITH RECURSIVE n (i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 399)"
	       " INSERT INTO device (id, name, added) SELECT i, 'o' || i, 1 FROM n;"
	       "INSERT INTO job (device, state, attempt, attempts, deadline, assigned, begun,"
	       " loader_bios, loader_uefi, config, prefix, details)"
	       " SELECT id, 'begun', 1, 3, 100, 1, 1, '', '', 'c', '', x'' FROM device WHERE id >= "
	       "100;");
	writer_follow(&bench->writer);
	watch(bench, &between, NULL);
	while (writer_sweep(&bench->writer, &timestamp))
		parts++;
	stop_watching(bench, &between);
	assert_int_equal(parts, 3);
	assert_true(between.begun <= 2 * parts); /* and the counters */
	assert_int_equal(number_of(bench, "SELECT count(*) FROM job WHERE state = 'failed'"), 300);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM event WHERE step = 'failed'"), 300);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cancelled_in_between), TEST(test_unassigned_in_between),
		TEST(test_done_in_between), TEST(test_commit_fails_for_one_boot),
		TEST(test_what_is_lost_is_no_history), TEST(test_commit_fails_for_many),
		TEST(test_disk_is_full_for_many), TEST(test_claims_in_a_batch),
		TEST(test_admitted_again_and_again), TEST(test_overdue_in_parts),
	};

	return cmocka_run_group_tests_name("writer between", tests, NULL, NULL);
}
