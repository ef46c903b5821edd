/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/platform.h"
#include "server/policy/decide.h"
#include "tests/unit/lease_sample.h"

/*
 * The rules of leases as a table: each state, asked by the same boot or a new
 * one, with attempts left or not, before or after the deadline, by each kind of
 * firmware.
 */

/* --- requests -------------------------------------------------------------- */

struct request_case {
	const char *name;
	enum lease_state state;
	uint32_t attempt;
	enum when begun;
	uint32_t accepted;       /* this boot's attempt; 0: a new boot */
	uint8_t firmware;
	/* expected: */
	uint32_t answered;       /* the attempt in the answer; 0: local boot */
	enum lease_state next;
	uint32_t next_attempt;
	bool warn;
	const char *reason;      /* a part of it */
};

#define BIOS FIRMWARE_BIOS
#define UEFI FIRMWARE_UEFI

static const struct request_case request_cases[] = {
	{ "first boot, BIOS", LEASE_PENDING, 0, NEVER, 0, BIOS,
	  1, LEASE_PENDING, 0, false, "offered" },
	{ "first boot, UEFI", LEASE_PENDING, 0, NEVER, 0, UEFI,
	  1, LEASE_PENDING, 0, false, "offered" },
	{ "unknown firmware", LEASE_PENDING, 0, NEVER, 0, 9,
	  0, LEASE_PENDING, 0, false, "no loader" },
	{ "the same boot asks again", LEASE_OFFERED, 1, NEVER, 1, BIOS,
	  1, LEASE_OFFERED, 1, false, "asked before" },
	{ "a boot before the last asks again", LEASE_OFFERED, 3, NEVER, 1, BIOS,
	  0, LEASE_OFFERED, 3, false, "a later boot has accepted" },
	{ "second boot", LEASE_OFFERED, 1, NEVER, 0, BIOS,
	  2, LEASE_OFFERED, 1, false, "offered again: not begun" },
	{ "third boot", LEASE_OFFERED, 2, NEVER, 0, UEFI,
	  3, LEASE_OFFERED, 2, false, "offered again" },
	{ "the third boot asks again", LEASE_OFFERED, 3, NEVER, 3, UEFI,
	  3, LEASE_OFFERED, 3, false, "asked before" },
	{ "fourth boot", LEASE_OFFERED, 3, NEVER, 0, BIOS,
	  4, LEASE_OFFERED, 3, false, "no attempt of 3 is left" },
	{ "begun, its boot's request comes late", LEASE_BEGUN, 1, IN_TIME, 1, BIOS,
	  1, LEASE_BEGUN, 1, false, "asked before" },
	{ "begun, and the machine rebooted", LEASE_BEGUN, 1, IN_TIME, 0, BIOS,
	  2, LEASE_BEGUN, 1, false, "offered again: begun" },
	{ "begun, rebooted a second before the deadline", LEASE_BEGUN, 1, LAST_SECOND, 0, BIOS,
	  2, LEASE_BEGUN, 1, false, "offered again" },
	{ "begun at the last attempt, rebooted", LEASE_BEGUN, 3, IN_TIME, 0, BIOS,
	  4, LEASE_BEGUN, 3, false, "no attempt of 3 is left" },
	{ "begun, deadline passed, new boot", LEASE_BEGUN, 1, OVERDUE, 0, BIOS,
	  0, LEASE_FAILED, 1, true, "before its deadline" },
	{ "begun, deadline passed, same boot", LEASE_BEGUN, 1, OVERDUE, 1, BIOS,
	  0, LEASE_FAILED, 1, true, "before its deadline" },
	{ "done, new boot", LEASE_DONE, 1, IN_TIME, 0, BIOS,
	  0, LEASE_DONE, 1, false, "is done" },
	{ "done, same boot", LEASE_DONE, 1, IN_TIME, 1, BIOS,
	  0, LEASE_DONE, 1, false, "is done" },
	{ "done, long after the deadline", LEASE_DONE, 1, OVERDUE, 0, UEFI,
	  0, LEASE_DONE, 1, false, "is done" },
	{ "failed, attempts left", LEASE_FAILED, 1, IN_TIME, 0, BIOS,
	  0, LEASE_FAILED, 1, false, "is failed" },
	{ "failed, same boot", LEASE_FAILED, 1, IN_TIME, 1, BIOS,
	  0, LEASE_FAILED, 1, false, "is failed" },
	{ "cancelled, new boot", LEASE_CANCELLED, 1, NEVER, 0, BIOS,
	  0, LEASE_CANCELLED, 1, false, "is cancelled" },
	{ "cancelled, same boot", LEASE_CANCELLED, 1, NEVER, 1, BIOS,
	  0, LEASE_CANCELLED, 1, false, "is cancelled" },
};

static void check_request(const struct request_case *c, const struct lease *lease,
                          const struct verdict *v)
{
	const struct answer *answer = &v->reply.u.answer;

	assert_int_equal(v->reply.type, MESSAGE_ANSWER);
	assert_string_equal(answer->device, "web01");
	assert_int_equal(answer->decision, c->answered ? DECISION_WORK : DECISION_LOCAL);
	assert_int_equal(answer->attempt, c->answered);
	assert_int_equal(answer->lease, c->answered ? 7 : 0);
	assert_string_equal(answer->loader, !c->answered ? "" :
	                    c->firmware == BIOS ? "pxelinux.0" : "syslinux.efi");
	assert_string_equal(answer->config, c->answered ? "z_auto.cfg" : "");
	assert_string_equal(answer->prefix, c->answered ? "boot/" : "");
	assert_int_equal(v->next.state, c->next);
	assert_int_equal(v->next.attempt, c->next_attempt);
	assert_false(v->counted);
	assert_int_equal(v->warn, c->warn);
	assert_int_equal(v->changed, memcmp(&v->next, lease, sizeof(*lease)) != 0);
	assert_non_null(strstr(v->reason, c->reason));
	if (v->changed && c->next == LEASE_FAILED) {
		assert_int_equal(v->next.ended, NOW);
		assert_non_null(strstr(v->next.reason, c->reason));
	}
}

static void test_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(request_cases); i++) {
		const struct request_case *c = &request_cases[i];
		struct lease lease = make_lease(c->state, c->attempt, c->begun);
		struct asking asking = { .firmware = c->firmware, .accepted = c->accepted,
		                         .now = NOW };
		struct verdict verdict;

		print_message("           %s\n", c->name);
		decide_request(&device, &lease, &asking, &verdict);
		check_request(c, &lease, &verdict);
	}
}

static void test_nobody_and_nothing(void **state)
{
	struct lease lease = make_lease(LEASE_PENDING, 0, NEVER);
	struct asking asking = { .firmware = BIOS, .now = NOW };
	struct verdict verdict;

	(void)state;
	decide_request(NULL, NULL, &asking, &verdict);
	assert_int_equal(verdict.reply.u.answer.decision, DECISION_LOCAL);
	assert_string_equal(verdict.reply.u.answer.device, "");
	assert_string_equal(verdict.reason, "unknown device");
	decide_request(NULL, &lease, &asking, &verdict);
	assert_int_equal(verdict.reply.u.answer.decision, DECISION_LOCAL);
	assert_false(verdict.changed);
	decide_request(&device, NULL, &asking, &verdict);
	assert_int_equal(verdict.reply.u.answer.decision, DECISION_LOCAL);
	assert_string_equal(verdict.reply.u.answer.device, "web01");
	assert_false(verdict.changed);
}

/* Work without a loader for the firmware that asks keeps its attempts. */
static void test_no_loader(void **state)
{
	struct asking asking = { .firmware = UEFI, .now = NOW };
	struct lease lease = make_lease(LEASE_OFFERED, 3, NEVER);
	struct verdict verdict;

	(void)state;
	lease.loader_uefi[0] = '\0';
	decide_request(&device, &lease, &asking, &verdict);
	assert_int_equal(verdict.reply.u.answer.decision, DECISION_LOCAL);
	assert_false(verdict.changed);
	assert_non_null(strstr(verdict.reason, "UEFI"));
	asking.firmware = BIOS;
	lease.attempt = 2;
	decide_request(&device, &lease, &asking, &verdict);
	assert_int_equal(verdict.reply.u.answer.attempt, 3);
}

/* A machine that tells no more than anybody could is given nothing, and changes nothing. */
static void test_unproven(void **state)
{
	static const struct { enum lease_state state; uint32_t attempt; enum when begun; } cases[] = {
		{ LEASE_PENDING, 0, NEVER }, { LEASE_OFFERED, 3, NEVER }, { LEASE_BEGUN, 1, OVERDUE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct lease lease = make_lease(cases[i].state, cases[i].attempt, cases[i].begun);
		struct asking asking = { .firmware = BIOS, .unproven = true, .now = NOW };
		struct verdict verdict;

		decide_request(&device, &lease, &asking, &verdict);
		assert_int_equal(verdict.reply.u.answer.decision, DECISION_LOCAL);
		assert_false(verdict.changed);
		assert_non_null(strstr(verdict.reason, "its MAC alone"));
	}
}

/* What the next boot completes, and what it does not: anybody may have sent its request. */
static void test_next_boot(void **state)
{
	static const struct {
		enum lease_state state;
		uint32_t accepted;
		bool came_back, ends;
		uint32_t answered;
	} cases[] = {
		{ LEASE_PENDING, 0, false, false, 1 },
		{ LEASE_OFFERED, 1, false, false, 1 }, /* the same boot */
		{ LEASE_OFFERED, 0, true, false, 2 },  /* the last one went to the disk */
		{ LEASE_BEGUN, 0, false, false, 2 },   /* an agent would have told */
		{ LEASE_OFFERED, 0, false, true, 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct lease lease = make_lease(cases[i].state, cases[i].state != LEASE_PENDING,
		                                cases[i].state == LEASE_BEGUN ? IN_TIME : NEVER);
		struct asking asking = { .firmware = BIOS, .accepted = cases[i].accepted,
		                         .came_back = cases[i].came_back, .now = NOW };
		struct verdict verdict;

		lease.completion = COMPLETION_NEXT_BOOT;
		decide_request(&device, &lease, &asking, &verdict);
		assert_int_equal(verdict.reply.u.answer.attempt, cases[i].answered);
		assert_int_equal(verdict.reply.u.answer.completes, COMPLETES_ELSEWHERE);
		assert_false(verdict.changed);
		assert_int_equal(verdict.ends, cases[i].ends);
		/* With the other firmware it is the next boot, too, and has nothing to fetch. */
		lease.loader_bios[0] = '\0';
		decide_request(&device, &lease, &asking, &verdict);
		assert_int_equal(verdict.reply.u.answer.decision, cases[i].ends ? DECISION_WORK
		                                                                 : DECISION_LOCAL);
		memcpy(lease.loader_bios, "pxelinux.0", 11);
		lease.completion = COMPLETION_HANDOVER;
		decide_request(&device, &lease, &asking, &verdict);
		assert_int_equal(verdict.reply.u.answer.completes, COMPLETES_HANDOVER);
	}
}

/* --- queries --------------------------------------------------------------- */

static void test_queries(void **state)
{
	static const struct {
		enum lease_state state;
		enum when begun;
		bool told, failed;
	} cases[] = {
		{ LEASE_PENDING, NEVER, false, false }, { LEASE_OFFERED, NEVER, true, false },
		{ LEASE_BEGUN, IN_TIME, true, false }, { LEASE_BEGUN, OVERDUE, false, true },
		{ LEASE_DONE, IN_TIME, false, false }, { LEASE_FAILED, IN_TIME, false, false },
		{ LEASE_CANCELLED, IN_TIME, false, false },
	};
	struct verdict verdict;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct lease lease = make_lease(cases[i].state, 2, cases[i].begun);

		decide_query(&device, &lease, PROOF_RIGHT, NOW, &verdict);
		assert_int_equal(verdict.reply.type, MESSAGE_DETAILS);
		assert_string_equal(verdict.reply.u.details.device, "web01");
		assert_int_equal(verdict.reply.u.details.lease, cases[i].told ? 7 : 0);
		assert_int_equal(verdict.reply.u.details.attempt, cases[i].told ? 2 : 0);
		assert_string_equal(verdict.reply.u.details.config,
		                    cases[i].told ? "z_auto.cfg" : "");
		assert_int_equal(verdict.changed, cases[i].failed);
		assert_int_equal(verdict.next.state, cases[i].failed ? LEASE_FAILED
		                                                      : cases[i].state);
	}
	decide_query(NULL, NULL, PROOF_RIGHT, NOW, &verdict);
	assert_int_equal(verdict.reply.u.details.lease, 0);
	decide_query(&device, NULL, PROOF_RIGHT, NOW, &verdict);
	assert_int_equal(verdict.reply.u.details.lease, 0);
}

/* --- reports --------------------------------------------------------------- */

struct report_case {
	enum lease_state state;
	enum when begun;
	uint8_t report;
	/* expected: */
	uint8_t receipt; /* its state, or REFUSED */
	enum lease_state next;
	bool changed;
	const char *reason; /* of a refusal, a part of it */
};

static const struct report_case report_cases[] = {
	{ LEASE_PENDING, NEVER, WORK_BEGUN, REFUSED, LEASE_PENDING, false, "is pending" },
	{ LEASE_PENDING, NEVER, WORK_DONE, REFUSED, LEASE_PENDING, false, "is pending" },
	{ LEASE_PENDING, NEVER, WORK_FAILED, REFUSED, LEASE_PENDING, false, "is pending" },
	{ LEASE_OFFERED, NEVER, WORK_BEGUN, WORK_BEGUN, LEASE_BEGUN, true, "" },
	{ LEASE_OFFERED, NEVER, WORK_DONE, WORK_DONE, LEASE_DONE, true, "" },
	{ LEASE_OFFERED, NEVER, WORK_FAILED, WORK_FAILED, LEASE_FAILED, true, "" },
	{ LEASE_BEGUN, IN_TIME, WORK_BEGUN, WORK_BEGUN, LEASE_BEGUN, false, "" },
	{ LEASE_BEGUN, IN_TIME, WORK_DONE, WORK_DONE, LEASE_DONE, true, "" },
	{ LEASE_BEGUN, LAST_SECOND, WORK_DONE, WORK_DONE, LEASE_DONE, true, "" },
	{ LEASE_BEGUN, IN_TIME, WORK_FAILED, WORK_FAILED, LEASE_FAILED, true, "" },
	{ LEASE_BEGUN, OVERDUE, WORK_BEGUN, REFUSED, LEASE_FAILED, true, "deadline" },
	{ LEASE_BEGUN, OVERDUE, WORK_DONE, WORK_DONE, LEASE_DONE, true, "" },
	{ LEASE_BEGUN, OVERDUE, WORK_FAILED, WORK_FAILED, LEASE_FAILED, true, "" },
	{ LEASE_DONE, IN_TIME, WORK_DONE, WORK_DONE, LEASE_DONE, false, "" },
	{ LEASE_DONE, IN_TIME, WORK_BEGUN, REFUSED, LEASE_DONE, false, "is done" },
	{ LEASE_DONE, IN_TIME, WORK_FAILED, REFUSED, LEASE_DONE, false, "is done" },
	{ LEASE_FAILED, IN_TIME, WORK_FAILED, WORK_FAILED, LEASE_FAILED, false, "" },
	{ LEASE_FAILED, IN_TIME, WORK_BEGUN, REFUSED, LEASE_FAILED, false, "is failed" },
	{ LEASE_FAILED, IN_TIME, WORK_DONE, REFUSED, LEASE_FAILED, false, "is failed" },
	{ LEASE_CANCELLED, NEVER, WORK_BEGUN, REFUSED, LEASE_CANCELLED, false, "is cancelled" },
	{ LEASE_CANCELLED, NEVER, WORK_DONE, REFUSED, LEASE_CANCELLED, false, "is cancelled" },
	{ LEASE_CANCELLED, NEVER, WORK_FAILED, REFUSED, LEASE_CANCELLED, false, "is cancelled" },
};

static void test_reports(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(report_cases); i++) {
		const struct report_case *c = &report_cases[i];
		struct lease lease = make_lease(c->state, 1, c->begun);
		struct report report = { .lease = 7, .state = c->report, .reason = "disk full" };
		struct reporting reporting = { .report = &report, .proof = PROOF_RIGHT,
		                               .now = NOW };
		struct verdict verdict;

		print_message("           %s: report %u\n", lease_state_name(c->state), c->report);
		decide_report(&device, &lease, &reporting, &verdict);
		assert_int_equal(verdict.reply.type, MESSAGE_RECEIPT);
		assert_int_equal(verdict.reply.u.receipt.lease, 7);
		assert_int_equal(verdict.reply.u.receipt.state, c->receipt);
		assert_int_equal(verdict.next.state, c->next);
		assert_int_equal(verdict.changed, c->changed);
		assert_int_equal(verdict.warn, c->changed && c->next == LEASE_FAILED);
		if (c->receipt == REFUSED)
			assert_non_null(strstr(verdict.reply.u.receipt.reason, c->reason));
		else
			assert_string_equal(verdict.reply.u.receipt.reason, "");
		if (c->changed && c->receipt == WORK_BEGUN)
			assert_int_equal(verdict.next.begun, NOW);
		if (c->changed && c->receipt == WORK_FAILED && c->begun != OVERDUE)
			assert_string_equal(verdict.next.reason, "disk full");
	}
}

static void test_reports_of_others(void **state)
{
	struct lease lease = make_lease(LEASE_OFFERED, 1, NEVER);
	struct report report = { .lease = 7, .state = WORK_DONE };
	struct reporting reporting = { .report = &report, .proof = PROOF_RIGHT, .now = NOW };
	static const struct lease none;
	struct device other = { .id = 6, .name = "db01" };
	struct verdict verdict;

	(void)state;
	decide_report(&other, &lease, &reporting, &verdict);
	assert_int_equal(verdict.reply.u.receipt.state, REFUSED);
	assert_string_equal(verdict.reply.u.receipt.reason, "the lease is another device's");
	assert_false(verdict.changed);
	assert_memory_equal(&verdict.next, &none, sizeof(none)); /* nor is it told of */
	decide_report(NULL, &lease, &reporting, &verdict);
	assert_int_equal(verdict.reply.u.receipt.state, REFUSED);
	assert_false(verdict.changed);
	decide_report(&device, NULL, &reporting, &verdict);
	assert_int_equal(verdict.reply.u.receipt.state, REFUSED);
	assert_int_equal(verdict.reply.u.receipt.lease, 7);
	assert_string_equal(verdict.reply.u.receipt.reason, "there is no such lease");
}

/* What the server gave up for want of news is done if the machine says so, and only then. */
static void test_done_after_all(void **state)
{
	struct report report = { .lease = 7, .state = WORK_DONE };
	struct reporting reporting = { .report = &report, .proof = PROOF_RIGHT, .now = NOW };
	struct lease lease = make_lease(LEASE_OFFERED, 3, NEVER), failed;
	struct verdict verdict;

	(void)state;
	report.state = WORK_ACCEPTED;
	decide_report(&device, &lease, &reporting, &verdict);
	failed = verdict.next;
	assert_int_equal(failed.state, LEASE_FAILED);
	assert_true(failed.given_up);
	report.state = WORK_DONE;
	reporting.superseded = true;
	decide_report(&device, &failed, &reporting, &verdict);
	assert_int_equal(verdict.reply.u.receipt.state, REFUSED);
	reporting.superseded = false;
	report.state = WORK_BEGUN;
	decide_report(&device, &failed, &reporting, &verdict);
	assert_int_equal(verdict.reply.u.receipt.state, REFUSED);
	report.state = WORK_DONE;
	decide_report(&device, &failed, &reporting, &verdict);
	assert_int_equal(verdict.reply.u.receipt.state, WORK_DONE);
	assert_int_equal(verdict.next.state, LEASE_DONE);
	assert_string_equal(verdict.next.reason, "");
	assert_false(verdict.next.given_up);
	assert_false(verdict.warn);
	/* Not what the machine itself called failed, nor what the administrator cancelled. */
	failed.given_up = false;
	decide_report(&device, &failed, &reporting, &verdict);
	assert_int_equal(verdict.reply.u.receipt.state, REFUSED);
	failed.state = LEASE_CANCELLED;
	failed.given_up = true;
	decide_report(&device, &failed, &reporting, &verdict);
	assert_int_equal(verdict.reply.u.receipt.state, REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_nobody_and_nothing),
		cmocka_unit_test(test_no_loader),
		cmocka_unit_test(test_unproven),
		cmocka_unit_test(test_next_boot),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_reports_of_others),
		cmocka_unit_test(test_done_after_all),
	};

	return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
