/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/daemon/history.h"

#include <string.h>

#include "nbp/proto/text.h"
#include "server/net/peek.h"
#include "server/store/admission.h"
#include "server/store/devices.h"
#include "server/store/events.h"

void history_begin(struct history_entry *entry, const struct datagram *datagram,
                const struct message *question, const struct identification *who,
                const struct timestamp *timestamp)
{
	memset(entry, 0, offsetof(struct history_entry, data));
	entry->device = who->known ? who->device.id : 0;
	entry->conflicting = who->conflicting;
	entry->time = timestamp->now;
	entry->time_ms = timestamp->now_ms;
	text_format(entry->anomaly, sizeof(entry->anomaly), "%s", who->anomaly);
	address_host(&datagram->from, entry->address);
	entry->identity = question->u.request.identity; /* all begin with it */
	/* An agent's nonce is its own. */
	if (question->type == MESSAGE_REQUEST || question->type == MESSAGE_EVENT ||
	    (question->type == MESSAGE_REPORT && question->u.report.state == REPORT_ACCEPTED))
		memcpy(entry->boot, question->nonce, sizeof(entry->boot));
	switch (question->type) {
	case MESSAGE_EVENT:
		entry->kind = HISTORY_EVENT;
		entry->code = question->u.event.code;
		entry->milliseconds = question->u.event.milliseconds;
		entry->job = question->u.event.job;
		text_format(entry->reason, sizeof(entry->reason), "%s", question->u.event.reason);
		break;
	case MESSAGE_REPORT:
		entry->kind = HISTORY_REFUSED;
		entry->job = question->u.report.job;
		break;
	default:
		entry->kind = HISTORY_REQUEST;
		entry->length = (uint16_t)peek_unpadded_length(datagram->data, datagram->length);
		memcpy(entry->data, datagram->data, entry->length);
	}
}

void history_outcome(struct history_entry *entry, const struct decision *decision)
{
	const struct answer *answer = &decision->reply.u.answer;

	if (answer->decision == DECISION_JOB)
		text_format(entry->reason, sizeof(entry->reason), "job %" PRIu64 ", attempt %u: %s",
		            answer->job, (uint32_t)answer->attempt, decision->reason);
	else
		text_format(entry->reason, sizeof(entry->reason), "local boot: %s",
		            decision->reason);
}

static struct event_record make_event(const struct history_entry *entry, const char *step,
                                      const char *reason)
{
	struct event_record event = { .device = entry->device, .time = entry->time,
	                           .time_ms = entry->time_ms, .job = entry->job,
	                           .milliseconds = entry->milliseconds };

	text_format(event.step, sizeof(event.step), "%s", step);
	text_format(event.reason, sizeof(event.reason), "%s", reason);
	memcpy(event.boot, entry->boot, sizeof(event.boot));
	return event;
}

/* Adds an event to the devices that an identity brings together, once a boot. */
static int store_conflict(struct store *store, const struct history_entry *entry)
{
	struct event_record event = make_event(entry, "conflict", entry->anomaly);
	int rc = entry->device ? event_add_once(store, &event) : 0;

	if (rc || !entry->conflicting || entry->conflicting == entry->device)
		return rc;
	event.device = entry->conflicting;
	return event_add_once(store, &event);
}

static int store_request(struct store *store, const struct history_entry *entry)
{
	struct event_record event = make_event(entry, "request", entry->reason);
	int rc = 0;

	if (entry->anomaly[0])
		rc = store_conflict(store, entry);
	if (rc == 0 && !entry->device)
		rc = unknown_seen(store, &entry->identity, entry->time, entry->address,
		                  entry->reason,
		                   entry->data, entry->length);
	if (rc == 0 && !entry->device)
		rc = admission_mark_shared(store, &entry->identity, entry->time);
	if (rc || !entry->device)
		return rc;
	rc = device_seen(store, entry->device, entry->time, entry->address, entry->data,
	                 entry->length);
	if (rc == 0 && entry->reason[0])
		rc = event_add_once(store, &event);
	return rc;
}

int history_store(struct store *store, const struct history_entry *entry)
{
	struct event_record event;

	switch (entry->kind) {
	case HISTORY_REQUEST:
		return store_request(store, entry);
	case HISTORY_EVENT:
		event = make_event(entry, event_name(entry->code), entry->reason);
		break;
	default:
		event = make_event(entry, "refused", entry->reason);
	}
	return entry->device ? event_add(store, &event) : 0;
}
