/* SPDX-License-Identifier: BSD-2-Clause */
#include "keeper.h"

#include <string.h>

#include "error.h"
#include "events.h"
#include "devices.h"
#include "settings.h"
#include "text.h"
#include "work.h"

/* Answers a request: the work if there is any, and what policy says beside it. */
static int judge_request(struct keeper *keeper, const struct message *question,
                         const struct device *device, const struct lease *lease,
                         struct verdict *verdict)
{
	const struct request *request = &question->u.request;
	struct asking asking = { request->firmware, 0, keeper->moment.now };
	const struct setting_owner owner = { device ? LEVEL_DEVICE : LEVEL_ZONE,
	                                     device ? device->id : 0 };
	struct settings settings;
	int rc = settings_read(&keeper->store, &owner, &settings);

	if (rc == 0 && lease)
		rc = work_offer_of(&keeper->store, lease->number, question->nonce,
		                   &asking.offered_before);
	if (rc)
		return rc;
	decide_request(device, lease, &asking, verdict);
	settings_answer(&settings, request->firmware, &verdict->reply.u.answer);
	return 0;
}

/* Loads what the question needs from the store, and decides. */
static int judge(struct keeper *keeper, struct matter *matter)
{
	const struct message *question = &matter->question;
	struct store *store = &keeper->store;
	/* All begin with the identity. */
	const struct sender sender = { &question->u.request.identity,
		question->type == MESSAGE_REQUEST ? question->u.request.isd_device : NULL };
	const struct device *device = &matter->who.device;
	struct lease found, *lease = &found;
	struct details *details;
	int rc = identify(store, &sender, &matter->who);

	if (rc || question->type == MESSAGE_EVENT)
		return rc;
	if (!matter->who.known)
		device = NULL;
	rc = ERR_NOT_FOUND;
	if (question->type == MESSAGE_REPORT)
		rc = work_by_lease(store, question->u.report.lease, lease);
	else if (device)
		rc = work_newest(store, device->id, lease);
	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	if (rc)
		lease = NULL;
	switch (question->type) {
	case MESSAGE_REQUEST:
		return judge_request(keeper, question, device, lease, &matter->verdict);
	case MESSAGE_QUERY:
		decide_query(device, lease, keeper->moment.now, &matter->verdict);
		details = &matter->verdict.reply.u.details;
		return details->lease ? work_details(store, details->lease, details) : 0;
	default:
		decide_report(device, lease, &question->u.report, keeper->moment.now,
		              &matter->verdict);
		return 0;
	}
}

int keeper_apply(struct keeper *keeper, const struct message *question,
                 const struct verdict *verdict)
{
	const struct lease *next = &verdict->next;
	struct happening event = { .device = next->device, .time = keeper->moment.now,
	                           .time_ms = keeper->moment.now_ms, .lease = next->number };
	int rc = work_update(&keeper->store, next);

	if (rc == 0 && verdict->offered)
		rc = work_offered(&keeper->store, next, question->nonce);
	/* An agent's nonce is its own: its boot is the one that got the offer. */
	if (rc == 0 && question && question->type == MESSAGE_REQUEST)
		memcpy(event.boot, question->nonce, sizeof(event.boot));
	else if (rc == 0)
		rc = event_boot_of(&keeper->store, next->number, event.boot);
	if (rc)
		return rc;
	text_format(event.step, sizeof(event.step), "%s", lease_state_name(next->state));
	if (verdict->offered)
		text_format(event.reason, sizeof(event.reason), "attempt %u of %u", next->attempt,
		            next->attempts);
	else
		text_format(event.reason, sizeof(event.reason), "%s", next->reason);
	return event_add(&keeper->store, &event);
}

/*
 * Judges from what is there. Only where that changes something is the
 * transaction opened, and then it is judged anew, as things may have moved.
 */
int keeper_resolve(struct keeper *keeper, struct matter *matter)
{
	struct message *reply = &matter->verdict.reply;
	struct datagram *d = matter->datagram;
	size_t length;
	int rc = judge(keeper, matter);

	if (matter->question.type == MESSAGE_EVENT)
		return rc;
	if (rc == 0 && (matter->verdict.changed || matter->who.claims) && !keeper->writing) {
		/* What was read may be old by now, and cannot be written from. */
		store_rollback(&keeper->store);
		rc = store_begin(&keeper->store);
		keeper->writing = rc == 0;
		if (rc == 0)
			rc = judge(keeper, matter);
	}
	if (rc)
		return rc;
	memcpy(reply->nonce, matter->question.nonce, sizeof(reply->nonce));
	reply->sequence = matter->question.sequence;
	/* First, as work must not count as offered when its answer cannot leave. */
	rc = message_encode(reply, d->reply, d->length, &length);
	if (rc)
		return rc;
	d->reply_length = (uint16_t)length;
	matter->depends = keeper->writing;
	if (matter->who.claims)
		rc = device_claim(&keeper->store, &matter->who.device,
		                  &matter->question.u.request.identity);
	if (rc == 0 && matter->verdict.changed)
		rc = keeper_apply(keeper, &matter->question, &matter->verdict);
	return rc;
}
