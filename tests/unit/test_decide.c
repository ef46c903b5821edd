/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/platform.h"
#include "server/policy/decide.h"
#include "tests/unit/job_sample.h"

/*
 * The rules of jobs as a table: each state, asked by the same boot or a new
 * one, with attempts left or not, before or after the deadline, by each kind of
 * firmware.
 */

/* --- requests -------------------------------------------------------------- */

/* Those of make_job(). */
static const char *const job_loaders[] = {
	[LOADER_BIOS] = "pxelinux.0", [LOADER_UEFI] = "syslinux.efi",
	[LOADER_UEFI_ARM64] = "grubnetaa64.efi",
};

struct request_case {
	const char *name;
	enum job_state state;
	uint32_t attempt;
	enum when begun;
	uint32_t accepted;       /* this boot's attempt; 0: a new boot */
	enum loader_kind loader;
	/* expected: */
	uint32_t answered;       /* the attempt in the answer; 0: local boot */
	enum job_state next;
	uint32_t next_attempt;
	bool warn;
	const char *reason;      /* a part of it */
};

#define BIOS LOADER_BIOS
#define UEFI LOADER_UEFI

static const struct request_case request_cases[] = {
	{ "first boot, BIOS", JOB_PENDING, 0, NEVER, 0, BIOS,
	  1, JOB_PENDING, 0, false, "offered" },
	{ "first boot, UEFI", JOB_PENDING, 0, NEVER, 0, UEFI,
	  1, JOB_PENDING, 0, false, "offered" },
	{ "first boot, ARM64", JOB_PENDING, 0, NEVER, 0, LOADER_UEFI_ARM64,
	  1, JOB_PENDING, 0, false, "offered" },
	{ "first boot, IA32", JOB_PENDING, 0, NEVER, 0, LOADER_UEFI_IA32,
	  0, JOB_PENDING, 0, false, "no loader for IA32 UEFI firmware" },
	{ "unknown firmware", JOB_PENDING, 0, NEVER, 0, LOADERS,
	  0, JOB_PENDING, 0, false, "no loader" },
	{ "the same boot asks again", JOB_OFFERED, 1, NEVER, 1, BIOS,
	  1, JOB_OFFERED, 1, false, "asked before" },
	{ "a boot before the last asks again", JOB_OFFERED, 3, NEVER, 1, BIOS,
	  0, JOB_OFFERED, 3, false, "a later boot has accepted" },
	{ "second boot", JOB_OFFERED, 1, NEVER, 0, BIOS,
	  2, JOB_OFFERED, 1, false, "offered again: not begun" },
	{ "third boot", JOB_OFFERED, 2, NEVER, 0, UEFI,
	  3, JOB_OFFERED, 2, false, "offered again" },
	{ "the third boot asks again", JOB_OFFERED, 3, NEVER, 3, UEFI,
	  3, JOB_OFFERED, 3, false, "asked before" },
	{ "fourth boot", JOB_OFFERED, 3, NEVER, 0, BIOS,
	  4, JOB_OFFERED, 3, false, "no attempt of 3 is left" },
	{ "begun, its boot's request comes late", JOB_BEGUN, 1, IN_TIME, 1, BIOS,
	  1, JOB_BEGUN, 1, false, "asked before" },
	{ "begun, and the machine rebooted", JOB_BEGUN, 1, IN_TIME, 0, BIOS,
	  2, JOB_BEGUN, 1, false, "offered again: begun" },
	{ "begun, rebooted a second before the deadline", JOB_BEGUN, 1, LAST_SECOND, 0, BIOS,
	  2, JOB_BEGUN, 1, false, "offered again" },
	{ "begun at the last attempt, rebooted", JOB_BEGUN, 3, IN_TIME, 0, BIOS,
	  4, JOB_BEGUN, 3, false, "no attempt of 3 is left" },
	{ "begun, deadline passed, new boot", JOB_BEGUN, 1, OVERDUE, 0, BIOS,
	  0, JOB_FAILED, 1, true, "before its deadline" },
	{ "begun, deadline passed, same boot", JOB_BEGUN, 1, OVERDUE, 1, BIOS,
	  0, JOB_FAILED, 1, true, "before its deadline" },
	{ "done, new boot", JOB_DONE, 1, IN_TIME, 0, BIOS,
	  0, JOB_DONE, 1, false, "is done" },
	{ "done, same boot", JOB_DONE, 1, IN_TIME, 1, BIOS,
	  0, JOB_DONE, 1, false, "is done" },
	{ "done, long after the deadline", JOB_DONE, 1, OVERDUE, 0, UEFI,
	  0, JOB_DONE, 1, false, "is done" },
	{ "failed, attempts left", JOB_FAILED, 1, IN_TIME, 0, BIOS,
	  0, JOB_FAILED, 1, false, "has failed" },
	{ "failed, same boot", JOB_FAILED, 1, IN_TIME, 1, BIOS,
	  0, JOB_FAILED, 1, false, "has failed" },
	{ "cancelled, new boot", JOB_CANCELLED, 1, NEVER, 0, BIOS,
	  0, JOB_CANCELLED, 1, false, "was cancelled" },
	{ "cancelled, same boot", JOB_CANCELLED, 1, NEVER, 1, BIOS,
	  0, JOB_CANCELLED, 1, false, "was cancelled" },
};

static void check_request(const struct request_case *c, const struct job *job,
                          const struct decision *v)
{
	const struct answer *answer = &v->reply.u.answer;

	assert_int_equal(v->reply.type, MESSAGE_ANSWER);
	assert_string_equal(answer->device, "web01");
	assert_int_equal(answer->decision, c->answered ? DECISION_JOB : DECISION_LOCAL);
	assert_int_equal(answer->attempt, c->answered);
	assert_int_equal(answer->job, c->answered ? 7 : 0);
	assert_string_equal(answer->loader, c->answered ? job_loaders[c->loader] : "");
	assert_string_equal(answer->config, c->answered ? "z_auto.cfg" : "");
	assert_string_equal(answer->prefix, c->answered ? "boot/" : "");
	assert_int_equal(v->next.state, c->next);
	assert_int_equal(v->next.attempt, c->next_attempt);
	assert_false(v->counted);
	assert_int_equal(v->warn, c->warn);
	assert_int_equal(v->changed, memcmp(&v->next, job, sizeof(*job)) != 0);
	assert_non_null(strstr(v->reason, c->reason));
	if (v->changed && c->next == JOB_FAILED) {
		assert_int_equal(v->next.ended, NOW);
		assert_non_null(strstr(v->next.reason, c->reason));
	}
}

static void test_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(request_cases); i++) {
		const struct request_case *c = &request_cases[i];
		struct job job = make_job(c->state, c->attempt, c->begun);
		struct request_facts facts = { .loader = c->loader, .accepted = c->accepted,
		                         .now = NOW };
		struct decision decision;

		print_message("           %s\n", c->name);
		decide_request(&device, &job, &facts, &decision);
		check_request(c, &job, &decision);
	}
}

static void test_nobody_and_nothing(void **state)
{
	struct job job = make_job(JOB_PENDING, 0, NEVER);
	struct request_facts facts = { .loader = BIOS, .now = NOW };
	struct decision decision;

	(void)state;
	decide_request(NULL, NULL, &facts, &decision);
	assert_int_equal(decision.reply.u.answer.decision, DECISION_LOCAL);
	assert_string_equal(decision.reply.u.answer.device, "");
	assert_string_equal(decision.reason, "unknown device");
	decide_request(NULL, &job, &facts, &decision);
	assert_int_equal(decision.reply.u.answer.decision, DECISION_LOCAL);
	assert_false(decision.changed);
	decide_request(&device, NULL, &facts, &decision);
	assert_int_equal(decision.reply.u.answer.decision, DECISION_LOCAL);
	assert_string_equal(decision.reply.u.answer.device, "web01");
	assert_false(decision.changed);
}

/* A job without a loader for the firmware that asks keeps its attempts. */
static void test_no_loader(void **state)
{
	struct request_facts facts = { .loader = UEFI, .now = NOW };
	struct job job = make_job(JOB_OFFERED, 3, NEVER);
	struct decision decision;

	(void)state;
	job.loaders.of[UEFI][0] = '\0';
	decide_request(&device, &job, &facts, &decision);
	assert_int_equal(decision.reply.u.answer.decision, DECISION_LOCAL);
	assert_false(decision.changed);
	assert_non_null(strstr(decision.reason, "UEFI"));
	facts.loader = BIOS;
	job.attempt = 2;
	decide_request(&device, &job, &facts, &decision);
	assert_int_equal(decision.reply.u.answer.attempt, 3);
}

/* A machine that reports no more than anybody could is given nothing, and changes nothing. */
static void test_unproven(void **state)
{
	static const struct { enum job_state state; uint32_t attempt; enum when begun; } cases[] = {
		{ JOB_PENDING, 0, NEVER }, { JOB_OFFERED, 3, NEVER }, { JOB_BEGUN, 1, OVERDUE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct job job = make_job(cases[i].state, cases[i].attempt, cases[i].begun);
		struct request_facts facts = { .loader = BIOS, .unproven = true, .now = NOW };
		struct decision decision;

		decide_request(&device, &job, &facts, &decision);
		assert_int_equal(decision.reply.u.answer.decision, DECISION_LOCAL);
		assert_false(decision.changed);
		assert_non_null(strstr(decision.reason, "its MAC alone"));
	}
}

/* What the next boot completes, and what it does not: anybody may have sent its request. */
static void test_next_boot(void **state)
{
	static const struct {
		enum job_state state;
		uint32_t accepted;
		bool came_back, ends;
		uint32_t answered;
	} cases[] = {
		{ JOB_PENDING, 0, false, false, 1 },
		{ JOB_OFFERED, 1, false, false, 1 }, /* the same boot */
		{ JOB_OFFERED, 0, true, false, 2 },  /* the last one went to the disk */
		{ JOB_BEGUN, 0, false, false, 2 },   /* an agent would have reported */
		{ JOB_OFFERED, 0, false, true, 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct job job = make_job(cases[i].state, cases[i].state != JOB_PENDING,
		                                cases[i].state == JOB_BEGUN ? IN_TIME : NEVER);
		struct request_facts facts = { .loader = BIOS, .accepted = cases[i].accepted,
		                         .came_back = cases[i].came_back, .now = NOW };
		struct decision decision;

		job.completion = COMPLETION_NEXT_BOOT;
		decide_request(&device, &job, &facts, &decision);
		assert_int_equal(decision.reply.u.answer.attempt, cases[i].answered);
		assert_int_equal(decision.reply.u.answer.completes, COMPLETES_ELSEWHERE);
		assert_false(decision.changed);
		assert_int_equal(decision.ends, cases[i].ends);
		/* With the other firmware it is the next boot, too, and has nothing to fetch. */
		job.loaders.of[BIOS][0] = '\0';
		decide_request(&device, &job, &facts, &decision);
		assert_int_equal(decision.reply.u.answer.decision, cases[i].ends ? DECISION_JOB
		                                                                 : DECISION_LOCAL);
		memcpy(job.loaders.of[BIOS], "pxelinux.0", 11);
		job.completion = COMPLETION_HANDOVER;
		decide_request(&device, &job, &facts, &decision);
		assert_int_equal(decision.reply.u.answer.completes, COMPLETES_HANDOVER);
	}
}

/* --- queries --------------------------------------------------------------- */

static void test_queries(void **state)
{
	static const struct {
		enum job_state state;
		enum when begun;
		bool answered, failed;
	} cases[] = {
		{ JOB_PENDING, NEVER, false, false }, { JOB_OFFERED, NEVER, true, false },
		{ JOB_BEGUN, IN_TIME, true, false }, { JOB_BEGUN, OVERDUE, false, true },
		{ JOB_DONE, IN_TIME, false, false }, { JOB_FAILED, IN_TIME, false, false },
		{ JOB_CANCELLED, IN_TIME, false, false },
	};
	struct decision decision;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct job job = make_job(cases[i].state, 2, cases[i].begun);

		decide_query(&device, &job, PROOF_RIGHT, NOW, &decision);
		assert_int_equal(decision.reply.type, MESSAGE_DETAILS);
		assert_string_equal(decision.reply.u.details.device, "web01");
		assert_int_equal(decision.reply.u.details.job, cases[i].answered ? 7 : 0);
		assert_int_equal(decision.reply.u.details.attempt, cases[i].answered ? 2 : 0);
		assert_string_equal(decision.reply.u.details.config,
		                    cases[i].answered ? "z_auto.cfg" : "");
		assert_int_equal(decision.changed, cases[i].failed);
		assert_int_equal(decision.next.state, cases[i].failed ? JOB_FAILED
		                                                      : cases[i].state);
	}
	decide_query(NULL, NULL, PROOF_RIGHT, NOW, &decision);
	assert_int_equal(decision.reply.u.details.job, 0);
	decide_query(&device, NULL, PROOF_RIGHT, NOW, &decision);
	assert_int_equal(decision.reply.u.details.job, 0);
}

/* --- reports --------------------------------------------------------------- */

struct report_case {
	enum job_state state;
	enum when begun;
	uint8_t report;
	/* expected: */
	uint8_t receipt; /* its state, or REFUSED */
	enum job_state next;
	bool changed;
	const char *reason; /* of a refusal, a part of it */
};

static const struct report_case report_cases[] = {
	{ JOB_PENDING, NEVER, REPORT_BEGUN, REFUSED, JOB_PENDING, false, "is pending" },
	{ JOB_PENDING, NEVER, REPORT_DONE, REFUSED, JOB_PENDING, false, "is pending" },
	{ JOB_PENDING, NEVER, REPORT_FAILED, REFUSED, JOB_PENDING, false, "is pending" },
	{ JOB_OFFERED, NEVER, REPORT_BEGUN, REPORT_BEGUN, JOB_BEGUN, true, "" },
	{ JOB_OFFERED, NEVER, REPORT_DONE, REPORT_DONE, JOB_DONE, true, "" },
	{ JOB_OFFERED, NEVER, REPORT_FAILED, REPORT_FAILED, JOB_FAILED, true, "" },
	{ JOB_BEGUN, IN_TIME, REPORT_BEGUN, REPORT_BEGUN, JOB_BEGUN, false, "" },
	{ JOB_BEGUN, IN_TIME, REPORT_DONE, REPORT_DONE, JOB_DONE, true, "" },
	{ JOB_BEGUN, LAST_SECOND, REPORT_DONE, REPORT_DONE, JOB_DONE, true, "" },
	{ JOB_BEGUN, IN_TIME, REPORT_FAILED, REPORT_FAILED, JOB_FAILED, true, "" },
	{ JOB_BEGUN, OVERDUE, REPORT_BEGUN, REFUSED, JOB_FAILED, true, "deadline" },
	{ JOB_BEGUN, OVERDUE, REPORT_DONE, REPORT_DONE, JOB_DONE, true, "" },
	{ JOB_BEGUN, OVERDUE, REPORT_FAILED, REPORT_FAILED, JOB_FAILED, true, "" },
	{ JOB_DONE, IN_TIME, REPORT_DONE, REPORT_DONE, JOB_DONE, false, "" },
	{ JOB_DONE, IN_TIME, REPORT_BEGUN, REFUSED, JOB_DONE, false, "is done" },
	{ JOB_DONE, IN_TIME, REPORT_FAILED, REFUSED, JOB_DONE, false, "is done" },
	{ JOB_FAILED, IN_TIME, REPORT_FAILED, REPORT_FAILED, JOB_FAILED, false, "" },
	{ JOB_FAILED, IN_TIME, REPORT_BEGUN, REFUSED, JOB_FAILED, false, "has failed" },
	{ JOB_FAILED, IN_TIME, REPORT_DONE, REFUSED, JOB_FAILED, false, "has failed" },
	{ JOB_CANCELLED, NEVER, REPORT_BEGUN, REFUSED, JOB_CANCELLED, false, "was cancelled" },
	{ JOB_CANCELLED, NEVER, REPORT_DONE, REFUSED, JOB_CANCELLED, false, "was cancelled" },
	{ JOB_CANCELLED, NEVER, REPORT_FAILED, REFUSED, JOB_CANCELLED, false, "was cancelled" },
};

static void test_reports(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(report_cases); i++) {
		const struct report_case *c = &report_cases[i];
		struct job job = make_job(c->state, 1, c->begun);
		struct report report = { .job = 7, .state = c->report, .reason = "disk full" };
		struct report_facts facts = { .report = &report, .proof = PROOF_RIGHT,
		                               .now = NOW };
		struct decision decision;

		print_message("           %s: report %u\n", job_state_name(c->state), c->report);
		decide_report(&device, &job, &facts, &decision);
		assert_int_equal(decision.reply.type, MESSAGE_RECEIPT);
		assert_int_equal(decision.reply.u.receipt.job, 7);
		assert_int_equal(decision.reply.u.receipt.state, c->receipt);
		assert_int_equal(decision.next.state, c->next);
		assert_int_equal(decision.changed, c->changed);
		assert_int_equal(decision.warn, c->changed && c->next == JOB_FAILED);
		if (c->receipt == REFUSED)
			assert_non_null(strstr(decision.reply.u.receipt.reason, c->reason));
		else
			assert_string_equal(decision.reply.u.receipt.reason, "");
		if (c->changed && c->receipt == REPORT_BEGUN)
			assert_int_equal(decision.next.begun, NOW);
		if (c->changed && c->receipt == REPORT_FAILED && c->begun != OVERDUE)
			assert_string_equal(decision.next.reason, "disk full");
	}
}

static void test_reports_of_others(void **state)
{
	struct job job = make_job(JOB_OFFERED, 1, NEVER);
	struct report report = { .job = 7, .state = REPORT_DONE };
	struct report_facts facts = { .report = &report, .proof = PROOF_RIGHT, .now = NOW };
	static const struct job none;
	struct device other = { .id = 6, .name = "db01" };
	struct decision decision;

	(void)state;
	decide_report(&other, &job, &facts, &decision);
	assert_int_equal(decision.reply.u.receipt.state, REFUSED);
	assert_string_equal(decision.reply.u.receipt.reason, "the job is another device's");
	assert_false(decision.changed);
	assert_memory_equal(&decision.next, &none, sizeof(none)); /* nor is it reported */
	decide_report(NULL, &job, &facts, &decision);
	assert_int_equal(decision.reply.u.receipt.state, REFUSED);
	assert_false(decision.changed);
	decide_report(&device, NULL, &facts, &decision);
	assert_int_equal(decision.reply.u.receipt.state, REFUSED);
	assert_int_equal(decision.reply.u.receipt.job, 7);
	assert_string_equal(decision.reply.u.receipt.reason, "there is no such job");
}

/* What the server gave up for want of news is done if the machine says so, and only then. */
static void test_done_after_all(void **state)
{
	struct report report = { .job = 7, .state = REPORT_DONE };
	struct report_facts facts = { .report = &report, .proof = PROOF_RIGHT, .now = NOW };
	struct job job = make_job(JOB_OFFERED, 3, NEVER), failed;
	struct decision decision;

	(void)state;
	report.state = REPORT_ACCEPTED;
	decide_report(&device, &job, &facts, &decision);
	failed = decision.next;
	assert_int_equal(failed.state, JOB_FAILED);
	assert_true(failed.given_up);
	report.state = REPORT_DONE;
	facts.superseded = true;
	decide_report(&device, &failed, &facts, &decision);
	assert_int_equal(decision.reply.u.receipt.state, REFUSED);
	facts.superseded = false;
	report.state = REPORT_BEGUN;
	decide_report(&device, &failed, &facts, &decision);
	assert_int_equal(decision.reply.u.receipt.state, REFUSED);
	report.state = REPORT_DONE;
	decide_report(&device, &failed, &facts, &decision);
	assert_int_equal(decision.reply.u.receipt.state, REPORT_DONE);
	assert_int_equal(decision.next.state, JOB_DONE);
	assert_string_equal(decision.next.reason, "");
	assert_false(decision.next.given_up);
	assert_false(decision.warn);
	/* Not what the machine itself called failed, nor what the administrator cancelled. */
	failed.given_up = false;
	decide_report(&device, &failed, &facts, &decision);
	assert_int_equal(decision.reply.u.receipt.state, REFUSED);
	failed.state = JOB_CANCELLED;
	failed.given_up = true;
	decide_report(&device, &failed, &facts, &decision);
	assert_int_equal(decision.reply.u.receipt.state, REFUSED);
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
