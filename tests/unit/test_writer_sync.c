/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/site.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "nbp/platform.h"

/*
 * What is on the disk before an answer leaves, and what need not be: each wait for it is counted.
 */

static unsigned syncs;      /* so far */
static unsigned before;     /* at the start */
static unsigned when_sent;  /* of them, when the first answers left since then */
static bool sent;
static size_t (*send_on)(struct datagram *batch, size_t count);

/* In the place of the C library's, for SQLite too. */
int fdatasync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fsync, fd);
}

static size_t send_counted(struct datagram *batch, size_t count)
{
	for (size_t i = 0; i < count && !sent; i++) {
		sent = batch[i].reply_length > 0;
		when_sent = syncs - before;
	}
	return send_on(batch, count);
}

/* Serves the first @count slots, and counts. */
static void serve_counted(struct bench *bench, size_t count)
{
	if (bench->writer.send != send_counted)
		send_on = bench->writer.send;
	bench->writer.send = send_counted;
	before = syncs;
	sent = false;
	serve(bench, count);
	assert_true(sent);
}

static void assign_to_all(struct bench *bench)
{
	meddle(bench, BUNDLE "INSERT INTO assignment VALUES (7, 1, 'global', 0, 'always', 0, 1);"
	       "DELETE FROM job;");
	/* What was committed here before must not be counted later. */
	sqlite3_wal_checkpoint_v2(bench->writer.store.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
	                          NULL);
	/* The log begins anew with the next commit, which waits for the disk in any case. */
	assert_int_equal(attempt(bench, MACHINES, 'z'), 1);
}

static uint64_t job_in(const struct bench *bench, size_t slot)
{
	struct message reply;

	decode(bench, slot, &reply);
	assert_int_equal(reply.type, MESSAGE_ANSWER);
	assert_int_equal(reply.u.answer.decision, DECISION_JOB);
	return reply.u.answer.job;
}

static uint8_t receipt_in(const struct bench *bench, size_t slot)
{
	struct message reply;

	decode(bench, slot, &reply);
	assert_int_equal(reply.type, MESSAGE_RECEIPT);
	return reply.u.receipt.state;
}

static void test_new_job_does_not_wait(void **state)
{
	struct bench *bench = *state;
	uint64_t job[3];

	assign_to_all(bench);
	for (uint8_t i = 1; i <= 2; i++) {
		put(bench, 0, MESSAGE_REQUEST, i, 'a');
		serve_counted(bench, 1);
		assert_int_equal(syncs - before, 0);
		job[i] = job_in(bench, 0);
	}
	assert_int_equal(number_of(bench, "SELECT count(*) FROM job WHERE state = 'pending'"), 2);
	/* What accepts it does, and everything after that. */
	put_report(bench, 0, 1, job[1], 'a', 1, REPORT_ACCEPTED);
	serve_counted(bench, 1);
	assert_int_equal(receipt_in(bench, 0), REPORT_ACCEPTED);
	assert_int_equal(when_sent, 1);
	for (uint8_t what = REPORT_BEGUN; what <= REPORT_DONE; what++) {
		put_report(bench, 0, 1, job[1], 'a', 1, what);
		serve_counted(bench, 1);
		assert_int_equal(receipt_in(bench, 0), what);
		assert_int_equal(when_sent, 1);
	}
	assert_int_equal(drops(bench), 0);
}

/* Has a machine ask for a job; returns it before anything has waited for it. */
static uint64_t first_job(struct bench *bench)
{
	assign_to_all(bench);
	put(bench, 0, MESSAGE_REQUEST, 1, 'a');
	serve_counted(bench, 1);
	return job_in(bench, 0);
}

/* Where others wait all the same, it is one transaction and one wait. */
static void test_new_job_beside_a_report(void **state)
{
	struct bench *bench = *state;
	uint64_t job;

	job = first_job(bench);
	put(bench, 0, MESSAGE_REQUEST, 2, 'a');
	put_report(bench, 1, 1, job, 'a', 1, REPORT_ACCEPTED);
	serve_counted(bench, 2);
	assert_int_equal(receipt_in(bench, 1), REPORT_ACCEPTED);
	assert_true(job_in(bench, 0) != job);
	assert_int_equal(when_sent, 1);
	assert_int_equal(syncs - before, 1);
}

/* A request that ends a job, after one for a new job: that has begun without the disk. */
static void test_end_by_request_waits(void **state)
{
	struct bench *bench = *state;

	assign_to_all(bench);
	assert_int_equal(attempt(bench, 1, 'a'), 1);
	meddle(bench, "UPDATE job SET state = 'begun', begun = 1 WHERE device = 1"); /* overdue */
	put(bench, 0, MESSAGE_REQUEST, 2, 'a');
	put(bench, 1, MESSAGE_REQUEST, 1, 'b');
	serve_counted(bench, 2);
	job_in(bench, 0);
	assert_int_equal(when_sent, 0);
	assert_int_equal(syncs - before, 1);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM job WHERE state = 'failed'"), 1);
	assert_int_equal(drops(bench), 0);
}

/* A report behind a machine that is admitted is in a later part, which begins without the disk. */
static void test_accepted_after_an_admission_waits(void **state)
{
	struct bench *bench = *state;
	uint64_t job = first_job(bench);

	meddle(bench, "INSERT INTO setting VALUES ('global', 0, 'admit-unknown', 'yes')");
	put(bench, 0, MESSAGE_REQUEST, 9, 'a');
	put_report(bench, 1, 1, job, 'a', 1, REPORT_ACCEPTED);
	serve_counted(bench, 2);
	job_in(bench, 0);
	assert_int_equal(receipt_in(bench, 1), REPORT_ACCEPTED);
	/* One for the part that admits it, and one for the job that is accepted. */
	assert_int_equal(when_sent, 1);
	assert_int_equal(syncs - before, 2);
	assert_int_equal(drops(bench), 0);
}

/* Who came first is known for good: else the second could be. */
static void test_claim_waits(void **state)
{
	struct bench *bench = *state;
	struct message message = { .type = MESSAGE_REQUEST, .sequence = 1 };
	struct datagram *d;

	assign_to_all(bench);
	d = put(bench, 0, MESSAGE_REQUEST, 1, 'a');
	message.u.request.identity =
		(struct identity){ { 2, 0, 0, 0, 0, 1 },
		                   { 0x11, 0x27, 9, 0, 0x40, 1, 0x80, 3, 7, 1, 9, 2, 5, 6, 7, 8 } };
	message.u.request.firmware = FIRMWARE_BIOS;
	fill(d, &message);
	serve_counted(bench, 1);
	assert_int_equal(when_sent, 1);
	assert_int_equal(number_of(bench, "SELECT claim_uuid IS NOT NULL FROM device WHERE id = 1"),
	                 1);
}

/* Once a commit has failed that need not wait, the next that must does. */
static void test_relaxed_no_longer_than_it_takes(void **state)
{
	struct bench *bench = *state;
	uint64_t job;

	job = first_job(bench);
	meddle(bench,
	       "CREATE TRIGGER no BEFORE INSERT ON job BEGIN SELECT RAISE(ABORT, 'no'); END");
	put(bench, 0, MESSAGE_REQUEST, 2, 'a');
	serve(bench, 1);
	assert_int_equal(bench->batch[0].reply_length, 0);
	assert_int_equal(number_of(bench, "PRAGMA synchronous"), 2);
	put_report(bench, 0, 1, job, 'a', 1, REPORT_ACCEPTED);
	serve_counted(bench, 1);
	assert_int_equal(receipt_in(bench, 0), REPORT_ACCEPTED);
	assert_int_equal(when_sent, 1);
}

/*
 * A new job that is lost with its transaction is not offered when the messages are answered again.
 */
static void test_lost_job_is_not_offered(void **state)
{
	struct bench *bench = *state;
	uint64_t job = first_job(bench);

	meddle(bench,
	       "CREATE TRIGGER no BEFORE UPDATE ON job BEGIN SELECT RAISE(ABORT, 'no'); END");
	put(bench, 0, MESSAGE_REQUEST, 2, 'a');
	put_report(bench, 1, 1, job, 'a', 1, REPORT_ACCEPTED);
	serve(bench, 2);
	assert_int_equal(bench->batch[0].reply_length, 0);
	assert_int_equal(bench->batch[1].reply_length, 0);
	assert_int_equal(drops(bench), 2);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM job WHERE device = 2"), 0);
}

/* A row that is refused is of one message: those after it in the same batch are stored. */
static void test_one_refused_of_a_batch(void **state)
{
	struct bench *bench = *state;

	assign_to_all(bench);
	meddle(bench, "CREATE TRIGGER no BEFORE INSERT ON job WHEN NEW.device = 1 BEGIN"
	       " SELECT RAISE(ABORT, 'no'); END");
	put(bench, 0, MESSAGE_REQUEST, 1, 'a');
	put(bench, 1, MESSAGE_REQUEST, 2, 'a');
	serve(bench, 2);
	assert_int_equal(bench->batch[0].reply_length, 0);
	job_in(bench, 1);
	assert_int_equal(drops(bench), 1);
}

/* A number that a power cut has freed, and that another job of the same device has got since, is
 * not what was offered. */
static void test_number_used_again(void **state)
{
	struct bench *bench = *state;
	char sql[160];
	uint64_t job;

	job = first_job(bench);
	put_report(bench, 0, 1, job, 'a', 1, REPORT_ACCEPTED);
	snprintf(sql, sizeof(sql), "UPDATE job SET assigned = assigned + 30 WHERE id = %llu",
	         (unsigned long long)job);
	meddle(bench, sql);
	serve(bench, 1);
	assert_int_equal(receipt_in(bench, 0), 0);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM offer"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_new_job_does_not_wait), TEST(test_new_job_beside_a_report),
		TEST(test_end_by_request_waits),
		TEST(test_accepted_after_an_admission_waits), TEST(test_claim_waits),
		TEST(test_relaxed_no_longer_than_it_takes), TEST(test_lost_job_is_not_offered),
		TEST(test_one_refused_of_a_batch), TEST(test_number_used_again),
	};

	return cmocka_run_group_tests_name("writer sync", tests, NULL, NULL);
}
