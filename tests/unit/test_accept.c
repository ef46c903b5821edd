/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/platform.h"
#include "server/policy/decide.h"
#include "server/policy/token.h"
#include "tests/unit/lease_sample.h"

/* A boot accepts what it was told of; the token shows that it was. */

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
	static const uint8_t golden[TOKEN_SIZE] = { 0xf4, 0xaa, 0xd1, 0x03, 0x30, 0x31, 0x75, 0x2c };
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

/* Without the right one no agent is told anything, nor changes it. */
static void test_nothing_without_the_token(void **state)
{
	(void)state;
	for (enum lease_state was = LEASE_PENDING; was <= LEASE_CANCELLED; was++) {
		struct lease lease = make_lease(was, 1, was == LEASE_BEGUN ? IN_TIME : NEVER);

		for (enum proof proof = PROOF_NONE; proof < PROOF_RIGHT; proof++) {
			struct verdict verdict;

			decide_query(&device, &lease, proof, NOW, &verdict);
			assert_int_equal(verdict.reply.u.details.lease, 0);
			assert_string_equal(verdict.reply.u.details.config, "");
			assert_false(verdict.changed);
			for (uint8_t told = WORK_BEGUN; told <= WORK_ACCEPTED; told++) {
				struct report report = { .lease = 7, .state = told };
				struct reporting reporting = { .report = &report, .proof = proof,
				                               .now = NOW };

				decide_report(&device, &lease, &reporting, &verdict);
				assert_int_equal(verdict.reply.u.receipt.state, REFUSED);
				assert_non_null(strstr(verdict.reply.u.receipt.reason, "token"));
				assert_false(verdict.changed);
			}
		}
	}
}

/* --- accepting -------------------------------------------------------------- */

/* Has a boot accept what it was told of. */
static void accept_work(const struct lease *lease, uint32_t accepted, struct verdict *verdict)
{
	struct report report = { .lease = 7, .state = WORK_ACCEPTED };
	struct reporting reporting = { .report = &report, .proof = PROOF_RIGHT,
	                               .accepted = accepted, .now = NOW };

	decide_report(&device, lease, &reporting, verdict);
}

static void test_accepting(void **state)
{
	static const struct {
		enum lease_state state;
		uint32_t attempt, accepted;
		enum when begun;
		bool counted, taken;
	} cases[] = {
		{ LEASE_PENDING, 0, 0, NEVER, true, true }, { LEASE_OFFERED, 1, 0, NEVER, true, true },
		{ LEASE_OFFERED, 1, 1, NEVER, false, true }, { LEASE_BEGUN, 1, 1, IN_TIME, false, true },
		{ LEASE_BEGUN, 1, 0, IN_TIME, true, true }, { LEASE_BEGUN, 1, 0, OVERDUE, false, false },
		{ LEASE_OFFERED, 3, 0, NEVER, false, false }, { LEASE_DONE, 1, 1, NEVER, false, false },
		{ LEASE_FAILED, 1, 0, NEVER, false, false },
		{ LEASE_CANCELLED, 0, 0, NEVER, false, false },
	};
	struct verdict verdict;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct lease lease = make_lease(cases[i].state, cases[i].attempt, cases[i].begun);

		accept_work(&lease, cases[i].accepted, &verdict);
		assert_int_equal(verdict.counted, cases[i].counted);
		assert_int_equal(verdict.reply.u.receipt.state, cases[i].taken ? WORK_ACCEPTED
		                                                               : REFUSED);
		assert_int_equal(verdict.next.attempt, cases[i].attempt + cases[i].counted);
		if (!cases[i].counted)
			continue;
		assert_int_equal(verdict.next.state, LEASE_OFFERED);
		assert_int_equal(verdict.next.offered, NOW);
		assert_int_equal(verdict.next.begun, 0); /* the deadline starts anew */
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
		enum lease_state next;
		const char *reason;
	} cases[] = {
		{ COMPLETION_NEXT_BOOT, 1, 0, NEVER, true, LEASE_OFFERED, "" },
		{ COMPLETION_NEXT_BOOT, 1, 1, NEVER, false, LEASE_OFFERED, "" },
		{ COMPLETION_NEXT_BOOT, 1, 0, IN_TIME, false, LEASE_OFFERED, "" },
		{ COMPLETION_NEXT_BOOT, 1, 0, NEVER, false, LEASE_DONE, "booted again" },
		{ COMPLETION_NEXT_BOOT, 3, 0, NEVER, false, LEASE_DONE, "booted again" },
		{ COMPLETION_NEXT_BOOT, 3, 0, NEVER, true, LEASE_FAILED, "not begun after 3" },
		{ COMPLETION_AGENT, 3, 3, NEVER, false, LEASE_OFFERED, "" },
		{ COMPLETION_AGENT, 3, 0, NEVER, false, LEASE_FAILED, "not begun after 3" },
		{ COMPLETION_HANDOVER, 3, 0, NEVER, false, LEASE_FAILED, "not begun after 3" },
		{ COMPLETION_AGENT, 3, 0, IN_TIME, false, LEASE_FAILED, "not ended after 3" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct report report = { .lease = 7, .state = WORK_ACCEPTED };
		struct reporting reporting = { .report = &report, .proof = PROOF_RIGHT,
		                               .accepted = cases[i].accepted,
		                               .came_back = cases[i].came_back, .now = NOW };
		struct lease lease = make_lease(cases[i].begun == NEVER ? LEASE_OFFERED : LEASE_BEGUN,
		                                cases[i].attempt, cases[i].begun);
		bool ends = cases[i].next != LEASE_OFFERED;
		struct verdict verdict;

		lease.completion = cases[i].completion;
		decide_report(&device, &lease, &reporting, &verdict);
		assert_int_equal(verdict.next.state, cases[i].next);
		assert_int_equal(verdict.reply.u.receipt.state, ends ? REFUSED : WORK_ACCEPTED);
		assert_int_equal(verdict.counted, !ends && !cases[i].accepted);
		assert_int_equal(verdict.warn, cases[i].next == LEASE_FAILED);
		assert_non_null(strstr(verdict.next.reason, cases[i].reason));
		assert_non_null(strstr(verdict.reply.u.receipt.reason, cases[i].reason));
		if (!ends)
			continue;
		assert_true(verdict.changed);
		assert_int_equal(verdict.next.attempt, cases[i].attempt);
		assert_int_equal(verdict.next.ended, NOW);
		reporting.proof = PROOF_WRONG;
		decide_report(&device, &lease, &reporting, &verdict);
		assert_false(verdict.changed);
	}
}

/* However many boots: no more attempts than there may be, and then the end. */
static void test_attempts_bound_boots(void **state)
{
	(void)state;
	for (uint32_t attempts = 1; attempts <= 5; attempts++) {
		struct lease lease = make_lease(LEASE_PENDING, 0, NEVER);
		struct asking asking = { .firmware = FIRMWARE_BIOS, .now = NOW };
		uint32_t boots = 0;

		lease.attempts = attempts;
		for (int boot = 0; boot < 20; boot++) {
			struct verdict verdict;

			decide_request(&device, &lease, &asking, &verdict);
			lease = verdict.next;
			if (verdict.reply.u.answer.decision == DECISION_WORK) {
				/* However many others are told of it, and never accept. */
				decide_request(&device, &lease, &asking, &verdict);
				assert_false(verdict.changed);
				accept_work(&lease, 0, &verdict);
				assert_int_equal(verdict.counted, boots < attempts);
				lease = verdict.next;
				boots += verdict.counted;
			}
			/* Every other one begins, and loses the work again. */
			if (lease.state == LEASE_OFFERED && boot % 2) {
				lease.state = LEASE_BEGUN;
				lease.begun = NOW;
			}
		}
		assert_int_equal(boots, attempts);
		assert_int_equal(lease.state, LEASE_FAILED);
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
