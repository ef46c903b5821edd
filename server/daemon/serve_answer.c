/* SPDX-License-Identifier: BSD-2-Clause */
/* What a serving thread answers by itself: that there is no work. */
#include "server/daemon/serve.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/policy/choose.h"
#include "server/policy/decide.h"

/* How many notes there may be a second, and for how long at once. */
#define NANOSECONDS      ((int64_t)1000000000)
#define REQUESTS_COST    (NANOSECONDS / 200)
#define REQUESTS_BURST   (50 * NANOSECONDS)
#define UNKNOWNS_COST   (NANOSECONDS / 100)
#define UNKNOWNS_BURST  (10 * NANOSECONDS)
#define UNKNOWN_MINUTES 1
#define UNKNOWN_BURST    (2 * NANOSECONDS)

/* --- journal and notes ----------------------------------------------------- */

static struct speaker speaker_of(const struct serving *s, const struct datagram *d)
{
	return (struct speaker){ d, &s->question, s->who.known ? s->who.device.name : NULL,
	                         s->who.note };
}

static bool wants_line(const struct serving *s)
{
	enum journal_kind kind = s->who.known ? JOURNAL_KNOWN : JOURNAL_UNKNOWN;
	struct journal *journal = &s->server->journal;

	if (journal_wants(journal, kind, s->moment->monotonic / 1000000))
		return true;
	journal_hold(journal, kind, 1);
	return false;
}

static void put_note(struct serving *s)
{
	if (!queue_put(&s->server->notes, &s->note))
		count(&s->counters.notes_lost, 1);
}

/* Says whether an unknown machine's request is news: another boot, or another minute. */
static bool unknown_is_news(struct serving *s)
{
	struct {
		struct identity identity;
		uint8_t nonce[NONCE_SIZE];
		int64_t minute;
	} key = { .minute = s->moment->now / 60 / UNKNOWN_MINUTES };
	uint64_t hash;
	_Atomic uint64_t *slot;

	key.identity = s->question.u.request.identity;
	memcpy(key.nonce, s->question.nonce, sizeof(key.nonce));
	hash = XXH3_64bits_withSeed(&key, sizeof(key), s->server->seed);
	slot = &s->server->unknowns[hash % SERVE_UNKNOWNS];
	return atomic_exchange_explicit(slot, hash, memory_order_relaxed) != hash;
}

bool serve_notes_full(struct serving *s)
{
	int64_t full = atomic_load_explicit(&s->server->requests_full, memory_order_relaxed);

	return full - s->moment->monotonic > REQUESTS_BURST - REQUESTS_COST ||
	       queue_full(&s->server->notes);
}

/* Has the request kept beside its answer. Returns whether it will be. */
static bool note_request(struct serving *s, const struct datagram *d)
{
	struct server *server = s->server;
	int64_t now = s->moment->monotonic;

	if (!s->who.known && !unknown_is_news(s))
		return false;
	if (queue_full(&server->notes) ||
	    !server_notes(server, s->who.known ? s->who.device.id : 0, d, now) ||
	    !(s->who.known ? limit_pass(&server->requests_full, REQUESTS_COST, REQUESTS_BURST, now)
	                   : limit_pass(&server->unknowns_full, UNKNOWNS_COST,
	                                UNKNOWNS_BURST, now))) {
		count(&s->counters.notes_lost, 1);
		return false;
	}
	note_begin(&s->note, d, &s->question, &s->who, s->moment);
	note_outcome(&s->note, &s->decision);
	put_note(s);
	return true;
}

void serve_event(struct serving *s, const struct datagram *d)
{
	const struct sender sender = { .identity = &s->question.u.event.identity };
	struct server *server = s->server;

	identify_machine(server->index, &sender, &s->who);
	if (wants_line(s)) {
		struct speaker speaker = speaker_of(s, d);
		enum journal_kind kind = log_event(s->line, &speaker);

		journal_line(&server->journal, kind, "%s", s->line);
	}
	if (!s->who.known)
		return;
	if (!limit_take(&server->events, s->who.device.id, s->moment->monotonic)) {
		count(&s->counters.notes_lost, 1);
		return;
	}
	note_begin(&s->note, d, &s->question, &s->who, s->moment);
	put_note(s);
}

/* --- requests -------------------------------------------------------------- */

/* Says whether an unknown machine may become a device now, for which the writer has to write. */
static bool may_admit(struct serving *s, struct datagram *d)
{
	d->may_admit = server_may_admit(s->server, d, s->moment->monotonic);
	if (d->may_admit)
		return true;
	count(&s->counters.not_admitted, 1);
	return false;
}

/* Says whether there is or may be work, which the writer sees to. */
static bool needs_writer(struct serving *s, struct datagram *d)
{
	const struct index *index = s->server->index;
	const struct policy *policy = index_policy(index);
	struct chooser chooser = { index, s->who.entry, &s->question.u.request, "",
	                           s->moment->now };
	char address[ADDRESS_TEXT];
	struct choice choice;

	d->may_admit = false;
	if (s->who.weigh)
		return true;
	if (!s->who.known) {
		if (s->who.pretends)
			return false;
		if (policy->settings.admit_unknown)
			return may_admit(s, d);
		if (!policy->rules_for_unknown)
			return false;
	} else if (s->who.claims || entry_has_open_job(s->who.entry)) {
		return true;
	}
	if (s->who.known ? policy->rules_for_known : policy->rules_for_unknown) {
		address_host(&d->from, address);
		chooser.address = address;
	}
	choose(&chooser, &choice, NULL, NULL);
	return choice.bundle && (s->who.known || may_admit(s, d));
}

/* Decides that there is no work, in the words that decide_request() has for it. */
static void decide_none(struct serving *s)
{
	const struct request *request = &s->question.u.request;
	struct asking asking = { .firmware = request->firmware, .now = s->moment->now };
	const struct settings *settings = &index_policy(s->server->index)->settings;
	struct settings room;
	struct job last = { 0 };

	if (s->who.known) {
		settings = entry_settings(s->server->index, s->who.entry, &room);
		last.state = entry_last_job(s->who.entry);
	}
	decide_request(s->who.known ? &s->who.device : NULL,
	               last.state == JOB_PENDING ? NULL : &last, &asking, &s->decision);
	settings_answer(settings, request->firmware, &s->decision.reply.u.answer);
}

/* Says whether the answer to an unknown machine, of which there are any number, may leave. */
static bool may_answer(struct serving *s)
{
	return s->who.known || !s->server->unknown_cost ||
	       limit_pass(&s->server->unknown_full, s->server->unknown_cost, UNKNOWN_BURST,
	                  s->moment->monotonic);
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

/* Tells of the answer in the log. */
static void tell_answer(struct serving *s, const struct datagram *d)
{
	if (wants_line(s)) {
		struct speaker speaker = speaker_of(s, d);
		enum journal_kind kind = log_answer(s->line, &speaker, &s->decision);

		journal_line(&s->server->journal, kind, "%s", s->line);
	}
}

int serve_unknown(struct serving *s, struct datagram *d)
{
	/* All begin with the identity. */
	const struct sender sender = { &s->question.u.request.identity, NULL, NULL, WEIGHED_NOT };
	const struct reporting reporting = { .report = &s->question.u.report,
	                                     .now = s->moment->now };
	bool query = s->question.type == MESSAGE_QUERY;
	int rc;

	identify_machine(s->server->index, &sender, &s->who);
	if (s->who.known || s->who.weigh)
		return ERR_AGAIN;
	if (query)
		decide_query(NULL, NULL, PROOF_NONE, s->moment->now, &s->decision);
	else
		decide_report(NULL, NULL, &reporting, &s->decision);
	rc = put_answer(s, d);
	if (rc)
		return rc;
	count(&s->counters.answered[query ? ANSWERED_DETAILS : ANSWERED_RECEIPT], 1);
	tell_answer(s, d);
	return 0;
}

int serve_request(struct serving *s, struct datagram *d)
{
	const struct request *request = &s->question.u.request;
	const struct sender sender = { &request->identity, request->isd_device, request,
	                               WEIGHED_NOT };
	bool noted;
	int rc;

	identify_machine(s->server->index, &sender, &s->who);
	if (needs_writer(s, d))
		return ERR_AGAIN;
	decide_none(s);
	rc = put_answer(s, d);
	if (rc)
		return rc;
	count(&s->counters.answered[s->who.known ? ANSWERED_LOCAL : ANSWERED_UNKNOWN], 1);
	tell_answer(s, d);
	noted = note_request(s, d);
	if (s->who.known && !s->who.note[0])
		serve_remember(s, d, s->who.entry, noted);
	return 0;
}
