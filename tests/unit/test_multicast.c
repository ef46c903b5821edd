/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/site.h"

/* Multicast sessions: who is counted, when they start, and when they end. */

#define SESSION(clients, wait)                                                                     \
	BUNDLE "DELETE FROM job; INSERT INTO multicast"                                            \
	       " (id, name, bundle, clients, wait, state, added) VALUES (5, 'lab', 1, " #clients   \
	       ", " #wait ", 'waiting', 1); INSERT INTO multicast_member (multicast, device)"      \
	       " SELECT 5, id FROM device;"

static void test_session_of_two(void **state)
{
	struct bench *bench = *state;
	struct details details;

	meddle(bench, SESSION(2, 0));
	assert_int_equal(attempt(bench, 1, 'a'), 1);
	details = details_of(bench, 1);
	assert_true(has_detail(&details, "image=b.img") && has_detail(&details, "multicast=lab"));
	assert_true(has_detail(&details, "multicast_state=waiting") &&
	            has_detail(&details, "multicast_clients=1"));
	assert_int_equal(attempt(bench, 1, 'a'), 1);
	assert_int_equal(number_of(bench, "SELECT count(*) FROM multicast_member WHERE joined"), 1);
	assert_int_equal(attempt(bench, 2, 'a'), 1);
	details = details_of(bench, 1);
	assert_true(has_detail(&details, "multicast_state=started") &&
	            has_detail(&details, "multicast_clients=2"));
	assert_int_equal(attempt(bench, 3, 'a'), 0); /* too late */
	report(bench, 1, REPORT_DONE);
	report(bench, 2, REPORT_BEGUN);
	writer_sweep(&bench->writer, &(struct timestamp){ NOW + 1, 0, timestamp_now().monotonic });
	assert_int_equal(number_of(bench, "SELECT state = 'started' FROM multicast"), 1);
	report(bench, 2, REPORT_DONE);
	assert_int_equal(writer_follow(&bench->writer), 0);
	writer_sweep(&bench->writer, &(struct timestamp){ NOW + 2, 0, timestamp_now().monotonic });
	assert_int_equal(number_of(bench, "SELECT ended FROM multicast WHERE state = 'ended'"),
	                 NOW + 2);
	assert_int_equal(attempt(bench, 1, 'b'), 0);
}

static void test_session_by_time(void **state)
{
	struct bench *bench = *state;
	struct timestamp timestamp = at(NOW + 9);

	meddle(bench, SESSION(0, 10));
	writer_sweep(&bench->writer, &timestamp);
	assert_int_equal(attempt(bench, 1, 'a'), 1);
	writer_follow(&bench->writer);
	writer_sweep(&bench->writer, &timestamp);
	assert_int_equal(number_of(bench, "SELECT state = 'waiting' FROM multicast"), 1);
	timestamp.now++;
	writer_sweep(&bench->writer, &timestamp);
	assert_int_equal(number_of(bench, "SELECT started FROM multicast WHERE state = 'started'"),
	                 NOW + 10);
	assert_int_equal(attempt(bench, 2, 'a'), 0);
}

static void start_late(struct bench *bench, const char *sql)
{
	struct details details;

	meddle(bench, SESSION(2, 0));
	assert_int_equal(attempt(bench, 1, 'a'), 1);
	if (sql)
		meddle(bench, sql);
	else
		report(bench, 1, REPORT_FAILED);
	assert_int_equal(attempt(bench, 2, 'a'), 1);
	details = details_of(bench, 2);
	assert_true(has_detail(&details, "multicast_state=waiting") &&
	            has_detail(&details, "multicast_clients=1"));
	assert_int_equal(attempt(bench, 3, 'a'), 1);
	details = details_of(bench, 2);
	assert_true(has_detail(&details, "multicast_state=started") &&
	            has_detail(&details, "multicast_clients=2"));
	/* Who is done first was one of them. */
	report(bench, 3, REPORT_DONE);
	details = details_of(bench, 2);
	assert_true(has_detail(&details, "multicast_clients=2"));
	assert_int_equal(drops(bench), 0);
}

/* A session waits for no machine whose job has ended. */
static void test_session_without_the_failed(void **state)
{
	start_late(*state, NULL);
}

static void test_session_without_the_cancelled(void **state)
{
	start_late(*state, "UPDATE job SET state = 'cancelled', ended = 1 WHERE device = 1");
}

/* One that was retried is one of them. */
static void test_session_with_the_retried(void **state)
{
	struct bench *bench = *state;

	meddle(bench, SESSION(2, 0));
	assert_int_equal(attempt(bench, 1, 'a'), 1);
	report(bench, 1, REPORT_FAILED);
	meddle(bench,
	       "INSERT INTO job (device, state, attempts, deadline, assigned, loader_bios,"
	       " loader_uefi, config, prefix, details, bundle, source, source_id) SELECT device,"
	       " 'pending', attempts, deadline, 1, loader_bios, loader_uefi, config, prefix, "
	       "details,"
	       " bundle, source, source_id FROM job");
	assert_int_equal(attempt(bench, 2, 'a'), 1);
	assert_int_equal(number_of(bench, "SELECT state = 'started' FROM multicast"), 1);
	assert_int_equal(attempt(bench, 3, 'a'), 0);
	assert_int_equal(attempt(bench, 1, 'b'), 1);
}

static void test_session_of_nobody(void **state)
{
	struct bench *bench = *state;
	struct timestamp timestamp = at(NOW + 20);

	meddle(bench, SESSION(0, 10));
	assert_int_equal(attempt(bench, 1, 'a'), 1);
	report(bench, 1, REPORT_FAILED);
	assert_int_equal(writer_follow(&bench->writer), 0);
	writer_sweep(&bench->writer, &timestamp);
	assert_int_equal(number_of(bench, "SELECT state = 'waiting' FROM multicast"), 1);
	assert_int_equal(attempt(bench, 2, 'a'), 1);
	writer_sweep(&bench->writer, &timestamp);
	assert_int_equal(number_of(bench, "SELECT state = 'started' FROM multicast"), 1);
	report(bench, 2, REPORT_FAILED);
	writer_sweep(&bench->writer, &timestamp);
	assert_int_equal(number_of(bench, "SELECT state = 'ended' FROM multicast"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_session_of_two), TEST(test_session_by_time),
		TEST(test_session_without_the_failed), TEST(test_session_without_the_cancelled),
		TEST(test_session_with_the_retried), TEST(test_session_of_nobody),
	};

	return cmocka_run_group_tests_name("multicast", tests, NULL, NULL);
}
