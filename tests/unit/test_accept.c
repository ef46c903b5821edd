/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/platform.h"
#include "server/policy/decide.h"
#include "server/policy/token.h"
#include "tests/unit/job_sample.h"

/* A boot accepts what it was offered; the token shows that it was. */

/* --- the token -------------------------------------------------------------- */

/* The first, and what differs from it. */
static const struct {
	uint8_t secret; /* its first byte, of 0 to 31 */
	struct offer offer;
} offers[] = {
	{ 0, { 5, 7, 9, 2, "nnnnnnnnnnnnnnn" } },
	{ 1, { 5, 7, 9, 2, "nnnnnnnnnnnnnnn" } },
	{ 0, { 6, 7, 9, 2, "nnnnnnnnnnnnnnn" } },
	{ 0, { 5, 8, 9, 2, "nnnnnnnnnnnnnnn" } },
	{ 0, { 7, 5, 9, 2, "nnnnnnnnnnnnnnn" } },
	{ 0, { 5, 7, 8, 2, "nnnnnnnnnnnnnnn" } },
	{ 0, { 5, 7, 9, 3, "nnnnnnnnnnnnnnn" } },
	{ 0, { 5, 7, 9, 2, "nnnnnnnnnnnnnnm" } },
	{ 0, { 5ull << 32, 7, 9, 2, "nnnnnnnnnnnnnnn" } },
};

static void test_tokens(void **state)
{
	/* HMAC-SHA-256 of the first, computed by another program. */
	static const uint8_t golden[TOKEN_SIZE] = {
		0xf4, 0xaa, 0xd1, 0x03, 0x30, 0x31, 0x75, 0x2c
	};
	uint8_t secret[TOKEN_SECRET_SIZE], tokens[COUNT(offers)][TOKEN_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(offers); i++) {
		for (uint8_t at = 0; at < sizeof(secret); at++)
			secret[at] = at;
		secret[0] = offers[i].secret;
		token_make(secret, &offers[i].offer, tokens[i]);
		for (size_t other = 0; other < i; other++) {
			assert_memory_not_equal(tokens[i], tokens[other], TOKEN_SIZE);
			assert_false(token_is(secret, &offers[i].offer, tokens[other]));
		}
		assert_true(token_is(secret, &offers[i].offer, tokens[i]));
	}
	assert_memory_equal(tokens[0], golden, sizeof(golden));
}

/* Without the right one no agent gets details, nor changes anything. */
static void test_nothing_without_the_token(void **state)
{
	(void)state;
	for (enum job_state was = JOB_PENDING; was <= JOB_CANCELLED; was++) {
		struct job job = make_job(was, 1, was == JOB_BEGUN ? IN_TIME : NEVER);

		for (enum proof proof = PROOF_NONE; proof < PROOF_RIGHT; proof++) {
			struct decision decision;

			decide_query(&device, &job, proof, NOW, &decision);
			assert_int_equal(decision.reply.u.details.job, 0);
			assert_string_equal(decision.reply.u.details.config, "");
			assert_false(decision.changed);
			for (uint8_t kind = REPORT_BEGUN; kind <= REPORT_ACCEPTED; kind++) {
				struct report report = { .job = 7, .state = kind };
				struct report_facts facts = { .report = &report, .proof = proof,
				                               .now = NOW };

				decide_report(&device, &job, &facts, &decision);
				assert_int_equal(decision.reply.u.receipt.state, REFUSED);
				assert_non_null(strstr(decision.reply.u.receipt.reason, "token"));
				assert_false(decision.changed);
			}
		}
	}
}

/* --- accepting -------------------------------------------------------------- */

/* Has a boot accept what it was offered. */
static void accept_job(const struct job *job, uint32_t accepted, struct decision *decision)
{
	struct report report = { .job = 7, .state = REPORT_ACCEPTED };
	struct report_facts facts = { .report = &report, .proof = PROOF_RIGHT,
	                               .accepted = accepted, .now = NOW };

	decide_report(&device, job, &facts, decision);
}

static void test_accepting(void **state)
{
	static const struct {
		enum job_state state;
		uint32_t attempt, accepted;
		enum when begun;
		bool counted, taken;
	} cases[] = {
		{ JOB_PENDING, 0, 0, NEVER, true, true },
		{ JOB_OFFERED, 1, 0, NEVER, true, true },
		{ JOB_OFFERED, 1, 1, NEVER, false, true },
		{ JOB_BEGUN, 1, 1, IN_TIME, false, true },
		{ JOB_BEGUN, 1, 0, IN_TIME, true, true },
		{ JOB_BEGUN, 1, 0, OVERDUE, false, false },
		{ JOB_OFFERED, 3, 0, NEVER, false, false },
		{ JOB_DONE, 1, 1, NEVER, false, false },
		{ JOB_FAILED, 1, 0, NEVER, false, false },
		{ JOB_CANCELLED, 0, 0, NEVER, false, false },
	};
	struct decision decision;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct job job = make_job(cases[i].state, cases[i].attempt, cases[i].begun);

		accept_job(&job, cases[i].accepted, &decision);
		assert_int_equal(decision.counted, cases[i].counted);
		assert_int_equal(decision.reply.u.receipt.state, cases[i].taken ? REPORT_ACCEPTED
		                                                               : REFUSED);
		assert_int_equal(decision.next.attempt, cases[i].attempt + cases[i].counted);
		if (!cases[i].counted)
			continue;
		assert_int_equal(decision.next.state, JOB_OFFERED);
		assert_int_equal(decision.next.offered, NOW);
		assert_int_equal(decision.next.begun, 0); /* the deadline starts anew */
	}
}

/* Another boot ends what is over when it shows that it is one, and gets no receipt for it. */
static void test_accepting_what_is_over(void **state)
{
	static const struct {
		uint8_t completion;
		uint32_t attempt, accepted;
		enum when begun;
		bool came_back;
		enum job_state next;
		const char *reason;
	} cases[] = {
		{ COMPLETION_NEXT_BOOT, 1, 0, NEVER, true, JOB_OFFERED, "" },
		{ COMPLETION_NEXT_BOOT, 1, 1, NEVER, false, JOB_OFFERED, "" },
		{ COMPLETION_NEXT_BOOT, 1, 0, IN_TIME, false, JOB_OFFERED, "" },
		{ COMPLETION_NEXT_BOOT, 1, 0, NEVER, false, JOB_DONE, "booted again" },
		{ COMPLETION_NEXT_BOOT, 3, 0, NEVER, false, JOB_DONE, "booted again" },
		{ COMPLETION_NEXT_BOOT, 3, 0, NEVER, true, JOB_FAILED, "not begun after 3" },
		{ COMPLETION_AGENT, 3, 3, NEVER, false, JOB_OFFERED, "" },
		{ COMPLETION_AGENT, 3, 0, NEVER, false, JOB_FAILED, "not begun after 3" },
		{ COMPLETION_HANDOVER, 3, 0, NEVER, false, JOB_FAILED, "not begun after 3" },
		{ COMPLETION_AGENT, 3, 0, IN_TIME, false, JOB_FAILED, "not ended after 3" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct report report = { .job = 7, .state = REPORT_ACCEPTED };
		struct report_facts facts = { .report = &report, .proof = PROOF_RIGHT,
		                               .accepted = cases[i].accepted,
		                               .came_back = cases[i].came_back, .now = NOW };
		struct job job = make_job(cases[i].begun == NEVER ? JOB_OFFERED : JOB_BEGUN,
		                                cases[i].attempt, cases[i].begun);
		bool ends = cases[i].next != JOB_OFFERED;
		struct decision decision;

		job.completion = cases[i].completion;
		decide_report(&device, &job, &facts, &decision);
		assert_int_equal(decision.next.state, cases[i].next);
		assert_int_equal(decision.reply.u.receipt.state, ends ? REFUSED : REPORT_ACCEPTED);
		assert_int_equal(decision.counted, !ends && !cases[i].accepted);
		assert_int_equal(decision.warn, cases[i].next == JOB_FAILED);
		assert_non_null(strstr(decision.next.reason, cases[i].reason));
		assert_non_null(strstr(decision.reply.u.receipt.reason, cases[i].reason));
		if (!ends)
			continue;
		assert_true(decision.changed);
		assert_int_equal(decision.next.attempt, cases[i].attempt);
		assert_int_equal(decision.next.ended, NOW);
		facts.proof = PROOF_WRONG;
		decide_report(&device, &job, &facts, &decision);
		assert_false(decision.changed);
	}
}

/* However many boots: no more attempts than there may be, and then the end. */
static void test_attempts_bound_boots(void **state)
{
	(void)state;
	for (uint32_t attempts = 1; attempts <= 5; attempts++) {
		struct job job = make_job(JOB_PENDING, 0, NEVER);
		struct request_facts facts = { .loader = LOADER_BIOS, .now = NOW };
		uint32_t boots = 0;

		job.attempts = attempts;
		for (int boot = 0; boot < 20; boot++) {
			struct decision decision;

			decide_request(&device, &job, &facts, &decision);
			job = decision.next;
			if (decision.reply.u.answer.decision == DECISION_JOB) {
				/* However many others are offered it, and never accept. */
				decide_request(&device, &job, &facts, &decision);
				assert_false(decision.changed);
				accept_job(&job, 0, &decision);
				assert_int_equal(decision.counted, boots < attempts);
				job = decision.next;
				boots += decision.counted;
			}
			/* Every other one begins, and loses the job again. */
			if (job.state == JOB_OFFERED && boot % 2) {
				job.state = JOB_BEGUN;
				job.begun = NOW;
			}
		}
		assert_int_equal(boots, attempts);
		assert_int_equal(job.state, JOB_FAILED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_nothing_without_the_token),
		cmocka_unit_test(test_accepting),
		cmocka_unit_test(test_accepting_what_is_over),
		cmocka_unit_test(test_attempts_bound_boots),
	};

	return cmocka_run_group_tests_name("accept", tests, NULL, NULL);
}
