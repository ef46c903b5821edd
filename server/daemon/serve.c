/* SPDX-License-Identifier: BSD-2-Clause */
/* What a serving thread answers by itself: that there is no job. */
#include "server/daemon/serve.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "server/daemon/serve_fast.h"
#include "server/policy/choose.h"
#include "server/policy/decide.h"

#define NANOSECONDS     ((int64_t)1000000000)
#define UNKNOWN_MINUTES 1 /* an unknown machine's request is kept once in this time */
#define UNKNOWN_BURST   (2 * NANOSECONDS) /* of answers to unknown machines */

/* --- log and history ------------------------------------------------------- */

static struct log_context log_context_of(const struct serving *s, const struct datagram *d)
{
	return (struct log_context){ d, &s->question, s->who.known ? s->who.device.name : NULL,
	                         s->who.anomaly };
}

static bool wants_line(const struct serving *s)
{
	enum journal_kind kind = s->who.known ? JOURNAL_KNOWN : JOURNAL_UNKNOWN;
	struct journal *journal = &s->server->journal;

	if (journal_wants(journal, kind, s->timestamp->monotonic / 1000000))
		return true;
	journal_suppress(journal, kind, 1);
	return false;
}

static void put_history(struct serving *s)
{
	if (!queue_put(&s->server->history, &s->history))
		count(&s->counters.history_lost, 1);
}

/* Says whether an unknown machine's request is news: another boot, or another minute. */
static bool unknown_is_news(struct serving *s)
{
	struct {
		struct identity identity;
		uint8_t nonce[NONCE_SIZE];
		int64_t minute;
	} key = { .minute = s->timestamp->now / 60 / UNKNOWN_MINUTES };
	uint64_t hash;
	_Atomic uint64_t *slot;

	key.identity = s->question.u.request.identity;
	memcpy(key.nonce, s->question.nonce, sizeof(key.nonce));
	hash = XXH3_64bits_withSeed(&key, sizeof(key), s->server->seed);
	slot = &s->server->unknowns[hash % SERVER_UNKNOWNS];
	return atomic_exchange_explicit(slot, hash, memory_order_relaxed) != hash;
}

/* Adds the request and its outcome to the history. Returns whether it will be kept. */
static bool keep_request(struct serving *s, const struct datagram *d)
{
	struct server *server = s->server;
	int64_t now = s->timestamp->monotonic;

	if (!s->who.known && !unknown_is_news(s))
		return false;
	if (queue_full(&server->history) ||
	    !server_may_keep(server, s->who.known ? s->who.device.id : 0, d, now) ||
	    !server_keep_request(server, s->who.known, now)) {
		count(&s->counters.history_lost, 1);
		return false;
	}
	history_begin(&s->history, d, &s->question, &s->who, s->timestamp);
	history_outcome(&s->history, &s->decision);
	put_history(s);
	return true;
}

/* Takes the event that is decoded. */
static void serve_event(struct serving *s, const struct datagram *d)
{
	const struct sender sender = { .identity = &s->question.u.event.identity };
	struct server *server = s->server;

	identify_machine(server->index, &sender, &s->who);
	if (wants_line(s)) {
		struct log_context context = log_context_of(s, d);
		enum journal_kind kind = log_event(s->line, &context);

		journal_line(&server->journal, kind, "%s", s->line);
	}
	if (!s->who.known)
		return;
	if (!limit_take(&server->events, s->who.device.id, s->timestamp->monotonic)) {
		count(&s->counters.history_lost, 1);
		return;
	}
	history_begin(&s->history, d, &s->question, &s->who, s->timestamp);
	put_history(s);
}

/* --- requests -------------------------------------------------------------- */

/* Says whether an unknown machine may be admitted now, for which the writer has to write. */
static bool may_admit(struct serving *s, struct datagram *d)
{
	d->may_admit = server_may_admit(s->server, d, s->timestamp->monotonic);
	if (d->may_admit)
		return true;
	count(&s->counters.not_admitted, 1);
	return false;
}

/* Says whether there is or may be a job, which the writer sees to. */
static bool needs_writer(struct serving *s, struct datagram *d)
{
	const struct index *index = s->server->index;
	const struct catalog *catalog = index_catalog(index);
	struct request_context context = { .index = index, .who = &s->who,
	                                   .request = &s->question.u.request, .address = "",
	                                   .now = s->timestamp->now };
	char address[ADDRESS_TEXT];
	struct selection selection;

	d->may_admit = false;
	if (s->who.undecided)
		return true;
	if (!s->who.known) {
		if (s->who.no_admission)
			return false;
		if (catalog->settings.admit_unknown)
			return may_admit(s, d);
		if (!catalog->rules_for_unknown)
			return false;
	} else if (s->who.binds || entry_has_open_job(s->who.entry)) {
		return true;
	}
	if (s->who.known ? catalog->rules_for_known : catalog->rules_for_unknown) {
		address_host(&d->from, address);
		context.address = address;
	}
	choose(&context, &selection);
	return selection.bundle && (s->who.known || may_admit(s, d));
}

/* Decides that there is no job, in the words that decide_request() has for it. */
static void decide_none(struct serving *s)
{
	const struct request *request = &s->question.u.request;
	struct request_facts facts = { .loader = loader_kind_of(request), .now = s->timestamp->now };
	const struct settings *settings = &index_catalog(s->server->index)->settings;
	struct settings buffer;
	struct job last = { 0 };

	if (s->who.known) {
		settings = entry_settings(s->server->index, s->who.entry, &buffer);
		last.state = entry_last_job(s->who.entry);
	}
	decide_request(s->who.known ? &s->who.device : NULL,
	               last.state == JOB_PENDING ? NULL : &last, &facts, &s->decision);
	settings_answer(settings, request->firmware, &s->decision.reply.u.answer);
}

/* Says whether the answer to an unknown machine, of which there are any number, may leave. */
static bool may_answer(struct serving *s)
{
	return s->who.known || !s->server->unknown_cost ||
	       limit_pass(&s->server->unknown_full, s->server->unknown_cost, UNKNOWN_BURST,
	                  s->timestamp->monotonic);
}

/* Encodes the answer that was decided on. Returns 0, ERR_SPACE or ERR_REFUSED. */
static int put_answer(struct serving *s, struct datagram *d)
{
	struct message *reply = &s->decision.reply;
	size_t length;

	if (!may_answer(s))
		return ERR_REFUSED;
	memcpy(reply->nonce, s->question.nonce, sizeof(reply->nonce));
	reply->sequence = s->question.sequence;
	if (message_encode(reply, d->reply, d->length, &length))
		return ERR_SPACE;
	d->reply_length = (uint16_t)length;
	return 0;
}

/* Logs the answer. */
static void log_reply(struct serving *s, const struct datagram *d)
{
	if (wants_line(s)) {
		struct log_context context = log_context_of(s, d);
		enum journal_kind kind = log_answer(s->line, &context, &s->decision);

		journal_line(&s->server->journal, kind, "%s", s->line);
	}
}

/*
 * Answers the query or report that is decoded, if an unknown machine sent it: then there is
 * nothing to look up in the database. Returns as serve_request() does.
 */
static int serve_unknown(struct serving *s, struct datagram *d)
{
	/* All begin with the identity. */
	const struct sender sender = { &s->question.u.request.identity, NULL, NULL,
	                               MATCH_UNCHECKED };
	const struct report_facts facts = { .report = &s->question.u.report,
	                                     .now = s->timestamp->now };
	bool query = s->question.type == MESSAGE_QUERY;
	int rc;

	identify_machine(s->server->index, &sender, &s->who);
	if (s->who.known || s->who.undecided)
		return ERR_AGAIN;
	if (query)
		decide_query(NULL, NULL, PROOF_NONE, s->timestamp->now, &s->decision);
	else
		decide_report(NULL, NULL, &facts, &s->decision);
	rc = put_answer(s, d);
	if (rc)
		return rc;
	count(&s->counters.answered[query ? ANSWERED_DETAILS : ANSWERED_RECEIPT], 1);
	log_reply(s, d);
	return 0;
}

/*
 * Answers the request that is decoded, unless that needs the database.
 * Returns 0, ERR_AGAIN if it is for the writer, ERR_SPACE if the question is too small, or
 * ERR_REFUSED if unknown machines have asked too much.
 */
static int serve_request(struct serving *s, struct datagram *d)
{
	const struct request *request = &s->question.u.request;
	const struct sender sender = { &request->identity, request->isd_device, request,
	                               MATCH_UNCHECKED };
	bool kept;
	int rc;

	identify_machine(s->server->index, &sender, &s->who);
	if (needs_writer(s, d))
		return ERR_AGAIN;
	decide_none(s);
	rc = put_answer(s, d);
	if (rc)
		return rc;
	count(&s->counters.answered[s->who.known ? ANSWERED_LOCAL : ANSWERED_UNKNOWN], 1);
	log_reply(s, d);
	kept = keep_request(s, d);
	if (s->who.known && !s->who.anomaly[0])
		serve_remember(s, d, s->who.entry, kept);
	return 0;
}

/* --- a batch --------------------------------------------------------------- */

/* Decodes a datagram. Returns whether it is a question or an event. */
static bool decode(struct serving *s, const struct datagram *d)
{
	uint64_t *dropped = s->counters.dropped;

	switch (message_decode(&s->question, d->data, d->length)) {
	case 0: break;
	case ERR_TRUNCATED: count(&dropped[DROP_TRUNCATED], 1); return false;
	case ERR_VERSION: count(&dropped[DROP_VERSION], 1); return false;
	case ERR_CRITICAL: count(&dropped[DROP_CRITICAL], 1); return false;
	default: count(&dropped[DROP_MALFORMED], 1); return false;
	}
	if (address_port(&d->from) == 0) {
		count(&dropped[DROP_PEER], 1);
		return false;
	}
	switch (s->question.type) {
	case MESSAGE_REQUEST: count(&s->counters.asked[ASKED_REQUEST], 1); return true;
	case MESSAGE_QUERY: count(&s->counters.asked[ASKED_QUERY], 1); return true;
	case MESSAGE_REPORT: count(&s->counters.asked[ASKED_REPORT], 1); return true;
	case MESSAGE_EVENT: count(&s->counters.asked[ASKED_EVENT], 1); return true;
	default: count(&dropped[DROP_TYPE], 1); return false;
	}
}

/* Answers a question that is decoded, or hands it on. Returns whether it is answered. */
static bool answer_datagram(struct serving *s, struct datagram *d)
{
	int rc;

	if (s->question.type == MESSAGE_EVENT) {
		serve_event(s, d);
		return false;
	}
	rc = s->question.type == MESSAGE_REQUEST ? serve_request(s, d) : serve_unknown(s, d);
	if (rc == 0)
		return true;
	if (rc == ERR_REFUSED)
		count(&s->counters.dropped[DROP_LIMIT], 1);
	else if (rc != ERR_AGAIN)
		count(&s->counters.dropped[DROP_SMALL], 1);
	else if (!lanes_put(&s->server->questions, address_region(&d->from),
	                    address_prefix(&d->from), d))
		count(&s->counters.dropped[DROP_QUEUE], 1);
	return false;
}

/* Reads who asks, and prefetches what is known of them: one step for all at a time, so that memory
 * has as much to do as it can. */
static void prefetch(struct serving *s, const struct datagram *batch, size_t batch_count)
{
	const struct index *index = s->server->index;

	for (size_t i = 0; i < batch_count; i++) {
		struct request_peek *peek = &s->peeks[i];
		struct index_prefetch *prefetch = &s->prefetch[i];

		peek_request(batch[i].data, batch[i].length, peek);
		prefetch->table = NULL;
		prefetch->entry = NULL;
		if (!peek->firmware)
			continue;
		prefetch->isd = all_zero(peek->isd, 16) ? NULL : peek->isd;
		prefetch->uuid = all_zero(peek->identity.uuid, 16) ? NULL : peek->identity.uuid;
		prefetch->mac = peek->identity.mac;
		index_prefetch_begin(index, prefetch);
	}
	for (int step = 0; step < INDEX_PREFETCH_STEPS; step++)
		for (size_t i = 0; i < batch_count; i++)
			index_prefetch_next(index, &s->prefetch[i]);
}

/* Answers datagram @i. Returns whether it has. */
static bool serve_one(struct serving *s, struct datagram *d, size_t i)
{
	d->reply_length = 0;
	d->arrived = s->timestamp->monotonic;
	if (!limit_take(&s->server->limit, address_prefix(&d->from), d->arrived)) {
		count(&s->counters.dropped[DROP_LIMIT], 1);
		return false;
	}
	if (serve_fast(s, d, &s->peeks[i], s->prefetch[i].entry))
		return true;
	/* What takes more: many networks of one region together get no more than a few. */
	if (!limit_take(&s->server->regions, address_region(&d->from), d->arrived)) {
		count(&s->counters.dropped[DROP_LIMIT], 1);
		return false;
	}
	return decode(s, d) && answer_datagram(s, d);
}

uint64_t serve_batch(struct serving *s, struct datagram *batch, size_t batch_count,
                     const struct timestamp *timestamp)
{
	struct server *server = s->server;
	uint64_t answers = 0;

	s->timestamp = timestamp;
	pthread_rwlock_rdlock(&server->lock);
	prefetch(s, batch, batch_count);
	for (size_t i = 0; i < batch_count; i++)
		answers += serve_one(s, &batch[i], i);
	pthread_rwlock_unlock(&server->lock);
	journal_suppress(&server->journal, JOURNAL_KNOWN, s->suppressed);
	s->suppressed = 0;
	return answers;
}

void serving_start(struct serving *serving, struct server *server)
{
	memset(serving, 0, sizeof(*serving));
	serving->server = server;
	server->counters[server->counters_count++] = &serving->counters;
}
