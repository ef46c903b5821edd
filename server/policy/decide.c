/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/policy/decide.h"

#include <string.h>

#include "nbp/proto/message.h"
#include "nbp/proto/text.h"

static void begin(struct verdict *verdict, const struct lease *lease, enum message_type type)
{
	memset(verdict, 0, sizeof(*verdict));
	verdict->reply.type = (uint8_t)type;
	if (lease)
		verdict->next = *lease;
}

#define because(verdict, ...) \
	text_format((verdict)->reason, sizeof((verdict)->reason), __VA_ARGS__)

/* The end of a lease that the server itself decides on. */
static void fail(struct verdict *verdict, int64_t now, const char *reason)
{
	lease_end(&verdict->next, LEASE_FAILED, now, reason);
	verdict->next.given_up = true;
	verdict->changed = true;
	verdict->warn = true;
	because(verdict, "work failed: %s", reason);
}

void decide_overdue(const struct lease *lease, int64_t now, struct verdict *verdict)
{
	memset(verdict, 0, sizeof(*verdict));
	verdict->next = *lease;
	fail(verdict, now, OVERDUE_REASON);
}

/* --- a request ------------------------------------------------------------- */

static const char *loader_for(const struct lease *lease, uint8_t firmware)
{
	switch (firmware) {
	case FIRMWARE_BIOS: return lease->loader_bios;
	case FIRMWARE_UEFI: return lease->loader_uefi;
	default: return "";
	}
}

static void give_work(struct verdict *verdict, const struct lease *lease, uint32_t attempt,
                      const char *loader)
{
	struct answer *answer = &verdict->reply.u.answer;

	answer->decision = DECISION_WORK;
	answer->completes = lease->completion == COMPLETION_HANDOVER ? COMPLETES_HANDOVER
	                                                             : COMPLETES_ELSEWHERE;
	answer->lease = lease->number;
	answer->attempt = (uint8_t)attempt;
	text_format(answer->loader, sizeof(answer->loader), "%s", loader);
	text_format(answer->config, sizeof(answer->config), "%s", lease->config);
	text_format(answer->prefix, sizeof(answer->prefix), "%s", lease->prefix);
}

/*
 * Work that the machine's next boot completes: not what an agent has begun, as that tells of
 * its end, nor if the machine went to its disk instead.
 */
static bool is_complete(const struct lease *lease, bool came_back)
{
	return lease->completion == COMPLETION_NEXT_BOOT && lease->state == LEASE_OFFERED &&
	       !came_back;
}

/* Says whether another boot that accepts @lease ends it: as done, or as no attempt is left. */
static bool is_over(const struct lease *lease, bool came_back)
{
	return is_complete(lease, came_back) || lease->attempt >= lease->attempts;
}

/* Ends what is over. */
static void end(struct verdict *verdict, bool came_back, int64_t now)
{
	struct lease *next = &verdict->next;
	char reason[REASON_SIZE];

	if (is_complete(next, came_back)) {
		lease_end(next, LEASE_DONE, now, "the machine booted again");
		verdict->changed = true;
		because(verdict, "work is done: the machine booted again");
		return;
	}
	text_format(reason, sizeof(reason), "not %s after %u %s",
	            next->state == LEASE_BEGUN ? "ended" : "begun", next->attempts,
	            next->attempts == 1 ? "attempt" : "attempts");
	fail(verdict, now, reason);
}

/* Tells another boot of work that is over, so that it shows with the token that it is one. The
 * loader is not fetched, but an answer has one. */
static void offer_end(struct verdict *verdict, const struct lease *lease, bool came_back,
                      const char *loader)
{
	if (is_complete(lease, came_back))
		because(verdict, "the machine booted again: accepted once more, it is done");
	else
		because(verdict, "no attempt of %u is left: accepted once more, it is failed",
		        lease->attempts);
	give_work(verdict, lease, lease->attempt + 1, loader);
	verdict->ends = true;
}

static void offer(struct verdict *verdict, const struct lease *lease, const char *loader)
{
	if (lease->state == LEASE_PENDING)
		because(verdict, "offered");
	else
		because(verdict, "offered again: %s", lease->state == LEASE_BEGUN
		        ? "begun, but the machine rebooted before the end"
		        : "not begun at the last attempt");
	give_work(verdict, lease, lease->attempt + 1, loader);
}

void decide_request(const struct device *device, const struct lease *lease,
                    const struct asking *asking, struct verdict *verdict)
{
	struct answer *answer = &verdict->reply.u.answer;
	const char *loader;

	begin(verdict, lease, MESSAGE_ANSWER);
	answer->decision = DECISION_LOCAL;
	if (!device) {
		because(verdict, "unknown device");
		return;
	}
	text_format(answer->device, sizeof(answer->device), "%s", device->name);
	if (!lease) {
		because(verdict, "no work");
		return;
	}
	if (!lease_open(lease->state)) {
		because(verdict, "no work: the last is %s", lease_state_name(lease->state));
		return;
	}
	if (asking->unproven) {
		because(verdict, "it tells no UUID, and its MAC alone is not enough for work");
		return;
	}
	if (lease_overdue(lease, asking->now)) {
		fail(verdict, asking->now, OVERDUE_REASON);
		return;
	}
	loader = loader_for(lease, asking->firmware);
	/* An installer may leave the machine to boot with the other firmware. */
	if (!loader[0] && !asking->accepted && is_complete(lease, asking->came_back))
		loader = lease->loader_bios[0] ? lease->loader_bios : lease->loader_uefi;
	if (!loader[0]) {
		because(verdict, "the work has no loader for %s firmware",
		        asking->firmware == FIRMWARE_BIOS ? "BIOS" :
		        asking->firmware == FIRMWARE_UEFI ? "UEFI" : "unknown");
		return;
	}
	if (asking->accepted && asking->accepted != lease->attempt) {
		because(verdict, "a later boot has accepted the work since");
		return;
	}
	if (asking->accepted) {
		because(verdict, "the same boot asked before");
		give_work(verdict, lease, asking->accepted, loader);
		return;
	}
	if (is_over(lease, asking->came_back))
		offer_end(verdict, lease, asking->came_back, loader);
	else
		offer(verdict, lease, loader);
}

/* --- the agent's questions ------------------------------------------------- */

static const char *proof_reason(enum proof proof)
{
	return proof == PROOF_NONE ? "no token, so anybody could have sent it"
	                           : "its token is not that of the boot that has the work";
}

void decide_query(const struct device *device, const struct lease *lease, enum proof proof,
                  int64_t now, struct verdict *verdict)
{
	struct details *details = &verdict->reply.u.details;

	begin(verdict, lease, MESSAGE_DETAILS);
	details->decision = DECISION_LOCAL;
	if (!device) {
		because(verdict, "unknown device");
		return;
	}
	text_format(details->device, sizeof(details->device), "%s", device->name);
	if (!lease) {
		because(verdict, "no work");
		return;
	}
	if (lease_overdue(lease, now)) {
		fail(verdict, now, OVERDUE_REASON);
		return;
	}
	if (lease->state != LEASE_OFFERED && lease->state != LEASE_BEGUN) {
		because(verdict, "no work on offer: it is %s", lease_state_name(lease->state));
		return;
	}
	if (proof != PROOF_RIGHT) {
		because(verdict, "no details: %s", proof_reason(proof));
		return;
	}
	because(verdict, "its work is %s", lease_state_name(lease->state));
	details->decision = DECISION_WORK;
	details->lease = lease->number;
	details->attempt = (uint8_t)lease->attempt;
	text_format(details->config, sizeof(details->config), "%s", lease->config);
}

static void refuse(struct verdict *verdict, const char *reason)
{
	text_format(verdict->reply.u.receipt.reason, sizeof(verdict->reply.u.receipt.reason), "%s",
	            reason);
	because(verdict, "refused: %s", reason);
}

/* A boot goes on with what it was told of. */
static void count_attempt(struct lease *next, int64_t now)
{
	next->state = LEASE_OFFERED;
	next->attempt++;
	next->offered = now;
	next->begun = 0;
}

/* Another boot accepts what is over: it has shown that it is one, and goes to its disk. */
static void take_end(struct verdict *verdict, const struct reporting *r)
{
	struct receipt *receipt = &verdict->reply.u.receipt;

	end(verdict, r->came_back, r->now);
	text_format(receipt->reason, sizeof(receipt->reason), "%s", verdict->reason);
}

static void take(struct verdict *verdict, const struct report *report, int64_t now)
{
	struct lease *next = &verdict->next;

	switch (report->state) {
	case WORK_ACCEPTED:
		count_attempt(next, now);
		verdict->counted = true;
		break;
	case WORK_BEGUN:
		next->state = LEASE_BEGUN;
		next->begun = now;
		break;
	case WORK_DONE:
		lease_end(next, LEASE_DONE, now, "");
		next->given_up = false;
		verdict->warn = false;
		break;
	default:
		lease_end(next, LEASE_FAILED, now,
		          report->reason[0] ? report->reason : "reported without a reason");
		verdict->warn = true;
	}
	verdict->changed = true;
	verdict->reply.u.receipt.state = report->state;
	because(verdict, "work is %s%s%s", lease_state_name(next->state),
	        next->reason[0] ? ": " : "", next->reason);
}

/* Says whether @lease is already what @r wants it to be. */
static bool repeats(const struct lease *lease, const struct reporting *r)
{
	switch (r->report->state) {
	case WORK_ACCEPTED:
		return r->accepted && (lease->state == LEASE_OFFERED || lease->state == LEASE_BEGUN);
	case WORK_BEGUN: return lease->state == LEASE_BEGUN;
	case WORK_DONE: return lease->state == LEASE_DONE;
	default: return lease->state == LEASE_FAILED;
	}
}

/* Says whether @lease can become what @r wants it to be. */
static bool fits(const struct lease *lease, const struct reporting *r)
{
	if (r->report->state == WORK_ACCEPTED)
		return lease_open(lease->state) && !r->accepted && !is_over(lease, r->came_back);
	/* The machine knows better than a clock, or a boot that had no attempt left. */
	if (r->report->state == WORK_DONE && lease->state == LEASE_FAILED)
		return lease->given_up && !r->superseded;
	return lease->state == LEASE_OFFERED || lease->state == LEASE_BEGUN;
}

/* Says whether what @r accepts is over. */
static bool ends(const struct lease *lease, const struct reporting *r)
{
	return r->report->state == WORK_ACCEPTED && lease_open(lease->state) && !r->accepted &&
	       is_over(lease, r->came_back);
}

void decide_report(const struct device *device, const struct lease *lease,
                   const struct reporting *reporting, struct verdict *verdict)
{
	const struct report *report = reporting->report;
	int64_t now = reporting->now;
	char reason[REASON_SIZE];

	begin(verdict, lease, MESSAGE_RECEIPT);
	verdict->reply.u.receipt.lease = report->lease;
	if (!device) {
		refuse(verdict, "unknown device");
		return;
	}
	if (!lease) {
		refuse(verdict, "there is no such lease");
		return;
	}
	if (lease->device != device->id) {
		/* Nothing of another device's lease is told, nor changed. */
		memset(&verdict->next, 0, sizeof(verdict->next));
		refuse(verdict, "the lease is another device's");
		return;
	}
	if (reporting->proof != PROOF_RIGHT) {
		refuse(verdict, proof_reason(reporting->proof));
		return;
	}
	if (lease_overdue(lease, now))
		fail(verdict, now, OVERDUE_REASON);
	if (repeats(&verdict->next, reporting)) {
		verdict->reply.u.receipt.state = report->state;
		because(verdict, "reported before: it is %s",
		        lease_state_name(verdict->next.state));
		return;
	}
	if (fits(&verdict->next, reporting)) {
		take(verdict, report, now);
		return;
	}
	if (ends(&verdict->next, reporting)) {
		take_end(verdict, reporting);
		return;
	}
	text_format(reason, sizeof(reason), "the lease is %s%s%s",
	            lease_state_name(verdict->next.state), verdict->next.reason[0] ? ": " : "",
	            verdict->next.reason);
	refuse(verdict, reason);
}
