/* SPDX-License-Identifier: BSD-2-Clause */
#include "site.h"

#include <fcntl.h>
#include <unistd.h>

#include "error.h"
#include "platform.h"

/* What the keeper does while another program writes, and what that changes in between; and what
 * becomes of a batch whose commit fails. */

/* --- another program ------------------------------------------------------- */

static sqlite3 *other_program(const struct bench *bench)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
	return db;
}

static void run(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
}

/* Another program that begins to write; machine 2 has work on offer, of which it can be told. */
static sqlite3 *begin_writing(struct bench *bench)
{
	sqlite3 *other;

	assert_int_equal(attempt(bench, 2, 'a'), 1);
	other = other_program(bench);
	run(other, "BEGIN IMMEDIATE");
	return other;
}

static void end_writing(sqlite3 *other)
{
	run(other, "COMMIT");
	sqlite3_close(other);
}

static void assert_details(const struct bench *bench, size_t slot)
{
	struct message reply;

	decode(bench, slot, &reply);
	assert_int_equal(reply.type, MESSAGE_DETAILS);
}

/* What only reads is answered. */
static void assert_reads(struct bench *bench)
{
	put(bench, 0, MESSAGE_QUERY, 2, 'q');
	serve(bench, 1);
	assert_details(bench, 0);
}

/* What another program commits just before the keeper's transaction, and how many of these there
 * were. */
struct between {
	sqlite3 *db;
	const char *sql;
	unsigned begun;
};

static int before_begin(unsigned kind, void *data, void *statement, void *text)
{
	struct between *between = data;

	(void)kind;
	(void)statement;
	if (strcmp(text, "BEGIN IMMEDIATE") != 0)
		return 0;
	between->begun++;
	if (between->sql)
		run(between->db, between->sql);
	between->sql = NULL;
	return 0;
}

static void watch(struct bench *bench, struct between *between, const char *sql)
{
	*between = (struct between){ other_program(bench), sql, 0 };
	sqlite3_trace_v2(bench->keeper.store.db, SQLITE_TRACE_STMT, before_begin, between);
}

static void stop_watching(struct bench *bench, struct between *between)
{
	sqlite3_trace_v2(bench->keeper.store.db, 0, NULL, NULL);
	sqlite3_close(between->db);
}

/* --- a lock that is held ---------------------------------------------------- */

static void test_only_writers_wait(void **state)
{
	struct bench *bench = *state;
	sqlite3 *other = begin_writing(bench);
	struct message reply;

	put_report(bench, 0, 1, bench->lease[1], 'a', 1, WORK_ACCEPTED);
	put(bench, 1, MESSAGE_QUERY, 2, 'q');
	put_report(bench, 2, 1, bench->lease[1], 'a', 1, WORK_ACCEPTED);
	put(bench, 3, MESSAGE_REQUEST, 3, 'a');
	serve(bench, 4);
	assert_int_equal(bench->batch[0].reply_length, 0);
	assert_int_equal(bench->batch[2].reply_length, 0);
	assert_details(bench, 1);
	decode(bench, 3, &reply);
	assert_int_equal(reply.u.answer.decision, DECISION_LOCAL);
	assert_true(keeper_waits(&bench->keeper));
	assert_int_equal(drops(bench), 0);
	end_writing(other);
	serve(bench, 0);
	decode(bench, 0, &reply);
	assert_int_equal(reply.u.receipt.state, WORK_ACCEPTED);
	decode(bench, 2, &reply);
	assert_int_equal(reply.u.receipt.state, WORK_ACCEPTED);
	assert_false(keeper_waits(&bench->keeper));
	check_committed(bench, 1, LEASE_OFFERED, 1);
	assert_int_equal(drops(bench), 0);
}

/* A question that is sent again takes the place of the first, and nobody is answered too late. */
static void test_patience_has_an_end(void **state)
{
	struct bench *bench = *state;
	struct moment moment = at(NOW);
	sqlite3 *other = begin_writing(bench);

	for (int i = 0; i < 3; i++) {
		put_report(bench, 0, 1, bench->lease[1], 'a', 1, WORK_ACCEPTED);
		serve(bench, 1);
	}
	assert_int_equal(bench->keeper.later_count, 1);
	moment.monotonic += 3000000000;
	keeper_turn(&bench->keeper, &moment);
	assert_false(keeper_waits(&bench->keeper));
	assert_int_equal(counted(bench).dropped[DROP_STORE], 1);
	end_writing(other);
	serve(bench, 0);
	assert_int_equal(bench->batch[0].reply_length, 0);
	assert_int_equal(attempt(bench, 1, 'a'), 1);
}

/* An NBP waits 1.5 s for a receipt, from the first time that it sends: what it has then done
 * without is neither accepted nor done. An agent's report waits. */
static void test_receipt_would_come_too_late(void **state)
{
	struct bench *bench = *state;
	static const uint8_t states[] = { WORK_ACCEPTED, WORK_BEGUN, WORK_DONE };
	static const enum lease_state before[] = { LEASE_PENDING, LEASE_OFFERED, LEASE_BEGUN };
	sqlite3 *other = other_program(bench);

	for (size_t i = 0; i < 3; i++) {
		bool late = states[i] != WORK_BEGUN;
		struct message reply;

		run(other, "BEGIN IMMEDIATE");
		for (int sent = 0; sent < 2; sent++) {
			put_report(bench, 0, 1, bench->lease[1], 'a', 1, states[i]);
			serve(bench, 1);
			bench->keeper.later[0].arrived -= 700000000;
		}
		assert_int_equal(bench->keeper.later_count, 1);
		run(other, "COMMIT");
		serve(bench, 0);
		assert_int_equal(bench->batch[0].reply_length == 0, late);
		if (!late)
			continue;
		check_committed(bench, 1, before[i], before[i] != LEASE_PENDING);
		put_report(bench, 0, 1, bench->lease[1], 'a', 1, states[i]);
		serve(bench, 1);
		decode(bench, 0, &reply);
		assert_int_equal(reply.u.receipt.state, states[i]);
	}
	assert_int_equal(counted(bench).dropped[DROP_STORE], 2);
	check_committed(bench, 1, LEASE_DONE, 1);
	sqlite3_close(other);
}

/* However many wait, there is room for who only reads. */
static void test_later_has_an_end(void **state)
{
	struct bench *bench = *state;
	sqlite3 *other = begin_writing(bench);

	for (size_t i = 0; i < KEEPER_LATER + 100; i++) {
		struct offer offer = { 1, bench->lease[1], 0, 1, { 0 } };
		struct datagram *d = put_report(bench, 0, 1, offer.lease, 'a', 1, WORK_ACCEPTED);
		struct message message;

		assert_int_equal(message_decode(&message, d->data, d->length), 0);
		memcpy(message.nonce + 4, &i, sizeof(i));
		memcpy(offer.nonce, message.nonce, sizeof(offer.nonce));
		token_make(bench->keeper.secret, &offer, message.u.report.token);
		fill(d, &message);
		serve(bench, 1);
	}
	assert_int_equal(bench->keeper.later_count, KEEPER_LATER);
	assert_int_equal(counted(bench).dropped[DROP_STORE], 100);
	assert_reads(bench);
	end_writing(other);
}

static void test_notes_wait(void **state)
{
	struct bench *bench = *state;
	struct moment moment = at(NOW);
	sqlite3 *other = other_program(bench);

	run(other, "BEGIN IMMEDIATE");
	put(bench, 0, MESSAGE_EVENT, 3, 'a');
	serve(bench, 1);
	keeper_sweep(&bench->keeper, &moment);
	end_writing(other);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM event"), 0);
	serve(bench, 0);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM event"), 1);
	assert_int_equal(counted(bench).notes_lost, 0);
}

static void test_start_while_locked(void **state)
{
	struct bench *bench = *state;
	sqlite3 *other;

	meddle(bench, "INSERT INTO counter VALUES ('of another version', 1)");
	other = begin_writing(bench);
	keeper_close(&bench->keeper);
	server_end(&bench->server);
	assert_int_equal(server_start(&bench->server, 0), 0);
	assert_int_equal(keeper_open(&bench->keeper, &bench->server, bench->path), 0);
	take_replies(bench);
	assert_reads(bench);
	end_writing(other);
	keeper_sweep(&bench->keeper, &(struct moment){ NOW, 0, moment_now().monotonic });
	assert_int_equal(number_of(bench, "SELECT count(*) FROM counter WHERE name LIKE 'of%'"), 0);
}

/* --- what is committed in between ------------------------------------------ */

static void test_cancelled_in_between(void **state)
{
	struct bench *bench = *state;
	struct between between;
	struct message reply;

	watch(bench, &between, "UPDATE work SET state = 'cancelled', ended = 1 WHERE device = 1");
	put_report(bench, 0, 1, bench->lease[1], 'a', 1, WORK_ACCEPTED);
	serve(bench, 1);
	decode(bench, 0, &reply);
	stop_watching(bench, &between);
	assert_null(between.sql);
	assert_int_equal(reply.u.receipt.state, 0);
	check_committed(bench, 1, LEASE_CANCELLED, 0);
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
	assert_int_equal(number_of(bench, "SELECT count(*) FROM work WHERE device = 3"), 0);
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

/* The second was answered by what the first had stored: neither may be told. */
static void test_commit_fails_for_one_boot(void **state)
{
	struct bench *bench = *state;

	spoil_commits(bench, "offer");
	put_report(bench, 0, 1, bench->lease[1], 'a', 1, WORK_ACCEPTED);
	put_report(bench, 1, 1, bench->lease[1], 'a', 1, WORK_ACCEPTED);
	serve(bench, 2);
	assert_int_equal(bench->batch[0].reply_length, 0);
	assert_int_equal(bench->batch[1].reply_length, 0);
	assert_int_equal(counted(bench).dropped[DROP_STORE], 2);
	check_committed(bench, 1, LEASE_PENDING, 0);
	meddle(bench, "DROP TRIGGER spoil");
	assert_int_equal(attempt(bench, 1, 'a'), 1);
}

/* What was cut needs the same database: it does not try once each. */
static void test_commit_fails_for_many(void **state)
{
	struct bench *bench = *state;
	struct between between;

	assert_int_equal(attempt(bench, 2, 'a'), 1);
	meddle(bench, "INSERT INTO setting VALUES ('zone', 0, 'admit-unknown', 'yes')");
	spoil_commits(bench, "device");
	for (size_t i = 0; i < 40; i++)
		put(bench, i, MESSAGE_REQUEST, (uint8_t)(100 + i), 'a');
	put(bench, 40, MESSAGE_QUERY, 2, 'q');
	watch(bench, &between, NULL);
	serve(bench, 41);
	stop_watching(bench, &between);
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
	sqlite3_stmt *row;

	meddle(bench, "INSERT INTO setting VALUES ('zone', 0, 'admit-unknown', 'yes')");
	assert_int_equal(keeper_follow(&bench->keeper), 0);
	assert_int_equal(store_start(&bench->keeper.store, &row, "PRAGMA max_page_count=1", ""), 0);
	assert_int_equal(store_step(&bench->keeper.store, row), 1);
	store_end(row);
	for (size_t i = 0; i < 100; i++)
		put(bench, i, MESSAGE_REQUEST, (uint8_t)(100 + i), 'a');
	put(bench, 100, MESSAGE_QUERY, 2, 'q');
	watch(bench, &between, NULL);
	serve(bench, 101);
	stop_watching(bench, &between);
	assert_details(bench, 100);
	assert_true(counted(bench).dropped[DROP_STORE] > 10);
	assert_true(between.begun <= 4);
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

	meddle(bench, BUNDLE "INSERT INTO assignment VALUES (7, 1, 'zone', 0, 'once', 0, 1);"
	       "INSERT INTO device (id, name, isd, added) VALUES (11, 'd1', " DISK(01) ", 1),"
	       " (12, 'd2', " DISK(02) ", 1), (13, 'd3', " DISK(03) ", 1);");
	put_with_disk(bench, 0, 100, 1);
	put_with_disk(bench, 1, 101, 1); /* a copy of the same disk */
	put_with_disk(bench, 2, 102, 2);
	put_with_disk(bench, 3, 102, 3); /* the same machine with another disk */
	watch(bench, &between, NULL);
	serve(bench, 4);
	stop_watching(bench, &between);
	decode(bench, 0, &reply);
	assert_string_equal(reply.u.answer.device, "d1");
	assert_int_equal(reply.u.answer.decision, DECISION_WORK);
	decode(bench, 1, &reply);
	assert_int_equal(reply.u.answer.decision, DECISION_LOCAL);
	assert_string_equal(reply.u.answer.device, "");
	decode(bench, 2, &reply);
	assert_string_equal(reply.u.answer.device, "d2");
	decode(bench, 3, &reply);
	assert_string_equal(reply.u.answer.device, "d2");
	assert_int_equal(number_of(bench, "SELECT count(*) FROM work WHERE device = 11 AND"
	                           " state = 'pending'"), 1);
	assert_int_equal(number_of(bench, "SELECT count(claim_mac) FROM device"), 2);
	assert_int_equal(drops(bench), 0);
	/* Those of different machines are one transaction; then the notes. */
	assert_true(between.begun <= 4);
}

/* --- what is overdue --------------------------------------------------------- */

static void test_overdue_in_parts(void **state)
{
	struct bench *bench = *state;
	struct moment moment = at(NOW);
	struct between between;
	unsigned parts = 1;

	meddle(bench, "WITH RECURSIVE n (i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 399)"
	       " INSERT INTO device (id, name, added) SELECT i, 'o' || i, 1 FROM n;"
	       "INSERT INTO work (device, state, attempt, attempts, deadline, assigned, begun,"
	       " loader_bios, loader_uefi, config, prefix, details)"
	       " SELECT id, 'begun', 1, 3, 100, 1, 1, '', '', 'c', '', x'' FROM device WHERE id >= 100;");
	keeper_follow(&bench->keeper);
	watch(bench, &between, NULL);
	while (keeper_sweep(&bench->keeper, &moment))
		parts++;
	stop_watching(bench, &between);
	assert_int_equal(parts, 3);
	assert_true(between.begun <= 2 * parts); /* and the counters */
	assert_int_equal(number_of(bench, "SELECT count(*) FROM work WHERE state = 'failed'"), 300);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM event WHERE step = 'failed'"), 300);
}

/* --- files beside the database ------------------------------------------------ */

static void lose_file(struct bench *bench, const char *suffix)
{
	char name[96];

	snprintf(name, sizeof(name), "%s%s", bench->path, suffix);
	assert_int_equal(unlink(name), 0);
}

/* It is noticed where only one of them is gone, and where another has its name. */
static void test_one_file_is_lost(void **state)
{
	struct bench *bench = *state;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(attempt(bench, 1, 'a'), 1);
		assert_false(keeper_replaced(&bench->keeper));
		lose_file(bench, i ? "-wal" : "-shm");
		if (i) {
			char name[96];

			snprintf(name, sizeof(name), "%s-wal", bench->path);
			close(open(name, O_CREAT | O_WRONLY, 0600));
		}
		assert_true(keeper_replaced(&bench->keeper));
		keeper_close(&bench->keeper);
		server_end(&bench->server);
		assert_int_equal(server_start(&bench->server, 0), 0);
		assert_int_equal(keeper_open(&bench->keeper, &bench->server, bench->path), 0);
		take_replies(bench);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_only_writers_wait), TEST(test_patience_has_an_end),
		TEST(test_receipt_would_come_too_late),
		TEST(test_later_has_an_end), TEST(test_notes_wait), TEST(test_start_while_locked),
		TEST(test_cancelled_in_between), TEST(test_unassigned_in_between),
		TEST(test_commit_fails_for_one_boot), TEST(test_commit_fails_for_many),
		TEST(test_disk_is_full_for_many),
		TEST(test_claims_in_a_batch), TEST(test_overdue_in_parts), TEST(test_one_file_is_lost),
	};

	return cmocka_run_group_tests_name("keeper lock", tests, NULL, NULL);
}
