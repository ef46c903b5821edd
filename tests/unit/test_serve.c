/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/site.h"

#include "nbp/platform.h"
#include "server/store/events.h"

/* The server as machines see it: nothing may kill it. */

/* --- what is well formed --------------------------------------------------- */

static void test_story(void **state)
{
	struct bench *bench = *state;
	struct message reply;

	assert_int_equal(attempt(bench, 3, 'a'), 0);
	assert_int_equal(attempt(bench, 9, 'a'), 0);
	assert_int_equal(attempt(bench, 1, 'a'), 1);
	check_committed(bench, 1, JOB_OFFERED, 1);
	assert_int_equal(attempt(bench, 1, 'a'), 1);
	assert_int_equal(attempt(bench, 1, 'b'), 2);
	assert_int_equal(attempt(bench, 1, 'a'), 0); /* b has the job by now */
	check_committed(bench, 1, JOB_OFFERED, 2);
	ask(bench, MESSAGE_QUERY, 1, 'q', &reply);
	assert_int_equal(reply.u.details.job, bench->job[1]);
	assert_string_equal(reply.u.details.details, "image=a.img");
	ask(bench, MESSAGE_QUERY, 2, 'q', &reply);
	assert_int_equal(reply.u.details.job, 0);
	ask(bench, MESSAGE_REPORT, 1, 'r', &reply);
	assert_int_equal(reply.u.receipt.state, REPORT_BEGUN);
	check_committed(bench, 1, JOB_BEGUN, 2);
	assert_int_equal(attempt(bench, 1, 'c'), 3);
	assert_int_equal(attempt(bench, 1, 'd'), 0);
	check_committed(bench, 1, JOB_FAILED, 3);
	ask(bench, MESSAGE_REPORT, 1, 'r', &reply);
	assert_int_equal(reply.u.receipt.state, 0);
	assert_int_equal(drops(bench), 0);
}

/* A batch is one transaction, and each in it sees what those before it did. */
static void test_batch(void **state)
{
	static const uint8_t attempts[] = { 0, 1, 1, 1, 1, 0, 1 };
	struct bench *bench = *state;
	struct message reply;

	put(bench, 0, MESSAGE_REQUEST, 3, 'a');
	put(bench, 1, MESSAGE_REQUEST, 1, 'a');
	put(bench, 2, MESSAGE_REQUEST, 1, 'a');
	put(bench, 3, MESSAGE_REQUEST, 2, 'a');
	put(bench, 4, MESSAGE_REQUEST, 1, 'b');
	put(bench, 5, MESSAGE_EVENT, 1, 'b');
	put(bench, 6, MESSAGE_REQUEST, 1, 'a');
	serve(bench, 7);
	for (size_t i = 0; i < COUNT(attempts); i++) {
		if (i == 5)
			continue;
		decode(bench, i, &reply);
		assert_int_equal(reply.u.answer.attempt, attempts[i]);
	}
	assert_int_equal(bench->batch[5].reply_length, 0);
	assert_int_equal(drops(bench), 0);
	assert_int_equal(answers(bench), 6);
	/* None of these was an attempt. Each of the first three is one, or the same again. */
	check_committed(bench, 1, JOB_PENDING, 0);
	put_report(bench, 0, 1, bench->job[1], 'a', 1, REPORT_ACCEPTED);
	put_report(bench, 1, 1, bench->job[1], 'a', 1, REPORT_ACCEPTED);
	put_report(bench, 2, 2, bench->job[2], 'a', 1, REPORT_ACCEPTED);
	put_report(bench, 3, 1, bench->job[1], 'b', 1, REPORT_ACCEPTED);
	put_report(bench, 4, 1, bench->job[1], 'b', 2, REPORT_ACCEPTED);
	put_report(bench, 5, 1, bench->job[1], 'a', 1, REPORT_ACCEPTED);
	serve(bench, 6);
	for (size_t i = 0; i < 6; i++) {
		decode(bench, i, &reply);
		assert_int_equal(reply.u.receipt.state, i % 2 && i > 1 ? 0 : REPORT_ACCEPTED);
	}
	check_committed(bench, 1, JOB_OFFERED, 2);
	check_committed(bench, 2, JOB_OFFERED, 1);
}

/* Whoever was not given the token changes nothing, however right the rest is. */
static void test_only_who_was_offered(void **state)
{
	struct bench *bench = *state;
	struct message forged = { .type = MESSAGE_REPORT }, reply;
	uint64_t job = bench->job[1];

	assert_int_equal(attempt(bench, 1, 'a'), 1);
	forged.u.report.identity = (struct identity){ .mac = { 2, 0, 0, 0, 0, 1 } };
	forged.u.report.job = job;
	for (uint8_t report = REPORT_BEGUN; report <= REPORT_ACCEPTED; report++) {
		for (int made_up = 0; made_up < 2; made_up++) {
			forged.u.report.state = report;
			memset(forged.u.report.token, made_up, TOKEN_SIZE);
			fill(put(bench, 0, MESSAGE_QUERY, 1, 'q'), &forged);
			serve(bench, 1);
			decode(bench, 0, &reply);
			assert_int_equal(reply.u.receipt.state, 0);
			check_committed(bench, 1, JOB_OFFERED, 1);
		}
		/*
		 * The boot that was offered attempt 2 has not accepted it; b's is another boot's.
		 */
		put_report(bench, 0, 1, job, 'a', 2, report);
		put_report(bench, 1, 1, job, 'b', 1, report);
		put_report(bench, 2, 2, job, 'a', 1, report);
		serve(bench, 3);
		for (size_t i = 0; i < 3; i++) {
			decode(bench, i, &reply);
			assert_int_equal(reply.u.receipt.state, 0);
		}
		check_committed(bench, 1, JOB_OFFERED, 1);
	}
	/* Of a job that no boot has accepted, no details are answered: a boot of zeros is none. */
	memset(bench->token[2], 0, TOKEN_SIZE);
	assert_int_equal(details_of(bench, 2).job, 0);
	memset(bench->token[1], 1, TOKEN_SIZE);
	assert_int_equal(details_of(bench, 1).job, 0);
	put_report(bench, 0, 1, job, 'a', 1, REPORT_DONE);
	serve(bench, 1);
	check_committed(bench, 1, JOB_DONE, 1);
}

/* A secret that is gone is made anew; what was signed with the old one counts no more. */
static void test_secret(void **state)
{
	struct bench *bench = *state;
	uint8_t secret[TOKEN_SECRET_SIZE];

	memcpy(secret, bench->writer.secret, sizeof(secret));
	assert_int_equal(writer_read_secret(&bench->writer), 0);
	assert_memory_equal(bench->writer.secret, secret, sizeof(secret));
	meddle(bench, "DELETE FROM secret");
	assert_int_equal(writer_read_secret(&bench->writer), 0);
	assert_memory_not_equal(bench->writer.secret, secret, sizeof(secret));
	assert_int_equal(number_of(bench, "SELECT length(value) FROM secret WHERE name = 'tokens'"),
	                 TOKEN_SECRET_SIZE);
}

static void test_overdue(void **state)
{
	struct bench *bench = *state;
	struct timestamp before = at(NOW + 99), after = at(NOW + 100);
	struct message reply;

	attempt(bench, 1, 'a');
	ask(bench, MESSAGE_REPORT, 1, 'r', &reply);
	writer_sweep(&bench->writer, &before);
	check_committed(bench, 1, JOB_BEGUN, 1);
	writer_sweep(&bench->writer, &after);
	check_committed(bench, 1, JOB_FAILED, 1);
	check_committed(bench, 2, JOB_PENDING, 0);
	/* The machine knows better than the clock. */
	put_report(bench, 0, 1, bench->job[1], 'a', 1, REPORT_DONE);
	serve(bench, 1);
	check_committed(bench, 1, JOB_DONE, 1);
}

/* prebootctl's changes count from the next question on. */
static void test_follows_changes(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(attempt(bench, 1, 'a'), 1);
	meddle(bench, "UPDATE job SET state = 'cancelled'");
	assert_int_equal(attempt(bench, 1, 'a'), 0);
	assert_int_equal(attempt(bench, 2, 'a'), 0);
	meddle(bench, "UPDATE job SET state = 'pending' WHERE device ="
	       " (SELECT id FROM device WHERE name = 'web2')");
	assert_int_equal(attempt(bench, 2, 'a'), 1);
	meddle(bench, "PRAGMA foreign_keys=ON; DELETE FROM device");
	assert_int_equal(attempt(bench, 2, 'a'), 0);
}

static void test_events_of_unknowns_leave_nothing(void **state)
{
	struct bench *bench = *state;
	struct store_rows *rows;
	int count = 0;

	put(bench, 0, MESSAGE_EVENT, 9, 'a');
	put(bench, 1, MESSAGE_EVENT, 3, 'a');
	put(bench, 2, MESSAGE_REQUEST, 9, 'a');
	serve(bench, 3);
	assert_int_equal(event_list(&bench->writer.store, 0, 100, &rows), 0);
	while (store_step(rows) == 1)
		count++;
	assert_int_equal(count, 1);
	assert_int_equal(drops(bench), 0);
}

/* --- what is not ----------------------------------------------------------- */

/* Serves slot 0, which must be dropped for @why and leave the job as it was. */
static void check_dropped(struct bench *bench, enum drop why)
{
	uint64_t before = counted(bench).dropped[why], all = drops(bench);

	serve(bench, 1);
	assert_int_equal(bench->batch[0].reply_length, 0);
	assert_int_equal(counted(bench).dropped[why], before + 1);
	assert_int_equal(drops(bench), all + 1);
	assert_int_equal(answers(bench), 0);
}

static void test_cut_at_every_length(void **state)
{
	static const uint8_t types[] = { MESSAGE_REQUEST, MESSAGE_QUERY, MESSAGE_REPORT };
	struct bench *bench = *state;

	for (size_t i = 0; i < COUNT(types); i++) {
		for (size_t length = 0; length < MESSAGE_MAX; length++) {
			uint64_t before = drops(bench);
			struct datagram *d = put(bench, 0, types[i], 1, 'a');

			d->length = (uint16_t)length;
			serve(bench, 1);
			/* Cut between two fields it may be a message still, but a small one. */
			assert_int_equal(drops(bench) + answers(bench),
			                 before + answers(bench) + (d->reply_length == 0));
			assert_true(d->reply_length <= length);
		}
	}
	/* Of a request without its padding the answer would be larger than it. */
	check_committed(bench, 1, JOB_PENDING, 0);
	assert_int_equal(attempt(bench, 1, 'a'), 1);
}

static void test_small_question_costs_no_attempt(void **state)
{
	struct bench *bench = *state;
	struct datagram *d = put(bench, 0, MESSAGE_REQUEST, 1, 'a');

	/* Header, MAC and firmware kind; padding is what follows. */
	d->length = MESSAGE_HEADER + 10 + 5;
	check_dropped(bench, DROP_SMALL);
	check_committed(bench, 1, JOB_PENDING, 0);
}

/* Writes each wrong length over each field's own. */
static void test_every_length_field_wrong(void **state)
{
	static const uint8_t types[] = { MESSAGE_REQUEST, MESSAGE_QUERY, MESSAGE_REPORT,
	                                 MESSAGE_EVENT };
	struct bench *bench = *state;
	size_t fields = 0;

	for (size_t i = 0; i < COUNT(types); i++) {
		struct datagram whole = *put(bench, 0, types[i], 3, 'a');
		size_t at = MESSAGE_HEADER;

		while (at < whole.length) {
			size_t number = (size_t)whole.data[at] << 8 | whole.data[at + 1];
			size_t length = (size_t)whole.data[at + 2] << 8 | whole.data[at + 3];

			for (size_t wrong = 0; wrong <= 0xffff; wrong += wrong < 1300 ? 1 : 977) {
				if (wrong == length)
					continue;
				bench->batch[0] = whole;
				bench->batch[0].data[at + 2] = (uint8_t)(wrong >> 8);
				bench->batch[0].data[at + 3] = (uint8_t)wrong;
				serve(bench, 1);
				/* Less padding is followed by more of it: that is allowed. */
				if (number || wrong > length)
					assert_int_equal(bench->batch[0].reply_length, 0);
			}
			fields++;
			at += 4 + length;
		}
		assert_int_equal(at, whole.length);
	}
	assert_true(fields >= 10);
	check_committed(bench, 1, JOB_PENDING, 0);
}

static void test_every_byte_of_the_header(void **state)
{
	struct bench *bench = *state;

	for (int version = 0; version < 256; version++) {
		put(bench, 0, MESSAGE_REQUEST, 1, 'a')->data[4] = (uint8_t)version;
		if (version != MESSAGE_VERSION)
			check_dropped(bench, DROP_VERSION);
	}
	for (int type = 0; type < 256; type++) {
		if (type >= MESSAGE_REQUEST && type <= MESSAGE_RECEIPT)
			continue;
		put(bench, 0, MESSAGE_REQUEST, 1, 'a')->data[5] = (uint8_t)type;
		check_dropped(bench, DROP_MALFORMED);
	}
	for (size_t i = 0; i < 4; i++) {
		put(bench, 0, MESSAGE_REQUEST, 1, 'a')->data[i] ^= 0x20;
		check_dropped(bench, DROP_MALFORMED);
	}
	check_committed(bench, 1, JOB_PENDING, 0);
}

static void test_odd_peers_and_messages(void **state)
{
	struct bench *bench = *state;
	struct message answer = { .type = MESSAGE_ANSWER };
	struct datagram *d = put(bench, 0, MESSAGE_REQUEST, 1, 'a');

	d->from.in.sin_port = 0;
	check_dropped(bench, DROP_PEER);
	d = put(bench, 0, MESSAGE_REQUEST, 1, 'a');
	d->length = MESSAGE_MAX + 1; /* longer than any message */
	check_dropped(bench, DROP_MALFORMED);
	d = put(bench, 0, MESSAGE_REQUEST, 1, 'a');
	d->data[MESSAGE_HEADER] |= 0x80; /* the first field as critical: known all the same */
	d->data[MESSAGE_HEADER + 1] = 0x7e; /* and now not */
	check_dropped(bench, DROP_CRITICAL);
	/* Another server's answer must not be answered: they would never stop. */
	answer.u.answer.decision = DECISION_LOCAL;
	fill(d, &answer);
	check_dropped(bench, DROP_TYPE);
	check_committed(bench, 1, JOB_PENDING, 0);
}

/* --- when the database fails ----------------------------------------------- */

/* An attempt is not acknowledged unless it is stored; a machine without a job is answered still. */
static void check_no_job_offered(struct bench *bench)
{
	struct message reply;

	put(bench, 0, MESSAGE_REQUEST, 3, 'a');
	put_report(bench, 1, 1, bench->job[1], 'a', 1, REPORT_ACCEPTED);
	put(bench, 2, MESSAGE_REQUEST, 3, 'b');
	serve(bench, 3);
	assert_int_equal(bench->batch[1].reply_length, 0);
	assert_int_equal(counted(bench).dropped[DROP_STORE], 1);
	decode(bench, 0, &reply);
	decode(bench, 2, &reply);
	assert_int_equal(reply.u.answer.decision, DECISION_LOCAL);
}

static void test_write_fails(void **state)
{
	struct bench *bench = *state;

	meddle(bench, "CREATE TRIGGER no BEFORE INSERT ON offer"
	       " BEGIN SELECT RAISE(ABORT, 'no room'); END");
	check_no_job_offered(bench);
	meddle(bench, "DROP TRIGGER no");
	check_committed(bench, 1, JOB_PENDING, 0);
	assert_int_equal(attempt(bench, 1, 'a'), 1);
}

/* The failure takes back what was before it in the batch, and its answer. */
static void test_late_failure_takes_back_all(void **state)
{
	struct bench *bench = *state;

	meddle(bench, "CREATE TRIGGER no BEFORE INSERT ON offer WHEN NEW.job = 2"
	       " BEGIN SELECT RAISE(ROLLBACK, 'no room'); END");
	put_report(bench, 0, 1, bench->job[1], 'a', 1, REPORT_ACCEPTED);
	put_report(bench, 1, 2, bench->job[2], 'a', 1, REPORT_ACCEPTED);
	put_report(bench, 2, 1, bench->job[1], 'b', 1, REPORT_ACCEPTED);
	serve(bench, 3);
	assert_int_equal(bench->batch[0].reply_length, 0);
	assert_int_equal(bench->batch[1].reply_length, 0);
	assert_true(bench->batch[2].reply_length > 0); /* in a transaction of its own */
	assert_int_equal(counted(bench).dropped[DROP_STORE], 2);
	check_committed(bench, 1, JOB_OFFERED, 1);
	check_committed(bench, 2, JOB_PENDING, 0);
}

static void test_disk_full(void **state)
{
	struct bench *bench = *state;
	struct store_rows *row;

	/* What SQLite is allowed to use is used. */
	assert_int_equal(store_start(&bench->writer.store, &row, "PRAGMA max_page_count=1", ""), 0);
	assert_int_equal(store_step(row), 1);
	store_end(row);
	meddle(bench, "CREATE TABLE ballast (a); CREATE TRIGGER heavy AFTER INSERT ON offer"
	       " BEGIN INSERT INTO ballast VALUES (zeroblob(100000)); END");
	check_no_job_offered(bench);
	check_committed(bench, 1, JOB_PENDING, 0);
}

/* Which machine came first with image-safe data is on the disk before it is offered a job. */
static void test_claim_is_stored_first(void **state)
{
	struct bench *bench = *state;
	struct message message = { .type = MESSAGE_REQUEST, .sequence = 1 };
	struct datagram *d = &bench->batch[0];

	meddle(bench, "UPDATE device SET isd = x'0b007000000040008000000000000001'"
	       " WHERE name = 'web1'; DELETE FROM mac WHERE device ="
	       " (SELECT id FROM device WHERE name = 'web1');"
	       " CREATE TRIGGER no BEFORE UPDATE ON device WHEN NEW.claim_uuid IS NOT NULL"
	       " BEGIN SELECT RAISE(ABORT, 'no room'); END");
	for (int i = 0; i < 3; i++) {
		put(bench, 0, MESSAGE_REQUEST, 9, 'a');
		message.u.request.firmware = FIRMWARE_BIOS;
		message.u.request.identity.uuid[0] = 7;
		message.u.request.identity.uuid[1] = i == 2; /* another machine */
		message.u.request.isd_state = ISD_VALID;
		memcpy(message.u.request.isd_device,
		       "\x0b\0\x70\0\0\0\x40\0\x80\0\0\0\0\0\0\x01", 16);
		fill(d, &message);
		serve(bench, 1);
		if (i == 0) {
			assert_int_equal(d->reply_length, 0);
			assert_int_equal(counted(bench).dropped[DROP_STORE], 1);
			check_committed(bench, 1, JOB_PENDING, 0);
			meddle(bench, "DROP TRIGGER no");
			continue;
		}
		assert_int_equal(message_decode(&message, d->reply, d->reply_length), 0);
		assert_int_equal(message.u.answer.decision,
		                 i == 1 ? DECISION_JOB : DECISION_LOCAL);
		memset(&message, 0, sizeof(message));
		message.type = MESSAGE_REQUEST;
	}
	check_committed(bench, 1, JOB_PENDING, 0);
}

/* What was reported before a question comes before what came of that. */
static void test_story_is_in_order(void **state)
{
	struct bench *bench = *state;

	put(bench, 0, MESSAGE_EVENT, 1, 'a');
	put_report(bench, 1, 1, bench->job[1], 'a', 1, REPORT_ACCEPTED);
	put(bench, 2, MESSAGE_EVENT, 1, 'a');
	serve(bench, 3);
	assert_int_equal(number_of(bench,
	                           "SELECT (SELECT min(id) FROM event WHERE step = 'local-boot') <"
	                           " (SELECT id FROM event WHERE step = 'offered')"),
	                 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_story), TEST(test_batch), TEST(test_overdue), TEST(test_follows_changes),
		TEST(test_only_who_was_offered), TEST(test_secret),
		TEST(test_events_of_unknowns_leave_nothing), TEST(test_cut_at_every_length),
		TEST(test_small_question_costs_no_attempt), TEST(test_every_length_field_wrong),
		TEST(test_every_byte_of_the_header), TEST(test_odd_peers_and_messages),
		TEST(test_write_fails), TEST(test_late_failure_takes_back_all),
		TEST(test_disk_full), TEST(test_claim_is_stored_first),
		TEST(test_story_is_in_order),
	};

	return cmocka_run_group_tests_name("serve", tests, NULL, NULL);
}
