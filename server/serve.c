/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve.h"

#include <stdio.h>
#include <string.h>

#include "decide.h"
#include "devices.h"
#include "error.h"
#include "events.h"
#include "identify.h"
#include "serve_log.h"
#include "settings.h"
#include "text.h"
#include "work.h"

/* What is known when a question has been judged. */
struct judgement {
	struct identified who;
	struct verdict verdict;
};

/* --- judging --------------------------------------------------------------- */

/* Answers a request: the work if there is any, and what policy says beside it. */
static int judge_request(struct server *server, const struct message *question,
                         const struct device *device, const struct lease *lease,
                         struct verdict *verdict)
{
	const struct request *request = &question->u.request;
	struct asking asking = { request->firmware, 0, server->now };
	const struct setting_owner owner = { device ? LEVEL_DEVICE : LEVEL_ZONE,
	                                     device ? device->id : 0 };
	struct settings settings;
	int rc = settings_read(&server->store, &owner, &settings);

	if (rc == 0 && lease)
		rc = work_offer_of(&server->store, lease->number, question->nonce,
		                   &asking.offered_before);
	if (rc)
		return rc;
	decide_request(device, lease, &asking, verdict);
	settings_answer(&settings, request->firmware, &verdict->reply.u.answer);
	return 0;
}

/* Loads what the question needs from the store, and decides. */
static int judge(struct server *server, const struct message *question, struct judgement *out)
{
	struct store *store = &server->store;
	/* All three begin with the identity. */
	const struct sender sender = { &question->u.request.identity,
		question->type == MESSAGE_REQUEST ? question->u.request.isd_device : NULL };
	const struct device *device = &out->who.device;
	struct lease found, *lease = &found;
	struct details *details;
	int rc = identify(store, &sender, &out->who);

	if (rc)
		return rc;
	if (!out->who.known)
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
		return judge_request(server, question, device, lease, &out->verdict);
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
	                           .time_ms = server->now_ms, .lease = next->number };
	int rc = work_update(&server->store, next);

	if (rc == 0 && verdict->offered)
		rc = work_offered(&server->store, next, question->nonce);
	/* An agent's nonce is its own: its boot is the one that got the offer. */
	if (rc == 0 && question && question->type == MESSAGE_REQUEST)
		memcpy(event.boot, question->nonce, sizeof(event.boot));
	else if (rc == 0)
		rc = event_boot_of(&server->store, next->number, event.boot);
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

	if (rc == 0 && (out->verdict.changed || out->who.claims) && !server->writing) {
		/* What was read may be old by now, and cannot be written from. */
		store_rollback(&server->store);
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
	if (out->who.claims)
		rc = device_claim(&server->store, &out->who.device,
		                  &d->question.u.request.identity);
	if (rc == 0 && out->verdict.changed)
		rc = serve_apply(server, &d->question, &out->verdict);
	return rc;
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
		batch[i].outcome[0] = '\0';
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
	const struct sender sender = { &d->question.u.event.identity, NULL };
	struct identified who;

	if (identify(&server->store, &sender, &who) == 0 && who.known) {
		d->device = who.device.id;
		serve_log_event(d, who.device.name);
	} else {
		serve_log_event(d, NULL);
	}
}

/* Says in short what a request was answered. */
static void tell_outcome(struct datagram *d, const struct verdict *verdict)
{
	const struct answer *answer = &verdict->reply.u.answer;

	if (answer->decision == DECISION_WORK)
		text_format(d->outcome, sizeof(d->outcome), "work %U, attempt %u: %s",
		            answer->lease, (uint32_t)answer->attempt, verdict->reason);
	else
		text_format(d->outcome, sizeof(d->outcome), "local boot: %s", verdict->reason);
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
	d->device = judgement.who.known ? judgement.who.device.id : 0;
	d->suspect = judgement.who.suspect;
	text_format(d->note, sizeof(d->note), "%s", judgement.who.note);
	if (d->question.type == MESSAGE_REQUEST)
		tell_outcome(d, &judgement.verdict);
	if (d->question.type == MESSAGE_REPORT && !judgement.verdict.reply.u.receipt.state)
		text_format(d->refusal, sizeof(d->refusal), "%s",
		            judgement.verdict.reply.u.receipt.reason);
	serve_log_answer(d, judgement.who.known ? judgement.who.device.name : NULL,
	                 &judgement.verdict);
}

void serve_batch(struct server *server, struct datagram *batch, size_t count, int64_t now_ms)
{
	server->now = now_ms / 1000;
	server->now_ms = (uint32_t)(now_ms % 1000);
	server->writing = false;
	/* One look at the database for all of them: each of its own would cost locks. */
	store_run(&server->store, "BEGIN", "");
	for (size_t i = 0; i < count; i++) {
		struct datagram *d = &batch[i];

		d->reply_length = 0;
		d->depends = false;
		d->device = 0;
		d->suspect = 0;
		d->line[0] = '\0';
		d->refusal[0] = '\0';
		d->outcome[0] = '\0';
		d->note[0] = '\0';
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
	store_rollback(&server->store); /* where it was only read */
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
