/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/daemon/history.h"

#include <string.h>

#include "nbp/proto/text.h"
#include "server/store/devices.h"
#include "server/store/events.h"
#include "server/store/unknown.h"

void note_begin(struct note *note, const struct datagram *datagram,
                const struct message *question, const struct identified *who,
                const struct moment *moment)
{
	memset(note, 0, offsetof(struct note, data));
	note->device = who->known ? who->device.id : 0;
	note->suspect = who->suspect;
	note->time = moment->now;
	note->time_ms = moment->now_ms;
	text_format(note->anomaly, sizeof(note->anomaly), "%s", who->note);
	address_host(&datagram->from, note->address);
	note->identity = question->u.request.identity; /* all begin with it */
	/* An agent's nonce is its own. */
	if (question->type == MESSAGE_REQUEST || question->type == MESSAGE_EVENT ||
	    (question->type == MESSAGE_REPORT && question->u.report.state == REPORT_ACCEPTED))
		memcpy(note->boot, question->nonce, sizeof(note->boot));
	switch (question->type) {
	case MESSAGE_EVENT:
		note->kind = NOTE_EVENT;
		note->code = question->u.event.code;
		note->milliseconds = question->u.event.milliseconds;
		note->job = question->u.event.job;
		text_format(note->reason, sizeof(note->reason), "%s", question->u.event.reason);
		break;
	case MESSAGE_REPORT:
		note->kind = NOTE_REFUSED;
		note->job = question->u.report.job;
		break;
	default:
		note->kind = NOTE_REQUEST;
		note->length = (uint16_t)device_request_length(datagram->data, datagram->length);
		memcpy(note->data, datagram->data, note->length);
	}
}

void note_outcome(struct note *note, const struct decision *decision)
{
	const struct answer *answer = &decision->reply.u.answer;

	if (answer->decision == DECISION_JOB)
		text_format(note->reason, sizeof(note->reason), "work %" PRIu64 ", attempt %u: %s",
		            answer->job, (uint32_t)answer->attempt, decision->reason);
	else
		text_format(note->reason, sizeof(note->reason), "local boot: %s", decision->reason);
}

static struct event_record make_event(const struct note *note, const char *step, const char *reason)
{
	struct event_record event = { .device = note->device, .time = note->time,
	                           .time_ms = note->time_ms, .job = note->job,
	                           .milliseconds = note->milliseconds };

	text_format(event.step, sizeof(event.step), "%s", step);
	text_format(event.reason, sizeof(event.reason), "%s", reason);
	memcpy(event.boot, note->boot, sizeof(event.boot));
	return event;
}

/* Tells the devices that an identity brings together, once a boot. */
static int store_conflict(struct store *store, const struct note *note)
{
	struct event_record event = make_event(note, "conflict", note->anomaly);
	int rc = note->device ? event_add_once(store, &event) : 0;

	if (rc || !note->suspect || note->suspect == note->device)
		return rc;
	event.device = note->suspect;
	return event_add_once(store, &event);
}

static int store_request(struct store *store, const struct note *note)
{
	struct event_record event = make_event(note, "request", note->reason);
	int rc = 0;

	if (note->anomaly[0])
		rc = store_conflict(store, note);
	if (rc == 0 && !note->device)
		rc = unknown_seen(store, &note->identity, note->time, note->address, note->reason,
		                   note->data, note->length);
	if (rc == 0 && !note->device)
		rc = unknown_doubt(store, &note->identity, note->time);
	if (rc || !note->device)
		return rc;
	rc = device_seen(store, note->device, note->time, note->address, note->data, note->length);
	if (rc == 0 && note->reason[0])
		rc = event_add_once(store, &event);
	return rc;
}

int note_store(struct store *store, const struct note *note)
{
	struct event_record event;

	switch (note->kind) {
	case NOTE_REQUEST:
		return store_request(store, note);
	case NOTE_EVENT:
		event = make_event(note, event_name(note->code), note->reason);
		break;
	default:
		event = make_event(note, "refused", note->reason);
	}
	return note->device ? event_add(store, &event) : 0;
}
