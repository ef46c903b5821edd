/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/policy/decide.h"

#include <string.h>

#include "nbp/proto/message.h"
#include "nbp/proto/text.h"

static void begin(struct decision *decision, const struct job *job, enum message_type type)
{
	memset(decision, 0, sizeof(*decision));
	decision->reply.type = (uint8_t)type;
	if (job)
		decision->next = *job;
}

#define because(decision, ...) \
	text_format((decision)->reason, sizeof((decision)->reason), __VA_ARGS__)

/* Says what state a job is in, as the end of a sentence. */
static const char *state_phrase(enum job_state state)
{
	static const char *const phrases[] = {
		[JOB_PENDING] = "is pending", [JOB_OFFERED] = "is offered",
		[JOB_BEGUN] = "is begun", [JOB_DONE] = "is done", [JOB_FAILED] = "has failed",
		[JOB_CANCELLED] = "was cancelled",
	};

	return phrases[state];
}

/* The end of a job that the server itself decides on. */
static void fail(struct decision *decision, int64_t now, const char *reason)
{
	job_end(&decision->next, JOB_FAILED, now, reason);
	decision->next.given_up = true;
	decision->changed = true;
	decision->warn = true;
	because(decision, "job failed: %s", reason);
}

void decide_overdue(const struct job *job, int64_t now, struct decision *decision)
{
	memset(decision, 0, sizeof(*decision));
	decision->next = *job;
	fail(decision, now, OVERDUE_REASON);
}

/* --- a request ------------------------------------------------------------- */

static const char *loader_for(const struct job *job, enum loader_kind kind)
{
	return kind == LOADERS ? "" : job->loaders.of[kind];
}

static void give_job(struct decision *decision, const struct job *job, uint32_t attempt,
                      const char *loader)
{
	struct answer *answer = &decision->reply.u.answer;

	answer->decision = DECISION_JOB;
	answer->completes = job->completion == COMPLETION_HANDOVER ? COMPLETES_HANDOVER
	                                                             : COMPLETES_ELSEWHERE;
	answer->job = job->number;
	answer->attempt = (uint8_t)attempt;
	text_format(answer->loader, sizeof(answer->loader), "%s", loader);
	text_format(answer->config, sizeof(answer->config), "%s", job->config);
	text_format(answer->prefix, sizeof(answer->prefix), "%s", job->prefix);
}

/*
 * Work that the machine's next boot completes: not what an agent has begun, as that reports
 * its end, nor if the machine went to its disk instead.
 */
static bool is_complete(const struct job *job, bool came_back)
{
	return job->completion == COMPLETION_NEXT_BOOT && job->state == JOB_OFFERED &&
	       !came_back;
}

/* Says whether another boot that accepts @job ends it: as done, or as no attempt is left. */
static bool is_over(const struct job *job, bool came_back)
{
	return is_complete(job, came_back) || job->attempt >= job->attempts;
}

/* Ends what is over. */
static void end(struct decision *decision, bool came_back, int64_t now)
{
	struct job *next = &decision->next;
	char reason[REASON_SIZE];

	if (is_complete(next, came_back)) {
		job_end(next, JOB_DONE, now, "the machine booted again");
		decision->changed = true;
		because(decision, "job done: the machine booted again");
		return;
	}
	text_format(reason, sizeof(reason), "not %s after %u %s",
	            next->state == JOB_BEGUN ? "ended" : "begun", next->attempts,
	            next->attempts == 1 ? "attempt" : "attempts");
	fail(decision, now, reason);
}

/* Offers another boot a job that is over, so that it shows with the token that it is one. The
 * loader is not fetched, but an answer has one. */
static void offer_end(struct decision *decision, const struct job *job, bool came_back,
                      const char *loader)
{
	if (is_complete(job, came_back))
		because(decision, "the machine booted again: accepted once more, it is done");
	else
		because(decision, "no attempt of %u is left: accepted once more, it fails",
		        job->attempts);
	give_job(decision, job, job->attempt + 1, loader);
	decision->ends = true;
}

static void offer(struct decision *decision, const struct job *job, const char *loader)
{
	if (job->state == JOB_PENDING)
		because(decision, "offered");
	else
		because(decision, "offered again: %s", job->state == JOB_BEGUN
		        ? "begun, but the machine rebooted before the end"
		        : "not begun at the last attempt");
	give_job(decision, job, job->attempt + 1, loader);
}

void decide_request(const struct device *device, const struct job *job,
                    const struct request_facts *facts, struct decision *decision)
{
	struct answer *answer = &decision->reply.u.answer;
	const char *loader;

	begin(decision, job, MESSAGE_ANSWER);
	answer->decision = DECISION_LOCAL;
	if (!device) {
		because(decision, "unknown device");
		return;
	}
	text_format(answer->device, sizeof(answer->device), "%s", device->name);
	if (!job) {
		because(decision, "no job");
		return;
	}
	if (!job_is_open(job->state)) {
		because(decision, "no job: the last one %s", state_phrase(job->state));
		return;
	}
	if (facts->unproven) {
		because(decision, "it reports no UUID, and its MAC alone is not enough for a job");
		return;
	}
	if (job_is_overdue(job, facts->now)) {
		fail(decision, facts->now, OVERDUE_REASON);
		return;
	}
	loader = loader_for(job, facts->loader);
	/* An installer may leave the machine to boot with the other firmware. */
	if (!loader[0] && !facts->accepted && is_complete(job, facts->came_back))
		loader = loader_for(job, loader_first(&job->loaders));
	if (!loader[0]) {
		because(decision, "the job has no loader for %s firmware",
		        loader_machines(facts->loader));
		return;
	}
	if (facts->accepted && facts->accepted != job->attempt) {
		because(decision, "a later boot has accepted the job since");
		return;
	}
	if (facts->accepted) {
		because(decision, "the same boot asked before");
		give_job(decision, job, facts->accepted, loader);
		return;
	}
	if (is_over(job, facts->came_back))
		offer_end(decision, job, facts->came_back, loader);
	else
		offer(decision, job, loader);
}

/* --- the agent's questions ------------------------------------------------- */

static const char *proof_reason(enum proof proof)
{
	return proof == PROOF_NONE ? "no token, so anybody could have sent it"
	                           : "its token is not that of the boot that has the job";
}

void decide_query(const struct device *device, const struct job *job, enum proof proof,
                  int64_t now, struct decision *decision)
{
	struct details *details = &decision->reply.u.details;

	begin(decision, job, MESSAGE_DETAILS);
	details->decision = DECISION_LOCAL;
	if (!device) {
		because(decision, "unknown device");
		return;
	}
	text_format(details->device, sizeof(details->device), "%s", device->name);
	if (!job) {
		because(decision, "no job");
		return;
	}
	if (job_is_overdue(job, now)) {
		fail(decision, now, OVERDUE_REASON);
		return;
	}
	if (job->state != JOB_OFFERED && job->state != JOB_BEGUN) {
		because(decision, "no job on offer: it %s", state_phrase(job->state));
		return;
	}
	if (proof != PROOF_RIGHT) {
		because(decision, "no details: %s", proof_reason(proof));
		return;
	}
	because(decision, "its job %s", state_phrase(job->state));
	details->decision = DECISION_JOB;
	details->job = job->number;
	details->attempt = (uint8_t)job->attempt;
	text_format(details->config, sizeof(details->config), "%s", job->config);
}

static void refuse(struct decision *decision, const char *reason)
{
	text_format(decision->reply.u.receipt.reason, sizeof(decision->reply.u.receipt.reason),
	            "%s",
	            reason);
	because(decision, "refused: %s", reason);
}

/* A boot goes on with what it was offered. */
static void count_attempt(struct job *next, int64_t now)
{
	next->state = JOB_OFFERED;
	next->attempt++;
	next->offered = now;
	next->begun = 0;
}

/* Another boot accepts what is over: it has shown that it is one, and goes to its disk. */
static void take_end(struct decision *decision, const struct report_facts *r)
{
	struct receipt *receipt = &decision->reply.u.receipt;

	end(decision, r->came_back, r->now);
	text_format(receipt->reason, sizeof(receipt->reason), "%s", decision->reason);
}

static void apply_report(struct decision *decision, const struct report *report, int64_t now)
{
	struct job *next = &decision->next;

	switch (report->state) {
	case REPORT_ACCEPTED:
		count_attempt(next, now);
		decision->counted = true;
		break;
	case REPORT_BEGUN:
		next->state = JOB_BEGUN;
		next->begun = now;
		break;
	case REPORT_DONE:
		job_end(next, JOB_DONE, now, "");
		next->given_up = false;
		decision->warn = false;
		break;
	default:
		job_end(next, JOB_FAILED, now,
		          report->reason[0] ? report->reason : "reported without a reason");
		decision->warn = true;
	}
	decision->changed = true;
	decision->reply.u.receipt.state = report->state;
	because(decision, "job %s%s%s", state_phrase(next->state),
	        next->reason[0] ? ": " : "", next->reason);
}

/* Says whether @job is already what @r wants it to be. */
static bool repeats(const struct job *job, const struct report_facts *r)
{
	switch (r->report->state) {
	case REPORT_ACCEPTED:
		return r->accepted && (job->state == JOB_OFFERED || job->state == JOB_BEGUN);
	case REPORT_BEGUN: return job->state == JOB_BEGUN;
	case REPORT_DONE: return job->state == JOB_DONE;
	default: return job->state == JOB_FAILED;
	}
}

/* Says whether @job can become what @r wants it to be. */
static bool fits(const struct job *job, const struct report_facts *r)
{
	if (r->report->state == REPORT_ACCEPTED)
		return job_is_open(job->state) && !r->accepted && !is_over(job, r->came_back);
	/* The machine knows better than a clock, or a boot that had no attempt left. */
	if (r->report->state == REPORT_DONE && job->state == JOB_FAILED)
		return job->given_up && !r->superseded;
	return job->state == JOB_OFFERED || job->state == JOB_BEGUN;
}

/* Says whether what @r accepts is over. */
static bool ends(const struct job *job, const struct report_facts *r)
{
	return r->report->state == REPORT_ACCEPTED && job_is_open(job->state) && !r->accepted &&
	       is_over(job, r->came_back);
}

void decide_report(const struct device *device, const struct job *job,
                   const struct report_facts *facts, struct decision *decision)
{
	const struct report *report = facts->report;
	int64_t now = facts->now;
	char reason[REASON_SIZE];

	begin(decision, job, MESSAGE_RECEIPT);
	decision->reply.u.receipt.job = report->job;
	if (!device) {
		refuse(decision, "unknown device");
		return;
	}
	if (!job) {
		refuse(decision, "there is no such job");
		return;
	}
	if (job->device != device->id) {
		/* Nothing of another device's job is reported, nor changed. */
		memset(&decision->next, 0, sizeof(decision->next));
		refuse(decision, "the job is another device's");
		return;
	}
	if (facts->proof != PROOF_RIGHT) {
		refuse(decision, proof_reason(facts->proof));
		return;
	}
	if (job_is_overdue(job, now))
		fail(decision, now, OVERDUE_REASON);
	if (repeats(&decision->next, facts)) {
		decision->reply.u.receipt.state = report->state;
		because(decision, "reported before: it %s",
		        state_phrase(decision->next.state));
		return;
	}
	if (fits(&decision->next, facts)) {
		apply_report(decision, report, now);
		return;
	}
	if (ends(&decision->next, facts)) {
		take_end(decision, facts);
		return;
	}
	text_format(reason, sizeof(reason), "the job %s%s%s",
	            state_phrase(decision->next.state), decision->next.reason[0] ? ": " : "",
	            decision->next.reason);
	refuse(decision, reason);
}
