/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/site.h"

#include "nbp/platform.h"

/* New jobs, new devices, unknown machines: what the writer makes of requests. */

/* --- jobs that are chosen --------------------------------------------------- */

static void test_assigned_once(void **state)
{
	struct bench *bench = *state;
	struct message reply;

	meddle(bench, BUNDLE "INSERT INTO assignment VALUES (7, 1, 'device', 3, 'once', 0, 1);");
	ask(bench, MESSAGE_REQUEST, 3, 'a', &reply);
	assert_int_equal(reply.u.answer.attempt, 1);
	assert_string_equal(reply.u.answer.loader, "pxelinux.0");
	assert_string_equal(reply.u.answer.config, "b.cfg");
	assert_int_equal(number_of(bench, "SELECT count(*) FROM job WHERE device = 3 AND bundle = 1"
	                           " AND source = 'assignment' AND source_id = 7 AND state ="
	                           " 'pending' AND attempts = 3 AND deadline = 14400"), 1);
	assert_int_equal(attempt(bench, 3, 'a'), 1);
	assert_int_equal(attempt(bench, 3, 'b'), 2);
	assert_int_equal(details_of(bench, 3).job, reply.u.answer.job);
	report(bench, 3, REPORT_BEGUN);
	report(bench, 3, REPORT_DONE);
	assert_int_equal(attempt(bench, 3, 'b'), 0);
	assert_int_equal(attempt(bench, 3, 'c'), 0);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM job WHERE device = 3"), 1);
	assert_int_equal(drops(bench), 0);
}

static void test_assigned_always(void **state)
{
	struct bench *bench = *state;

	meddle(bench, BUNDLE "INSERT INTO assignment VALUES (7, 1, 'global', 0, 'always', 0, 1);");
	assert_int_equal(attempt(bench, 3, 'a'), 1);
	report(bench, 3, REPORT_DONE);
	assert_int_equal(attempt(bench, 3, 'a'), 0); /* late, and of the boot that had it */
	assert_int_equal(attempt(bench, 3, 'b'), 1);
	report(bench, 3, REPORT_DONE);
	assert_int_equal(attempt(bench, 3, 'c'), 1);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM job WHERE device = 3"), 3);
}

/* Done after all, where the server had given up: unless the machine has gone on to a newer job. */
static void test_done_beside_newer_job(void **state)
{
	struct bench *bench = *state;
	struct message reply;

	for (uint8_t number = 1; number <= 2; number++) {
		bool gone_on = number == 2;

		for (uint8_t boot = 'a'; boot <= 'd'; boot++)
			assert_int_equal(attempt(bench, number, boot),
			                 boot == 'd' ? 0 : boot - 'a' + 1);
		check_committed(bench, number, JOB_FAILED, 3);
		meddle(bench, gone_on ? "UPDATE assignment SET owner = 2" :
		       BUNDLE "INSERT INTO assignment VALUES (7, 1, 'device', 1, 'once', 0, 1)");
		ask(bench, MESSAGE_REQUEST, number, 'e', &reply);
		assert_int_equal(reply.u.answer.attempt, 1);
		if (gone_on)
			assert_int_equal(attempt(bench, number, 'e'), 1);
		put_report(bench, 0, number, bench->job[number], 'c', 3, REPORT_DONE);
		serve(bench, 1);
		decode(bench, 0, &reply);
		assert_int_equal(reply.u.receipt.state, gone_on ? 0 : REPORT_DONE);
		check_committed(bench, number, gone_on ? JOB_FAILED : JOB_DONE, 3);
	}
}

/* What happened before it in the batch counts for the next question. */
static void test_chosen_within_a_batch(void **state)
{
	struct bench *bench = *state;
	struct message reply;

	meddle(bench, BUNDLE "INSERT INTO assignment VALUES (7, 1, 'device', 3, 'once', 0, 1);"
	       "INSERT INTO assignment VALUES (8, 1, 'global', 0, 'always', 0, 1);");
	put(bench, 0, MESSAGE_REQUEST, 3, 'a');
	put(bench, 1, MESSAGE_REQUEST, 3, 'a');
	put(bench, 2, MESSAGE_REQUEST, 3, 'b');
	put_report(bench, 3, 3, 3, 'a', 1, REPORT_ACCEPTED);
	put_report(bench, 4, 3, 3, 'a', 1, REPORT_DONE);
	put(bench, 5, MESSAGE_REQUEST, 3, 'c');
	put(bench, 6, MESSAGE_REQUEST, 3, 'c');
	serve(bench, 7);
	for (size_t i = 0; i < 3; i++) {
		decode(bench, i, &reply);
		assert_int_equal(reply.u.answer.job, 3);
		assert_int_equal(reply.u.answer.attempt, 1);
	}
	decode(bench, 4, &reply);
	assert_int_equal(reply.u.receipt.state, REPORT_DONE);
	/* "once" is over, and the same bundle was had by it: no second time. */
	for (size_t i = 5; i < 7; i++) {
		decode(bench, i, &reply);
		assert_int_equal(reply.u.answer.decision, DECISION_LOCAL);
	}
	assert_int_equal(number_of(bench, "SELECT count(*) FROM job WHERE device = 3"), 1);
	assert_int_equal(drops(bench), 0);
}

/* A job that does not fit into the answer is not made. */
static void test_small_question_makes_no_job(void **state)
{
	struct bench *bench = *state;
	struct datagram *d;

	meddle(bench, BUNDLE "INSERT INTO assignment VALUES (7, 1, 'device', 3, 'once', 0, 1);");
	d = put(bench, 0, MESSAGE_REQUEST, 3, 'a');
	d->length = MESSAGE_HEADER + 10 + 5;
	serve(bench, 1);
	assert_int_equal(d->reply_length, 0);
	assert_int_equal(counted(bench).dropped[DROP_SMALL], 1);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM job WHERE device = 3"), 0);
}

static void test_job_not_stored_is_not_offered(void **state)
{
	struct bench *bench = *state;

	meddle(bench, BUNDLE "INSERT INTO assignment VALUES (7, 1, 'device', 3, 'once', 0, 1);"
	       "CREATE TRIGGER no BEFORE INSERT ON job BEGIN SELECT RAISE(ABORT, 'no room'); END");
	put(bench, 0, MESSAGE_REQUEST, 3, 'a');
	serve(bench, 1);
	assert_int_equal(bench->batch[0].reply_length, 0);
	assert_int_equal(counted(bench).dropped[DROP_STORE], 1);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM job WHERE device = 3"), 0);
	meddle(bench, "DROP TRIGGER no");
	assert_int_equal(attempt(bench, 3, 'a'), 1);
}

static void test_rules(void **state)
{
	struct bench *bench = *state;

	meddle(bench, BUNDLE "INSERT INTO rule VALUES"
	       " (1, 1, 'r', 1, 'known', 'mac = 02:00:00:00:00:03', 0, 1);");
	assert_int_equal(attempt(bench, 9, 'a'), 0);
	assert_int_equal(attempt(bench, 3, 'a'), 1);
	report(bench, 3, REPORT_DONE);
	assert_int_equal(attempt(bench, 3, 'b'), 0);
	meddle(bench, "UPDATE rule SET repeat = 1");
	assert_int_equal(attempt(bench, 3, 'c'), 1);
}

/* --- unknown machines ------------------------------------------------------------- */

static void test_unknowns_are_kept(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(attempt(bench, 9, 'a'), 0);
	assert_int_equal(attempt(bench, 9, 'a'), 0);
	assert_int_equal(attempt(bench, 8, 'a'), 0);
	assert_int_equal(attempt(bench, 9, 'b'), 0);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM unknown_machine"), 2);
	assert_int_equal(
		number_of(bench, "SELECT boots FROM unknown_machine WHERE mac = x'020000000009'"),
		2);
	assert_int_equal(
		number_of(bench, "SELECT boots FROM unknown_machine WHERE mac = x'020000000008'"),
		1);
	assert_int_equal(number_of(bench, "SELECT outcome = 'local boot: unknown device' AND"
	                           " address = '127.0.0.1' FROM unknown_machine LIMIT 1"), 1);
	assert_int_equal(counted(bench).answered[ANSWERED_UNKNOWN], 4);
}

static void test_unknowns_are_admitted(void **state)
{
	struct bench *bench = *state;
	struct message reply;

	assert_int_equal(attempt(bench, 9, 'a'), 0);
	meddle(bench, BUNDLE "INSERT INTO setting VALUES ('global', 0, 'admit-unknown', 'yes');");
	put(bench, 0, MESSAGE_REQUEST, 9, 'a');
	put(bench, 1, MESSAGE_REQUEST, 9, 'a');
	put(bench, 2, MESSAGE_REQUEST, 8, 'a');
	serve(bench, 3);
	for (size_t i = 0; i < 3; i++) {
		decode(bench, i, &reply);
		assert_int_equal(reply.u.answer.decision, DECISION_LOCAL);
		assert_string_equal(reply.u.answer.device,
		                    i < 2 ? "pc-020000000009" : "pc-020000000008");
	}
	assert_int_equal(number_of(bench, "SELECT count(*) FROM device"), MACHINES + 2);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM unknown_machine"), 0);
	/* As a device it has what is for all of them, and at its first request. */
	meddle(bench, "INSERT INTO assignment VALUES (7, 1, 'global', 0, 'once', 0, 1);");
	assert_int_equal(attempt(bench, 7, 'a'), 1);
	assert_int_equal(drops(bench), 0);
}

static void test_rule_admits_unknowns(void **state)
{
	struct bench *bench = *state;
	struct message reply;

	meddle(bench, BUNDLE "INSERT INTO rule VALUES (1, 1, 'r', 1, 'unknown', '', 0, 1);"
	       "UPDATE device SET name = 'pc-020000000009' WHERE id = 3;");
	put(bench, 0, MESSAGE_REQUEST, 9, 'a');
	put(bench, 1, MESSAGE_REQUEST, 9, 'a');
	put(bench, 2, MESSAGE_REQUEST, 9, 'b');
	serve(bench, 3);
	for (size_t i = 0; i < 3; i++) {
		decode(bench, i, &reply);
		assert_int_equal(reply.u.answer.attempt, 1);
		assert_string_equal(reply.u.answer.device, "pc-020000000009-2");
	}
	assert_int_equal(number_of(bench, "SELECT count(*) FROM device"), MACHINES + 1);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM job WHERE source = 'rule'"), 1);
	assert_int_equal(attempt(bench, 3, 'a'), 0); /* it is known */
}

/* Neither who has another's image-safe data, nor while the database fails. */
static void test_not_admitted(void **state)
{
	struct bench *bench = *state;
	struct message message = { .type = MESSAGE_REQUEST }, reply;
	struct datagram *d;

	meddle(bench, "INSERT INTO setting VALUES ('global', 0, 'admit-unknown', 'yes');"
	       "UPDATE device SET isd = x'0b007000000040008000000000000001' WHERE id = 3;");
	d = put(bench, 0, MESSAGE_REQUEST, 3, 'a');
	message.u.request.identity = (struct identity){ { 2, 0, 0, 0, 0, 9 }, { 7, 1 } };
	message.u.request.isd_state = ISD_VALID;
	memcpy(message.u.request.isd_device, "\x0b\0\x70\0\0\0\x40\0\x80\0\0\0\0\0\0\1", 16);
	message.u.request.firmware = FIRMWARE_BIOS;
	fill(d, &message);
	serve(bench, 1);
	decode(bench, 0, &reply);
	assert_string_equal(reply.u.answer.device, "");
	assert_int_equal(number_of(bench, "SELECT count(*) FROM event WHERE step = 'conflict'"), 1);
	meddle(bench, "CREATE TRIGGER no BEFORE INSERT ON device"
	       " BEGIN SELECT RAISE(ABORT, 'no room'); END");
	put(bench, 0, MESSAGE_REQUEST, 9, 'a');
	serve(bench, 1);
	assert_int_equal(bench->batch[0].reply_length, 0);
	assert_int_equal(counted(bench).dropped[DROP_STORE], 1);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM device"), MACHINES);
}

/* --- bounds and counts ----------------------------------------------------- */

static void test_queue_has_an_end(void **state)
{
	struct bench *bench = *state;
	struct timestamp timestamp = at(NOW);
	uint64_t put_in = 0;

	assert_int_equal(writer_follow(&bench->writer), 0);
	while (counted(bench).dropped[DROP_QUEUE] == 0) {
		put(bench, 0, MESSAGE_REQUEST, 1, 'a');
		serve_batch(&bench->serving, bench->batch, 1, &timestamp);
		put_in++;
	}
	while (writer_turn(&bench->writer, &timestamp))
		continue;
	assert_int_equal(answers(bench), put_in - 1);
	assert_int_equal(counted(bench).answered[ANSWERED_JOB], put_in - 1);
	check_committed(bench, 1, JOB_PENDING, 0);
}

static void test_events_are_bounded(void **state)
{
	struct bench *bench = *state;

	for (int i = 0; i < 1000; i++) {
		put(bench, 0, MESSAGE_EVENT, 3, 'a');
		serve(bench, 1);
	}
	assert_in_range(number_of(bench, "SELECT count(*) FROM event"), 40, 250);
	assert_true(counted(bench).history_lost > 700);
	assert_int_equal(counted(bench).asked[ASKED_EVENT], 1000);
}

static void test_counters_are_kept(void **state)
{
	struct bench *bench = *state;
	struct timestamp timestamp = at(NOW);

	attempt(bench, 1, 'a');
	attempt(bench, 3, 'a');
	attempt(bench, 9, 'a');
	put(bench, 0, MESSAGE_REQUEST, 3, 'a')->data[0] = 'X';
	serve(bench, 1);
	writer_sweep(&bench->writer, &timestamp);
	assert_int_equal(number_of(bench,
	                           "SELECT sum(value) FROM counter WHERE name IN ('answered_job',"
	                           " 'answered_local', 'answered_unknown', 'drop_malformed')"),
	                 4);
	assert_int_equal(number_of(bench, "SELECT value FROM counter WHERE name = 'asked_request'"),
	                 3);
	/* Zeros are stored, too. */
	assert_int_equal(number_of(bench, "SELECT value FROM counter WHERE name = 'drop_queue'"),
	                 0);
	/* Counters and history need not wait for the disk, but what is answered next must. */
	assert_int_equal(number_of(bench, "PRAGMA synchronous"), 2);
	/* The notes of changes go, once they are in the index. */
	assert_int_equal(number_of(bench, "SELECT count(*) FROM change"), 0);
}

static void test_reload(void **state)
{
	struct bench *bench = *state;
	struct timestamp timestamp = at(NOW);

	assert_int_equal(attempt(bench, 9, 'a'), 0);
	/* A change that nobody noted, as of a program that takes the triggers away. */
	meddle(bench, "UPDATE mac SET mac = x'020000000009' WHERE device = 1; DELETE FROM change");
	assert_int_equal(attempt(bench, 9, 'a'), 0);
	writer_reload(&bench->writer, &timestamp);
	assert_int_equal(attempt(bench, 9, 'a'), 1);
}

/* Nothing is answered that only the old file would have. */
static void test_replaced(void **state)
{
	struct bench *bench = *state;
	char other[80];

	assert_int_equal(attempt(bench, 1, 'a'), 1);
	snprintf(other, sizeof(other), "%s.other", bench->path);
	assert_int_equal(rename(bench->path, other), 0);
	put_report(bench, 0, 2, bench->job[2], 'a', 1, REPORT_ACCEPTED);
	put(bench, 1, MESSAGE_REQUEST, 1, 'b'); /* it writes nothing, but is in the transaction */
	serve(bench, 2);
	assert_int_equal(bench->batch[0].reply_length, 0);
	assert_int_equal(bench->batch[1].reply_length, 0);
	assert_int_equal(counted(bench).dropped[DROP_STORE], 2);
	assert_true(bench->writer.replaced);
	/* It stays so until the end, even if the file comes back. */
	assert_int_equal(rename(other, bench->path), 0);
	assert_true(writer_replaced(&bench->writer));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_assigned_once), TEST(test_assigned_always),
		TEST(test_done_beside_newer_job),
		TEST(test_chosen_within_a_batch), TEST(test_small_question_makes_no_job),
		TEST(test_job_not_stored_is_not_offered), TEST(test_rules),
		TEST(test_unknowns_are_kept), TEST(test_unknowns_are_admitted),
		TEST(test_rule_admits_unknowns), TEST(test_not_admitted),
		TEST(test_queue_has_an_end), TEST(test_events_are_bounded),
		TEST(test_counters_are_kept), TEST(test_reload), TEST(test_replaced),
	};

	return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
