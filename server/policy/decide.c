/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide.h"

#include <string.h>

#include "platform.h"
#include "text.h"

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
	verdict->changed = true;
	verdict->warn = true;
	because(verdict, "work failed: %s", reason);
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
	answer->lease = lease->number;
	answer->attempt = (uint8_t)attempt;
	text_format(answer->loader, sizeof(answer->loader), "%s", loader);
	text_format(answer->config, sizeof(answer->config), "%s", lease->config);
	text_format(answer->prefix, sizeof(answer->prefix), "%s", lease->prefix);
}

/* The last attempt was used up by an earlier boot: this one goes to the disk. */
static void exhausted(struct verdict *verdict, int64_t now)
{
	struct lease *next = &verdict->next;
	char reason[REASON_SIZE];

	text_format(reason, sizeof(reason), "not %s after %u %s",
	            next->state == LEASE_BEGUN ? "ended" : "begun", next->attempts,
	            next->attempts == 1 ? "attempt" : "attempts");
	fail(verdict, now, reason);
}

static void offer(struct verdict *verdict, int64_t now)
{
	struct lease *next = &verdict->next;

	if (next->state == LEASE_PENDING)
		because(verdict, "offered");
	else
		because(verdict, "offered again: %s", next->state == LEASE_BEGUN
		        ? "begun, but the machine rebooted before the end"
		        : "not begun at the last attempt");
	next->state = LEASE_OFFERED;
	next->attempt++;
	next->offered = now;
	next->begun = 0;
	verdict->changed = true;
	verdict->offered = true;
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
	if (lease_overdue(lease, asking->now)) {
		fail(verdict, asking->now, OVERDUE_REASON);
		return;
	}
	loader = loader_for(lease, asking->firmware);
	if (!loader[0]) {
		because(verdict, "the work has no loader for %s firmware",
		        asking->firmware == FIRMWARE_BIOS ? "BIOS" :
		        asking->firmware == FIRMWARE_UEFI ? "UEFI" : "unknown");
		return;
	}
	if (asking->offered_before) {
		because(verdict, "the same boot asked before");
		give_work(verdict, lease, asking->offered_before, loader);
		return;
	}
	if (lease->attempt >= lease->attempts) {
		exhausted(verdict, asking->now);
		return;
	}
	offer(verdict, asking->now);
	give_work(verdict, lease, verdict->next.attempt, loader);
}

/* --- the agent's questions ------------------------------------------------- */

void decide_query(const struct device *device, const struct lease *lease, int64_t now,
                  struct verdict *verdict)
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

static void take(struct verdict *verdict, const struct report *report, int64_t now)
{
	struct lease *next = &verdict->next;

	switch (report->state) {
	case WORK_BEGUN:
		next->state = LEASE_BEGUN;
		next->begun = now;
		break;
	case WORK_DONE:
		lease_end(next, LEASE_DONE, now, "");
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

/* Says whether a lease in @state is already what @report wants it to be. */
static bool repeats(enum lease_state state, const struct report *report)
{
	return (state == LEASE_OFFERED && report->state == WORK_ACCEPTED) ||
	       (state == LEASE_BEGUN && report->state == WORK_BEGUN) ||
	       (state == LEASE_DONE && report->state == WORK_DONE) ||
	       (state == LEASE_FAILED && report->state == WORK_FAILED);
}

void decide_report(const struct device *device, const struct lease *lease,
                   const struct report *report, int64_t now, struct verdict *verdict)
{
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
	if (lease_overdue(lease, now))
		fail(verdict, now, OVERDUE_REASON);
	if (repeats(verdict->next.state, report)) {
		verdict->reply.u.receipt.state = report->state;
		because(verdict, "reported before: it is %s",
		        lease_state_name(verdict->next.state));
		return;
	}
	if (report->state != WORK_ACCEPTED &&
	    (verdict->next.state == LEASE_OFFERED || verdict->next.state == LEASE_BEGUN)) {
		take(verdict, report, now);
		return;
	}
	text_format(reason, sizeof(reason), "the lease is %s%s%s",
	            lease_state_name(verdict->next.state), verdict->next.reason[0] ? ": " : "",
	            verdict->next.reason);
	refuse(verdict, reason);
}
