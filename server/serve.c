/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve.h"

#include <stdio.h>
#include <string.h>

#include "decide.h"
#include "devices.h"
#include "error.h"
#include "events.h"
#include "serve_log.h"
#include "text.h"
#include "work.h"

/* What is known when a question has been judged. */
struct judgement {
	struct device device;
	bool known;
	char note[REASON_SIZE]; /* what is odd about who asks */
	struct verdict verdict;
};

/* --- judging --------------------------------------------------------------- */

/* Loads what the question needs from the store, and decides. */
static int judge(struct server *server, const struct message *question, struct judgement *out)
{
	/* All three begin with it. */
	const struct identity *identity = &question->u.request.identity;
	struct store *store = &server->store;
	struct asking asking = { 0, 0, server->now };
	const struct device *device = &out->device;
	struct lease found, *lease = &found;
	struct details *details;
	int rc = device_identify(store, identity, &out->device, out->note, sizeof(out->note));

	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	out->known = rc == 0;
	if (!out->known)
		device = NULL;
	if (question->type == MESSAGE_REPORT)
		rc = work_by_lease(store, question->u.report.lease, lease);
	else if (out->known)
		rc = work_newest(store, device->id, lease);
	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	if (rc)
		lease = NULL;
	switch (question->type) {
	case MESSAGE_REQUEST:
		asking.firmware = question->u.request.firmware;
		if (lease && (rc = work_offer_of(store, lease->number, question->nonce,
		                                 &asking.offered_before)) != 0)
			return rc;
		decide_request(device, lease, &asking, &out->verdict);
		return 0;
	case MESSAGE_QUERY:
		decide_query(device, lease, server->now, &out->verdict);
		details = &out->verdict.reply.u.details;
		return details->lease ? work_details(store, details->lease, details) : 0;
	default:
		decide_report(device, lease, &question->u.report, server->now, &out->verdict);
		return 0;
	}
}

int serve_apply(struct server *server, const struct message *question,
                const struct verdict *verdict)
{
	const struct lease *next = &verdict->next;
	struct happening event = { .device = next->device, .time = server->now,
	                           .lease = next->number };
	int rc = work_update(&server->store, next);

	if (rc == 0 && verdict->offered)
		rc = work_offered(&server->store, next, question->nonce);
	if (rc)
		return rc;
	text_format(event.step, sizeof(event.step), "%s", lease_state_name(next->state));
	if (verdict->offered)
		text_format(event.reason, sizeof(event.reason), "attempt %u of %u", next->attempt,
		            next->attempts);
	else
		text_format(event.reason, sizeof(event.reason), "%s", next->reason);
	return event_add(&server->store, &event);
}

/*
 * Judges from what is there. Only where that changes something is the
 * transaction opened, and then it is judged anew, as things may have moved.
 */
static int resolve(struct server *server, struct datagram *d, struct judgement *out)
{
	struct message *reply = &out->verdict.reply;
	int rc = judge(server, &d->question, out);

	if (rc == 0 && out->verdict.changed && !server->writing) {
		rc = store_begin(&server->store);
		server->writing = rc == 0;
		if (rc == 0)
			rc = judge(server, &d->question, out);
	}
	if (rc)
		return rc;
	memcpy(reply->nonce, d->question.nonce, sizeof(reply->nonce));
	reply->sequence = d->question.sequence;
	/* First, as work must not count as offered when its answer cannot leave. */
	rc = message_encode(reply, d->reply, d->length, &d->reply_length);
	if (rc)
		return rc;
	d->depends = server->writing;
	return out->verdict.changed ? serve_apply(server, &d->question, &out->verdict) : 0;
}

/* --- a batch --------------------------------------------------------------- */

static void drop(struct server *server, struct datagram *d, enum drop why)
{
	d->reply_length = 0;
	server->dropped[why]++;
}

/* The transaction is lost: so are the answers that tell of what was in it. */
static void lose(struct server *server, struct datagram *batch, size_t count)
{
	store_rollback(&server->store);
	server->writing = false;
	for (size_t i = 0; i < count; i++) {
		if (!batch[i].depends)
			continue;
		if (batch[i].reply_length)
			drop(server, &batch[i], DROP_STORE);
		batch[i].depends = false;
		batch[i].line[0] = '\0';
		batch[i].refusal[0] = '\0';
	}
	journal_line(&server->journal, JOURNAL_TROUBLE, "warning: not answered: %s",
	             server->store.message);
}

static bool understand(struct server *server, struct datagram *d)
{
	switch (message_decode(&d->question, d->data, d->length)) {
	case 0: break;
	case ERR_TRUNCATED: drop(server, d, DROP_TRUNCATED); return false;
	case ERR_VERSION: drop(server, d, DROP_VERSION); return false;
	case ERR_CRITICAL: drop(server, d, DROP_CRITICAL); return false;
	default: drop(server, d, DROP_MALFORMED); return false;
	}
	if (d->from.sin_port == 0) {
		drop(server, d, DROP_PEER);
		return false;
	}
	switch (d->question.type) {
	case MESSAGE_REQUEST:
	case MESSAGE_QUERY:
	case MESSAGE_REPORT:
	case MESSAGE_EVENT:
		return true;
	default:
		drop(server, d, DROP_TYPE);
		return false;
	}
}

static void take_event(struct server *server, struct datagram *d)
{
	struct device device;
	char note[REASON_SIZE];

	if (device_identify(&server->store, &d->question.u.event.identity, &device, note,
	                    sizeof(note)) == 0) {
		d->device = device.id;
		serve_log_event(d, device.name);
	} else {
		serve_log_event(d, NULL);
	}
}

/* Answers the last of the @count datagrams at @batch. */
static void answer(struct server *server, struct datagram *batch, size_t count)
{
	struct datagram *d = &batch[count - 1];
	struct judgement judgement;
	int rc = resolve(server, d, &judgement);

	if (rc == ERR_SPACE || rc == ERR_MALFORMED) {
		drop(server, d, DROP_SMALL);
		return;
	}
	if (rc) {
		d->depends = true;
		d->reply_length = 0;
		server->dropped[DROP_STORE]++;
		lose(server, batch, count);
		return;
	}
	d->device = judgement.known ? judgement.device.id : 0;
	if (d->question.type == MESSAGE_REPORT && !judgement.verdict.reply.u.receipt.state)
		text_format(d->refusal, sizeof(d->refusal), "%s",
		            judgement.verdict.reply.u.receipt.reason);
	serve_log_answer(d, judgement.known ? judgement.device.name : NULL, judgement.note,
	                 &judgement.verdict);
}

void serve_batch(struct server *server, struct datagram *batch, size_t count, int64_t now)
{
	server->now = now;
	server->writing = false;
	for (size_t i = 0; i < count; i++) {
		struct datagram *d = &batch[i];

		d->reply_length = 0;
		d->depends = false;
		d->device = 0;
		d->line[0] = '\0';
		d->refusal[0] = '\0';
		d->understood = understand(server, d);
		if (!d->understood)
			continue;
		if (d->question.type == MESSAGE_EVENT)
			take_event(server, d);
		else
			answer(server, batch, i + 1);
	}
	if (server->writing && store_commit(&server->store))
		lose(server, batch, count);
	server->writing = false;
	for (size_t i = 0; i < count; i++) {
		if (batch[i].line[0])
			journal_line(&server->journal, batch[i].kind, "%s", batch[i].line);
		server->answered += batch[i].reply_length != 0;
	}
}

/* --- from start to end ----------------------------------------------------- */

int serve_open(struct server *server, const char *path)
{
	/* Shorter than an NBP's patience: a busy database costs a repeated question. */
	struct store_options options = { .create = true, .busy_timeout_ms = 500 };
	int rc;

	memset(server, 0, sizeof(*server));
	journal_start(&server->journal);
	rc = store_open(&server->store, path, &options);
	if (rc)
		return rc;
	options.relaxed = true;
	options.again = true;
	rc = store_open(&server->notes, path, &options);
	if (rc) {
		memcpy(server->store.message, server->notes.message, sizeof(server->notes.message));
		store_close(&server->store);
	}
	return rc;
}

void serve_close(struct server *server)
{
	serve_log_counts(server);
	store_close(&server->notes);
	store_close(&server->store);
}
