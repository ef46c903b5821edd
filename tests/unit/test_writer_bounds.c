/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/site.h"

#include <arpa/inet.h>

#include "nbp/platform.h"
#include "server/store/devices.h"

/* What bounds what grows: unknown machines that become devices, jobs that have ended; and what a
 * clock that is set must not undo. */

#define SECOND ((int64_t)1000000000)
#define DAY    86400

/* A request of an invented machine from network 10.A.B.0/24. */
static void put_invented(struct bench *bench, size_t slot, unsigned number, unsigned network)
{
	struct datagram *d = put(bench, slot, MESSAGE_REQUEST, 0, 'a');
	struct message message;

	assert_int_equal(message_decode(&message, d->data, d->length), 0);
	message.u.request.identity.mac[0] = 6;
	message.u.request.identity.mac[3] = (uint8_t)(number >> 16);
	message.u.request.identity.mac[4] = (uint8_t)(number >> 8);
	message.u.request.identity.mac[5] = (uint8_t)number;
	memcpy(message.nonce, &number, sizeof(number));
	fill(d, &message);
	d->from.in.sin_addr.s_addr = htonl(10u << 24 | network << 8 | 9);
}

/* So many machines ask, @step ns from each to the next. */
static void invent(struct bench *bench, unsigned first, unsigned count, unsigned networks,
                   int64_t step)
{
	/* Time goes on by @step alone, from call to call. */
	static int64_t clock_ = SECOND;
	struct timestamp timestamp = { bench->now, 0, clock_ };

	for (unsigned i = first; i < first + count; i++) {
		put_invented(bench, 0, i, i % networks);
		timestamp.monotonic += step;
		serve_batch(&bench->serving, bench->batch, 1, &timestamp);
		/* Each has an answer, be it that it is not known. */
		if (!bench->batch[0].reply_length) {
			while (writer_turn(&bench->writer, &timestamp))
				continue;
			assert_int_equal(writer_follow(&bench->writer), 0);
		}
		assert_true(bench->batch[0].reply_length > 0);
	}
	clock_ = timestamp.monotonic;
}

static int64_t devices(struct bench *bench)
{
	return number_of(bench, "SELECT count(*) FROM device") - MACHINES;
}

static void test_admissions_have_a_rate(void **state)
{
	struct bench *bench = *state;

	meddle(bench, "INSERT INTO setting VALUES ('global', 0, 'admit-unknown', 'yes')");
	assert_int_equal(writer_follow(&bench->writer), 0);
	/* One network leaves some to the others. */
	invent(bench, 0, 400, 1, 1);
	assert_in_range(devices(bench), 90, 110);
	invent(bench, 1000, 600, 100, 1);
	assert_in_range(devices(bench), 190, 210);
	assert_in_range(counted(bench).not_admitted, 780, 810);
	assert_int_equal(drops(bench), 0);
	/* In time there are more, in all networks. */
	invent(bench, 2000, 1000, 50, SECOND / 100);
	assert_in_range(devices(bench), 280, 320);
}

static void test_rule_has_the_same_rate(void **state)
{
	struct bench *bench = *state;

	meddle(bench, BUNDLE "INSERT INTO rule VALUES (1, 1, 'r', 1, 'unknown', '', 0, 1)");
	assert_int_equal(writer_follow(&bench->writer), 0);
	invent(bench, 0, 600, 100, 1);
	assert_in_range(devices(bench), 190, 210);
}

static void test_admissions_have_a_total(void **state)
{
	struct bench *bench = *state;
	struct timestamp timestamp = at(NOW);

	meddle(bench, "INSERT INTO setting VALUES ('global', 0, 'admit-unknown', 'yes'),"
	       " ('global', 0, 'admit-limit', '7')");
	assert_int_equal(writer_follow(&bench->writer), 0);
	invent(bench, 0, 20, 20, 1);
	assert_int_equal(devices(bench), 7);
	writer_sweep(&bench->writer, &timestamp);
	assert_true(bench->server.admits_no_more);
	/* In one batch, too; and one that is removed makes room. */
	meddle(bench, "PRAGMA foreign_keys=ON; DELETE FROM device WHERE id > 8");
	assert_int_equal(devices(bench), 5);
	writer_sweep(&bench->writer, &timestamp);
	assert_false(bench->server.admits_no_more);
	for (unsigned i = 0; i < 10; i++)
		put_invented(bench, i, 100 + i, i);
	serve(bench, 10);
	assert_int_equal(devices(bench), 7);
	assert_int_equal(drops(bench), 0);
}

/* Machines that must be compared first, as each reports a device's UUID, have the same rate. */
static void test_compared_have_the_same_rate(void **state)
{
	struct bench *bench = *state;
	struct timestamp timestamp = at(NOW);
	struct message message;

	meddle(bench, "INSERT INTO setting VALUES ('global', 0, 'admit-unknown', 'yes');"
	       "UPDATE device SET uuid = x'6f700000000040008000000000000001' WHERE id = 3");
	assert_int_equal(writer_follow(&bench->writer), 0);
	/* All of them come before the first is found to be another machine. */
	for (unsigned i = 0; i < 600; i++) {
		put_invented(bench, 0, i, i % 100);
		assert_int_equal(message_decode(&message, bench->batch[0].data,
		                                bench->batch[0].length), 0);
		memcpy(message.u.request.identity.uuid,
		       "\x6f\x70\0\0\0\0\x40\0\x80\0\0\0\0\0\0\1", 16);
		fill(&bench->batch[0], &message);
		serve_batch(&bench->serving, bench->batch, 1, &timestamp);
	}
	assert_int_equal(lanes_count(&bench->server.questions), 600);
	while (writer_turn(&bench->writer, &timestamp))
		continue;
	assert_in_range(devices(bench), 190, 210);
	assert_in_range(counted(bench).not_admitted, 390, 410);
	assert_int_equal(answers(bench), 600);
}

/* --- unknown machines' questions ----------------------------------------------- */

/* They do not come to the writer, whatever they are, and are bounded in all. */
static void test_unknown_are_answered_at_once(void **state)
{
	struct bench *bench = *state;
	struct timestamp timestamp = at(NOW);
	struct message reply;

	put(bench, 0, MESSAGE_QUERY, 77, 'q');
	put(bench, 1, MESSAGE_REPORT, 3, 'q');
	assert_int_equal(message_decode(&reply, bench->batch[1].data, bench->batch[1].length), 0);
	reply.u.report.identity.mac[5] = 77;
	fill(&bench->batch[1], &reply);
	serve_batch(&bench->serving, bench->batch, 2, &timestamp);
	decode(bench, 0, &reply);
	assert_int_equal(reply.u.details.decision, DECISION_LOCAL);
	assert_int_equal(reply.u.details.job, 0);
	decode(bench, 1, &reply);
	assert_int_equal(reply.u.receipt.state, 0);
	assert_int_equal(lanes_count(&bench->server.questions), 0);
	assert_int_equal(writer_follow(&bench->writer), 0);
	bench->server.unknown_cost = SECOND / 10;
	for (int i = 0; i < 30; i++) {
		put(bench, 0, MESSAGE_QUERY, 77, 'q');
		serve_batch(&bench->serving, bench->batch, 1, &timestamp);
	}
	assert_in_range(counted(bench).dropped[DROP_LIMIT], 9, 11);
	/* Those that are known are not meant. */
	put(bench, 0, MESSAGE_REQUEST, 3, 'a');
	serve_batch(&bench->serving, bench->batch, 1, &timestamp);
	assert_true(bench->batch[0].reply_length > 0);
}

/* What has become a device accepts its job at once, before anything else comes. */
static void test_newcomer_is_known_with_its_answer(void **state)
{
	struct bench *bench = *state;
	struct timestamp timestamp = at(NOW);
	struct message message, reply;

	meddle(bench, BUNDLE "INSERT INTO rule VALUES (1, 1, 'r', 1, 'unknown', '', 0, 1)");
	assert_int_equal(writer_follow(&bench->writer), 0);
	put_invented(bench, 0, 1, 1);
	assert_int_equal(message_decode(&message, bench->batch[0].data, bench->batch[0].length), 0);
	serve_batch(&bench->serving, bench->batch, 1, &timestamp);
	assert_int_equal(writer_turn(&bench->writer, &timestamp), 1);
	decode(bench, 0, &reply);
	assert_int_equal(reply.u.answer.decision, DECISION_JOB);
	message.type = MESSAGE_REPORT;
	message.u.report = (struct report){ .identity = message.u.request.identity,
	                                    .job = reply.u.answer.job, .state = REPORT_ACCEPTED };
	memcpy(message.u.report.token, reply.u.answer.token, TOKEN_SIZE);
	fill(&bench->batch[0], &message);
	serve_batch(&bench->serving, bench->batch, 1, &timestamp);
	assert_int_equal(lanes_count(&bench->server.questions), 1);
	assert_int_equal(writer_turn(&bench->writer, &timestamp), 1);
	decode(bench, 0, &reply);
	assert_int_equal(reply.u.receipt.state, REPORT_ACCEPTED);
}

/* Many networks of one region have a few networks' share, in what takes more than a look. */
static void test_regions_are_bounded(void **state)
{
	struct bench *bench = *state;
	struct timestamp timestamp = at(NOW);

	limit_start(&bench->server.limit, 10);
	limit_start(&bench->server.regions, 40);
	for (unsigned i = 0; i < 200; i++) {
		put_invented(bench, 0, i, i);
		serve_batch(&bench->serving, bench->batch, 1, &timestamp);
	}
	assert_in_range(counted(bench).dropped[DROP_LIMIT], 110, 125);
}

/* --- jobs that have ended ------------------------------------------------------ */

#define ENDED "INSERT INTO job (device, state, attempts, deadline, assigned, ended, loader_bios," \
	" loader_uefi, config, prefix, details, bundle, source, source_id)"

static void test_always_has_a_rate(void **state)
{
	struct bench *bench = *state;
	unsigned given = 0;

	meddle(bench, BUNDLE "INSERT INTO assignment VALUES (7, 1, 'global', 0, 'always', 0, 1)");
	for (uint8_t i = 1; i <= 30; i++) {
		given += attempt(bench, 3, i) == 1;
		meddle(bench, "UPDATE job SET state = 'done', ended = 1 WHERE device = 3");
	}
	assert_int_equal(given, 12);
	bench->now += 3601;
	assert_int_equal(attempt(bench, 3, 100), 1);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM job WHERE device = 3"), 13);
}

/* What is decided by stays, and nothing else. */
static void test_old_job_goes(void **state)
{
	struct bench *bench = *state;
	struct timestamp timestamp = { NOW + 800 * DAY, 0, timestamp_now().monotonic };

	meddle(bench, BUNDLE
	       "INSERT INTO bundle SELECT 2, 'two', kind, loader_bios, loader_uefi, config,"
	       " prefix, details, attempts, deadline, added, completes, '', '' FROM bundle;"
	       "INSERT INTO assignment VALUES (7, 1, 'global', 0, 'once', 0, 1);"
	       "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
	       "5000) " ENDED " SELECT 3, 'done', 3, 100, 1, "
	       "1000000"
	       ", '', '', 'c', '', x'',"
	       " iif(i = 1, 1, 2), iif(i = 1, 'assignment', 'hand'), iif(i = 1, 7, 0) FROM n");
	assert_int_equal(writer_follow(&bench->writer), 0);
	writer_clock(&bench->writer, NOW + 800 * DAY, 5);
	for (int i = 0; i < 4; i++)
		writer_sweep(&bench->writer, &timestamp);
	/* The one of the assignment, and the newest. */
	assert_int_equal(number_of(bench, "SELECT count(*) FROM job WHERE device = 3"), 2);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM job WHERE device <> 3"), 2);
	assert_int_equal(attempt(bench, 3, 'a'), 0);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM past WHERE device = 3"), 4);
	/* It begins anew in an hour. */
	assert_true(bench->writer.prune_next > timestamp.now);
}

/* However the rows change, past is what the jobs say. */
static void test_past_follows_job(void **state)
{
	static const char *const changes[] = {
		BUNDLE ENDED
		" VALUES (3, 'done', 3, 1, 1, 1, '', '', 'c', '', x'', 1, 'assignment', 7)",
		ENDED " VALUES (3, 'failed', 3, 1, 1, 1, '', '', 'c', '', x'', 1, 'multicast', 7)",
		ENDED
		" VALUES (3, 'pending', 3, 1, 1, 0, '', '', 'c', '', x'', 1, 'assignment', 8)",
		"UPDATE job SET state = 'cancelled' WHERE state = 'pending' AND device = 3",
		"UPDATE job SET source_id = 7 WHERE source_id = 8",
		"UPDATE job SET bundle = NULL WHERE id = (SELECT max(id) FROM job)",
		"UPDATE job SET device = 2 WHERE id = (SELECT min(id) FROM job WHERE device = 3)",
		"DELETE FROM job WHERE id = (SELECT max(id) FROM job)",
		"DELETE FROM job WHERE id = (SELECT max(id) FROM job)",
		"DELETE FROM bundle",
		"DELETE FROM device WHERE id = 2",
	};
	static const char differs[] =
		"WITH k AS (SELECT device, 0 AS kind, 0 AS id, job.id AS job, state FROM job"
		" UNION ALL SELECT device, 1, source_id, id, state FROM job WHERE source = "
	        "'assignment'"
		" UNION ALL SELECT device, 2, bundle, id, state FROM job WHERE bundle IS NOT NULL"
		" UNION ALL SELECT device, 3, source_id, id, state FROM job WHERE source = "
	        "'multicast'),"
		" newest AS (SELECT device, kind, id, max(job), state FROM k GROUP BY device, "
	        "kind, id)"
		" SELECT (SELECT count(*) FROM (SELECT * FROM newest EXCEPT SELECT * FROM past)) +"
		" (SELECT count(*) FROM (SELECT * FROM past EXCEPT SELECT * FROM newest))";
	struct bench *bench = *state;

	for (size_t i = 0; i < COUNT(changes); i++) {
		char sql[1000];

		snprintf(sql, sizeof(sql), "PRAGMA foreign_keys=ON; %s", changes[i]);
		meddle(bench, sql);
		assert_int_equal(number_of(bench, differs), 0);
	}
	assert_true(number_of(bench, "SELECT count(*) FROM past") > 0);
}

/* --- the clock --------------------------------------------------------------------- */

/* The clock shows @now, @boot seconds after the machine's start. */
static void look(struct bench *bench, int64_t now, int64_t boot)
{
	struct timestamp timestamp = { now, 0, boot * SECOND };

	writer_clock(&bench->writer, now, boot);
	while (writer_turn(&bench->writer, &timestamp))
		continue;
	while (writer_sweep(&bench->writer, &timestamp))
		continue;
	bench->now = now;
}

static void test_clock_goes_forward_and_back(void **state)
{
	struct bench *bench = *state;

	look(bench, NOW, 10);
	assert_int_equal(attempt(bench, 1, 'a'), 1);
	report(bench, 1, REPORT_BEGUN);
	for (int i = 0; i < 3; i++) {
		look(bench, NOW + 5 * 3600, 11 + 2 * i);
		look(bench, NOW + 2 * i + 2, 12 + 2 * i);
	}
	check_committed(bench, 1, JOB_BEGUN, 1);
	/* Its deadline is where it was, give or take what went by. */
	look(bench, NOW + 90, 100);
	check_committed(bench, 1, JOB_BEGUN, 1);
	look(bench, NOW + 111, 121);
	check_committed(bench, 1, JOB_FAILED, 1);
}

/* What began while it was wrong has its time as well. */
static void test_clock_is_wrong_at_first(void **state)
{
	struct bench *bench = *state;

	look(bench, NOW - 900 * DAY, 10);
	assert_int_equal(attempt(bench, 1, 'a'), 1);
	report(bench, 1, REPORT_BEGUN);
	look(bench, NOW, 20);
	check_committed(bench, 1, JOB_BEGUN, 1);
	report(bench, 1, REPORT_DONE);
	check_committed(bench, 1, JOB_DONE, 1);
}

/* Nobody is answered by a time that could not be mended. */
static void test_clock_set_while_locked(void **state)
{
	struct bench *bench = *state;
	struct message reply;
	sqlite3 *other;

	look(bench, NOW, 10);
	assert_int_equal(attempt(bench, 1, 'a'), 1);
	report(bench, 1, REPORT_BEGUN);
	assert_int_equal(sqlite3_open(bench->path, &other), SQLITE_OK);
	sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	look(bench, NOW + 5 * 3600, 11);
	look(bench, NOW + 9 * 3600, 12); /* once more, while the first waits */
	sqlite3_exec(other, "COMMIT", NULL, NULL, NULL);
	sqlite3_close(other);
	/* Before the next look its job is not too late for that. */
	put(bench, 0, MESSAGE_REQUEST, 1, 'b');
	serve(bench, 1);
	assert_int_equal(bench->batch[0].reply_length, 0);
	check_committed(bench, 1, JOB_BEGUN, 1);
	look(bench, NOW + 9 * 3600 + 1, 13);
	decode(bench, 0, &reply);
	assert_int_equal(reply.u.answer.attempt, 2);
	check_committed(bench, 1, JOB_BEGUN, 1);
	assert_int_equal(number_of(bench, "SELECT begun FROM job WHERE id = 1"),
	                 NOW + 9 * 3600 - 2);
}

#define OLD "INSERT INTO event (device, time, step, job, milliseconds, reason)" \
	" VALUES (1, 999999, 'x', 0, 0, ''), (1, 900000, 'x', 0, 0, '');" \
	"INSERT INTO unknown_machine (mac, uuid, first, last, boots, address, request, outcome)" \
	" VALUES (zeroblob(6), zeroblob(16), 1, 999999, 1, '', x'', '')"

static int64_t kept(struct bench *bench)
{
	return number_of(
		bench,
		"SELECT (SELECT count(*) FROM event) + (SELECT count(*) FROM unknown_machine)");
}

static void test_nothing_is_forgotten_by_a_jump(void **state)
{
	struct bench *bench = *state;

	meddle(bench, OLD);
	look(bench, NOW, 10);
	look(bench, NOW + 100 * DAY, 12);
	look(bench, NOW + 100 * DAY + 600, 612);
	assert_int_equal(kept(bench), 3);
	look(bench, NOW + 700, 710);
	/* If it stays so, it is right. */
	look(bench, NOW + 100 * DAY, 720);
	look(bench, NOW + 100 * DAY + 3601, 4321);
	assert_int_equal(kept(bench), 0);
}

/* A clock that is wrong when prebootd starts, by which all is old. */
static void test_nothing_is_forgotten_at_the_start(void **state)
{
	struct bench *bench = *state;

	meddle(bench, OLD);
	look(bench, NOW + 100 * DAY, 10);
	look(bench, NOW + 100 * DAY + 60, 70);
	assert_int_equal(kept(bench), 3);
	look(bench, NOW + 100 * DAY + 3600, 3610);
	assert_int_equal(kept(bench), 0);
}

/* What was written by a clock that was ahead stands in nobody's way. */
static void test_events_of_the_future(void **state)
{
	struct bench *bench = *state;

	meddle(bench, "INSERT INTO event (device, time, step, job, milliseconds, reason)"
	       " VALUES (1, 900000000, 'x', 0, 0, '')");
	meddle(bench, OLD);
	look(bench, NOW, 10);
	look(bench, NOW + 90 * DAY, 10 + 90 * DAY);
	assert_int_equal(kept(bench), 1);
}

/* --- what is noted ------------------------------------------------------------ */

/* Has @number ask as so many boots. */
static void ask_often(struct bench *bench, uint8_t number, int boots)
{
	for (int i = 0; i < boots; i++) {
		struct datagram *d = put(bench, (size_t)i % BATCH, MESSAGE_REQUEST, number, 'a');

		memcpy(d->data + 8, &i, sizeof(i)); /* in the nonce */
		if (i % BATCH == BATCH - 1 || i == boots - 1)
			serve(bench, (size_t)i % BATCH + 1);
	}
}

/* Whoever asks in one machine's name, or invents machines, does not hide others. */
static void test_notes_are_shared(void **state)
{
	struct bench *bench = *state;
	uint64_t lost;

	for (uint8_t number = 1; number <= 3; number += 2) { /* by the writer, and not */
		lost = counted(bench).history_lost;
		ask_often(bench, number, 1000);
		lost = counted(bench).history_lost - lost;
		assert_in_range(lost, 100, 500);
	}
	for (uint8_t number = 100; number < 130; number++)
		ask_often(bench, number, 100);
	/* 500 at once, and a few that are due by then: 100 of each are asked. */
	assert_in_range(number_of(bench, "SELECT count(*) FROM unknown_machine"), 5, 25);
	for (size_t i = 0; i < 20; i++)
		put(bench, i, MESSAGE_REQUEST, (uint8_t)(200 + i), 'a')->from.in.sin_addr.s_addr =
			htonl(0x0a090909);
	serve(bench, 20);
	assert_int_equal(
		number_of(bench, "SELECT count(*) FROM unknown_machine WHERE address = '10.9.9.9'"),
		20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_notes_are_shared),
		TEST(test_admissions_have_a_rate), TEST(test_rule_has_the_same_rate),
		TEST(test_admissions_have_a_total), TEST(test_compared_have_the_same_rate),
		TEST(test_unknown_are_answered_at_once),
		TEST(test_newcomer_is_known_with_its_answer),
		TEST(test_regions_are_bounded), TEST(test_always_has_a_rate),
		TEST(test_old_job_goes), TEST(test_past_follows_job),
		TEST(test_clock_goes_forward_and_back), TEST(test_clock_is_wrong_at_first),
		TEST(test_clock_set_while_locked), TEST(test_nothing_is_forgotten_by_a_jump),
		TEST(test_nothing_is_forgotten_at_the_start), TEST(test_events_of_the_future),
	};

	return cmocka_run_group_tests_name("writer bounds", tests, NULL, NULL);
}
