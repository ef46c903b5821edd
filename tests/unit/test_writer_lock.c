/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/between.h"

#include <fcntl.h>
#include <unistd.h>

#include "nbp/platform.h"
#include "nbp/proto/error.h"

/* What the writer does while another program writes, or puts other files beside the database. */

/* --- another program ------------------------------------------------------- */

/* Another program that begins to write; machine 2 has a job on offer, whose details it can be
 * answered. */
static sqlite3 *begin_writing(struct bench *bench)
{
	sqlite3 *other;

	assert_int_equal(attempt(bench, 2, 'a'), 1);
	other = other_program(bench);
	between_run(other, "BEGIN IMMEDIATE");
	return other;
}

static void end_writing(sqlite3 *other)
{
	between_run(other, "COMMIT");
	sqlite3_close(other);
}

/* What only reads is answered. */
static void assert_reads(struct bench *bench)
{
	put(bench, 0, MESSAGE_QUERY, 2, 'q');
	serve(bench, 1);
	assert_details(bench, 0);
}

/* --- a lock that is held ---------------------------------------------------- */

static void test_only_writers_wait(void **state)
{
	struct bench *bench = *state;
	sqlite3 *other = begin_writing(bench);
	struct message reply;

	put_report(bench, 0, 1, bench->job[1], 'a', 1, REPORT_ACCEPTED);
	put(bench, 1, MESSAGE_QUERY, 2, 'q');
	put_report(bench, 2, 1, bench->job[1], 'a', 1, REPORT_ACCEPTED);
	put(bench, 3, MESSAGE_REQUEST, 3, 'a');
	serve(bench, 4);
	assert_int_equal(bench->batch[0].reply_length, 0);
	assert_int_equal(bench->batch[2].reply_length, 0);
	assert_details(bench, 1);
	decode(bench, 3, &reply);
	assert_int_equal(reply.u.answer.decision, DECISION_LOCAL);
	assert_true(writer_waits(&bench->writer));
	assert_int_equal(drops(bench), 0);
	end_writing(other);
	serve(bench, 0);
	decode(bench, 0, &reply);
	assert_int_equal(reply.u.receipt.state, REPORT_ACCEPTED);
	decode(bench, 2, &reply);
	assert_int_equal(reply.u.receipt.state, REPORT_ACCEPTED);
	assert_false(writer_waits(&bench->writer));
	check_committed(bench, 1, JOB_OFFERED, 1);
	assert_int_equal(drops(bench), 0);
}

/* A question that is sent again takes the place of the first, and nobody is answered too late. */
static void test_patience_has_an_end(void **state)
{
	struct bench *bench = *state;
	struct timestamp timestamp = at(NOW);
	sqlite3 *other = begin_writing(bench);

	for (int i = 0; i < 3; i++) {
		put_report(bench, 0, 1, bench->job[1], 'a', 1, REPORT_ACCEPTED);
		serve(bench, 1);
	}
	assert_int_equal(bench->writer.deferred_count, 1);
	timestamp.monotonic += 3000000000;
	writer_turn(&bench->writer, &timestamp);
	assert_false(writer_waits(&bench->writer));
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
	static const uint8_t states[] = { REPORT_ACCEPTED, REPORT_BEGUN, REPORT_DONE };
	static const enum job_state before[] = { JOB_PENDING, JOB_OFFERED, JOB_BEGUN };
	sqlite3 *other = other_program(bench);

	for (size_t i = 0; i < 3; i++) {
		bool late = states[i] != REPORT_BEGUN;
		struct message reply;

		between_run(other, "BEGIN IMMEDIATE");
		for (int sent = 0; sent < 2; sent++) {
			put_report(bench, 0, 1, bench->job[1], 'a', 1, states[i]);
			serve(bench, 1);
			bench->writer.deferred[0].arrived -= 700000000;
		}
		assert_int_equal(bench->writer.deferred_count, 1);
		between_run(other, "COMMIT");
		serve(bench, 0);
		assert_int_equal(bench->batch[0].reply_length == 0, late);
		if (!late)
			continue;
		check_committed(bench, 1, before[i], before[i] != JOB_PENDING);
		put_report(bench, 0, 1, bench->job[1], 'a', 1, states[i]);
		serve(bench, 1);
		decode(bench, 0, &reply);
		assert_int_equal(reply.u.receipt.state, states[i]);
	}
	assert_int_equal(counted(bench).dropped[DROP_STORE], 2);
	check_committed(bench, 1, JOB_DONE, 1);
	sqlite3_close(other);
}

/* However many wait, there is room for who only reads. */
static void test_later_has_an_end(void **state)
{
	struct bench *bench = *state;
	sqlite3 *other = begin_writing(bench);
	struct timestamp timestamp =
		at(NOW); /* all the time, as nobody's patience is to end here */

	for (size_t i = 0; i < WRITER_DEFERRED + 100; i++) {
		struct offer offer = { 1, bench->job[1], 0, 1, { 0 } };
		struct datagram *d = put_report(bench, 0, 1, offer.job, 'a', 1, REPORT_ACCEPTED);
		struct message message;

		assert_int_equal(message_decode(&message, d->data, d->length), 0);
		memcpy(message.nonce + 4, &i, sizeof(i));
		memcpy(offer.nonce, message.nonce, sizeof(offer.nonce));
		token_make(bench->writer.secret, &offer, message.u.report.token);
		fill(d, &message);
		serve_at(bench, 1, &timestamp);
	}
	assert_int_equal(bench->writer.deferred_count, WRITER_DEFERRED);
	assert_int_equal(counted(bench).dropped[DROP_STORE], 100);
	assert_reads(bench);
	end_writing(other);
}

static void test_notes_wait(void **state)
{
	struct bench *bench = *state;
	struct timestamp timestamp = at(NOW);
	sqlite3 *other = other_program(bench);

	between_run(other, "BEGIN IMMEDIATE");
	put(bench, 0, MESSAGE_EVENT, 3, 'a');
	serve(bench, 1);
	writer_sweep(&bench->writer, &timestamp);
	end_writing(other);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM event"), 0);
	serve(bench, 0);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM event"), 1);
	assert_int_equal(counted(bench).history_lost, 0);
}

static void test_start_while_locked(void **state)
{
	struct bench *bench = *state;
	sqlite3 *other;

	meddle(bench, "INSERT INTO counter VALUES ('of another version', 1)");
	other = begin_writing(bench);
	writer_close(&bench->writer);
	server_end(&bench->server);
	assert_int_equal(server_start(&bench->server, 0), 0);
	assert_int_equal(writer_open(&bench->writer, &bench->server, bench->path), 0);
	take_replies(bench);
	assert_reads(bench);
	end_writing(other);
	writer_sweep(&bench->writer, &(struct timestamp){ NOW, 0, timestamp_now().monotonic });
	assert_int_equal(number_of(bench, "SELECT count(*) FROM counter WHERE name LIKE 'of%'"), 0);
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
		assert_false(writer_replaced(&bench->writer));
		lose_file(bench, i ? "-wal" : "-shm");
		if (i) {
			char name[96];

			snprintf(name, sizeof(name), "%s-wal", bench->path);
			close(open(name, O_CREAT | O_WRONLY, 0600));
		}
		assert_true(writer_replaced(&bench->writer));
		writer_close(&bench->writer);
		server_end(&bench->server);
		assert_int_equal(server_start(&bench->server, 0), 0);
		assert_int_equal(writer_open(&bench->writer, &bench->server, bench->path), 0);
		take_replies(bench);
	}
}

/* Nor does it go on where one was emptied; SQLite itself may make them shorter. */
static void test_one_file_is_emptied(void **state)
{
	struct bench *bench = *state;
	sqlite3 *other;

	for (int i = 0; i < 2; i++) {
		char name[96];

		other = other_program(bench);
		assert_int_equal(attempt(bench, 1, 'a'), 1);
		between_run(other, "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
		assert_false(writer_replaced(&bench->writer));
		sqlite3_close(other);
		assert_int_equal(attempt(bench, 2, 'a'), 1);
		meddle(bench, "UPDATE device SET added = added + 1");
		assert_false(writer_replaced(&bench->writer));
		snprintf(name, sizeof(name), "%s%s", bench->path, i ? "" : "-wal");
		assert_int_equal(truncate(name, 0), 0);
		assert_true(writer_replaced(&bench->writer));
		assert_non_null(strstr(bench->writer.store.message, ": cut short"));
		if (i)
			break;
		writer_close(&bench->writer);
		server_end(&bench->server);
		assert_int_equal(server_start(&bench->server, 0), 0);
		assert_int_equal(writer_open(&bench->writer, &bench->server, bench->path), 0);
		take_replies(bench);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_only_writers_wait), TEST(test_patience_has_an_end),
		TEST(test_receipt_would_come_too_late), TEST(test_later_has_an_end),
		TEST(test_notes_wait), TEST(test_start_while_locked),
		TEST(test_one_file_is_lost), TEST(test_one_file_is_emptied),
	};

	return cmocka_run_group_tests_name("writer lock", tests, NULL, NULL);
}
