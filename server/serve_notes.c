/* SPDX-License-Identifier: BSD-2-Clause */
/* What the server does beside its decisions. */
#include "serve.h"

#include <string.h>

#include "decide.h"
#include "devices.h"
#include "error.h"
#include "events.h"
#include "text.h"
#include "work.h"

static struct happening make_event(struct server *server, const struct datagram *d,
                                   const char *step, const char *reason)
{
	struct happening event = { .device = d->device, .time = server->now,
	                           .time_ms = server->now_ms };

	text_format(event.step, sizeof(event.step), "%s", step);
	text_format(event.reason, sizeof(event.reason), "%s", reason);
	if (d->question.type != MESSAGE_REPORT && d->question.type != MESSAGE_QUERY)
		memcpy(event.boot, d->question.nonce, sizeof(event.boot));
	return event;
}

/* Tells the devices that an identity brings together, once a boot. */
static int note_conflict(struct server *server, const struct datagram *d)
{
	struct happening event = make_event(server, d, "conflict", d->note);
	int rc = d->device ? event_add_once(&server->notes, &event) : 0;

	if (rc || !d->suspect || d->suspect == d->device)
		return rc;
	event.device = d->suspect;
	return event_add_once(&server->notes, &event);
}

static int note_request(struct server *server, const struct datagram *d)
{
	struct happening event = make_event(server, d, "request", d->outcome);
	char address[32];
	int rc = 0;

	if (d->note[0])
		rc = note_conflict(server, d);
	if (rc || !d->device)
		return rc;
	text_format(address, sizeof(address), "%I", (const uint8_t *)&d->from.sin_addr);
	rc = device_seen(&server->notes, d->device, server->now, address, d->data, d->length);
	if (rc == 0 && d->outcome[0])
		rc = event_add_once(&server->notes, &event);
	return rc;
}

static int note(struct server *server, const struct datagram *d)
{
	const struct message *m = &d->question;
	struct happening event;

	if (m->type == MESSAGE_REQUEST)
		return note_request(server, d);
	if (!d->device)
		return 0;
	if (m->type == MESSAGE_EVENT) {
		event = make_event(server, d, event_name(m->u.event.code), m->u.event.reason);
		event.lease = m->u.event.lease;
		event.milliseconds = m->u.event.milliseconds;
		return event_add(&server->notes, &event);
	}
	if (!d->refusal[0])
		return 0;
	event = make_event(server, d, "refused", d->refusal);
	event.lease = m->u.report.lease;
	return event_add(&server->notes, &event);
}

void serve_notes(struct server *server, const struct datagram *batch, size_t count)
{
	bool open = false;
	int rc = 0;

	for (size_t i = 0; i < count && rc == 0; i++) {
		if (!batch[i].understood || !(batch[i].device || batch[i].suspect))
			continue;
		if (!open)
			rc = store_begin(&server->notes);
		open = rc == 0;
		if (rc == 0)
			rc = note(server, &batch[i]);
	}
	if (open && rc == 0)
		rc = store_commit(&server->notes);
	if (rc) {
		store_rollback(&server->notes);
		journal_line(&server->journal, JOURNAL_TROUBLE, "warning: events lost: %s",
		             server->notes.message);
	}
}

void serve_overdue(struct server *server, int64_t now)
{
	struct lease lease;

	server->now = now;
	server->now_ms = 0;
	while (work_next_overdue(&server->store, now, &lease) == 0) {
		struct verdict verdict = { .changed = true };
		int rc = store_begin(&server->store);

		if (rc == 0)
			rc = work_next_overdue(&server->store, now, &lease);
		verdict.next = lease;
		lease_end(&verdict.next, LEASE_FAILED, now, OVERDUE_REASON);
		if (rc == 0)
			rc = serve_apply(server, NULL, &verdict);
		if (rc == 0)
			rc = store_commit(&server->store);
		if (rc) {
			store_rollback(&server->store);
			return; /* another program was faster, or the next round will do it */
		}
		journal_line(&server->journal, JOURNAL_ALWAYS,
		             "warning: work failed: lease=%llu reason=\"%s\"",
		             (unsigned long long)lease.number, OVERDUE_REASON);
	}
}
