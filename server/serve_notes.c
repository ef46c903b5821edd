/* SPDX-License-Identifier: BSD-2-Clause */
/* What the server does beside its decisions. */
#include "serve.h"

#include "decide.h"
#include "devices.h"
#include "error.h"
#include "events.h"
#include "text.h"
#include "work.h"

static int note(struct server *server, const struct datagram *d)
{
	const struct message *m = &d->question;
	struct happening event = { .device = d->device, .time = server->now };
	struct seen seen = { .time = server->now };

	if (m->type == MESSAGE_REQUEST) {
		text_format(seen.address, sizeof(seen.address), "%I",
		            (const uint8_t *)&d->from.sin_addr);
		seen.request = m->u.request;
		return device_seen(&server->notes, d->device, &seen);
	}
	if (m->type == MESSAGE_EVENT) {
		text_format(event.step, sizeof(event.step), "%s", event_name(m->u.event.code));
		event.lease = m->u.event.lease;
		event.milliseconds = m->u.event.milliseconds;
		text_format(event.reason, sizeof(event.reason), "%s", m->u.event.reason);
		return event_add(&server->notes, &event);
	}
	if (!d->refusal[0])
		return 0;
	text_format(event.step, sizeof(event.step), "refused");
	event.lease = m->u.report.lease;
	text_format(event.reason, sizeof(event.reason), "%s", d->refusal);
	return event_add(&server->notes, &event);
}

void serve_notes(struct server *server, const struct datagram *batch, size_t count)
{
	bool open = false;
	int rc = 0;

	for (size_t i = 0; i < count && rc == 0; i++) {
		if (!batch[i].understood || !batch[i].device)
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
