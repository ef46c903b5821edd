/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/daemon/keeper.h"

#include <string.h>
#include <sys/random.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "server/store/devices.h"
#include "server/store/events.h"
#include "server/store/work.h"

/*
 * Says what @token shows of an attempt at @lease.
 * @nonce: of the boot that it should be of
 */
static enum proof prove(const struct keeper *keeper, const struct matter *matter,
                        const struct lease *lease, uint32_t attempt,
                        const uint8_t nonce[NONCE_SIZE], const uint8_t token[TOKEN_SIZE])
{
	struct offer offer = { matter->who.device.id, lease->number, lease->assigned, attempt,
	                       { 0 } };

	memcpy(offer.nonce, nonce, sizeof(offer.nonce));
	if (all_zero(token, TOKEN_SIZE))
		return PROOF_NONE;
	return token_is(keeper->secret, &offer, token) ? PROOF_RIGHT : PROOF_WRONG;
}

/* The same of the attempt that is under way: an agent's nonce is its own. */
static int prove_agent(struct keeper *keeper, const struct matter *matter,
                       const struct lease *lease, const uint8_t token[TOKEN_SIZE],
                       enum proof *proof)
{
	uint8_t nonce[NONCE_SIZE];
	int rc = event_boot_of(&keeper->store, lease->number, nonce);

	*proof = prove(keeper, matter, lease, lease->attempt, nonce, token);
	/* What is zeros in all offers was never given to a boot. */
	if (all_zero(nonce, sizeof(nonce)) && *proof == PROOF_RIGHT)
		*proof = PROOF_WRONG;
	return rc;
}

static int judge_report(struct keeper *keeper, struct matter *matter, const struct lease *lease)
{
	const struct message *question = &matter->question;
	const struct report *report = &question->u.report;
	struct reporting reporting = { .report = report, .now = keeper->moment.now };
	struct lease newest;
	int rc = 0;

	if (lease && matter->who.known && report->state == WORK_ACCEPTED) {
		rc = work_attempt_of(&keeper->store, lease->number, question->nonce,
		                     &reporting.accepted);
		reporting.proof = prove(keeper, matter, lease,
		                        lease->attempt + (reporting.accepted ? 0 : 1),
		                        question->nonce, report->token);
		if (rc == 0 && lease->completion == COMPLETION_NEXT_BOOT)
			rc = event_came_back(&keeper->store, lease, &reporting.came_back);
	} else if (lease && matter->who.known) {
		rc = prove_agent(keeper, matter, lease, report->token, &reporting.proof);
	}
	if (rc == 0 && lease && lease->given_up) {
		rc = work_newest(&keeper->store, lease->device, &newest);
		reporting.superseded = newest.number != lease->number && newest.attempt;
	}
	if (rc)
		return rc;
	decide_report(matter->who.known ? &matter->who.device : NULL, lease, &reporting,
	              &matter->verdict);
	return 0;
}

static int judge_query(struct keeper *keeper, struct matter *matter, const struct lease *lease)
{
	struct details *details = &matter->verdict.reply.u.details;
	enum proof proof = PROOF_NONE;
	int rc = lease ? prove_agent(keeper, matter, lease, matter->question.u.query.token, &proof)
	               : 0;

	if (rc)
		return rc;
	decide_query(matter->who.known ? &matter->who.device : NULL, lease, proof,
	             keeper->moment.now, &matter->verdict);
	if (!details->lease)
		return 0;
	rc = work_details(&keeper->store, details->lease, details);
	return rc ? rc : keeper_tell_session(keeper, details);
}

/* Finds who asks. What came of that earlier in the transaction must be in the index first. */
static int find_who(struct keeper *keeper, struct matter *matter)
{
	const struct message *question = &matter->question;
	/* All begin with it. */
	const struct identity *identity = &question->u.request.identity;
	struct identified *who = &matter->who;
	int rc;

	matter->sender = (struct sender){ .identity = identity };
	if (question->type == MESSAGE_REQUEST) {
		matter->sender.isd = question->u.request.isd_device;
		matter->sender.request = &question->u.request;
	}
	if (keeper_is_news(keeper, identity))
		return KEEPER_CUT;
	rc = identify_weighed(&keeper->store, keeper->server->index, &matter->sender, who,
	                      &matter->weighing);
	if (rc)
		return rc;
	return who->claims && keeper_has_touched(keeper, who->device.id) ? KEEPER_CUT : 0;
}

/* Loads what the question needs from the store, and decides. */
static int judge(struct keeper *keeper, struct matter *matter)
{
	const struct message *question = &matter->question;
	struct store *store = &keeper->store;
	struct lease found, *lease = &found;
	int rc = find_who(keeper, matter);

	matter->ruling.choice.bundle = NULL;
	matter->ruling.admits = false;
	if (rc)
		return rc;
	rc = ERR_NOT_FOUND;
	if (question->type == MESSAGE_REPORT)
		rc = work_by_lease(store, question->u.report.lease, lease);
	else if (matter->who.known)
		rc = work_newest(store, matter->who.device.id, lease);
	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	if (rc)
		lease = NULL;
	switch (question->type) {
	case MESSAGE_REQUEST:
		return keeper_request(keeper, matter, lease);
	case MESSAGE_QUERY:
		return judge_query(keeper, matter, lease);
	default:
		return judge_report(keeper, matter, lease);
	}
}

/* An agent's nonce is its own: its boot is the one that has accepted the work. */
static bool has_nonce_of_boot(const struct message *question)
{
	return question && (question->type == MESSAGE_REQUEST ||
	                    (question->type == MESSAGE_REPORT &&
	                     question->u.report.state == WORK_ACCEPTED));
}

int keeper_apply(struct keeper *keeper, const struct message *question,
                 const struct verdict *verdict)
{
	const struct lease *next = &verdict->next;
	struct happening event = { .device = next->device, .time = keeper->moment.now,
	                           .time_ms = keeper->moment.now_ms, .lease = next->number };
	int rc = work_update(&keeper->store, next);

	if (rc == 0 && verdict->counted)
		rc = work_accepted(&keeper->store, next, question->nonce);
	if (rc == 0 && verdict->counted)
		rc = keeper_join(keeper, next);
	if (rc == 0 && has_nonce_of_boot(question))
		memcpy(event.boot, question->nonce, sizeof(event.boot));
	else if (rc == 0)
		rc = event_boot_of(&keeper->store, next->number, event.boot);
	if (rc)
		return rc;
	text_format(event.step, sizeof(event.step), "%s", lease_state_name(next->state));
	if (verdict->counted)
		text_format(event.reason, sizeof(event.reason), "attempt %u of %u", next->attempt,
		            next->attempts);
	else
		text_format(event.reason, sizeof(event.reason), "%s", next->reason);
	return event_add(&keeper->store, &event);
}

static bool writes(const struct matter *matter)
{
	return matter->verdict.changed || matter->ruling.choice.bundle || matter->who.claims ||
	       matter->ruling.admits || matter->sender.weighed == WEIGHED_CARD ||
	       matter->sender.weighed == WEIGHED_SHARED;
}

/*
 * Says whether what it writes must be on the disk before its answer leaves: what cannot be taken
 * back. That is each change of a lease; and who came first, of which the next one would be the
 * first if it were lost.
 *
 * New work can be taken back. It is an offer until a report accepts it, and the commit of that puts
 * the work on the disk, too, as it is in the same log, in front. If the power goes before, the
 * machine finds that there is no such lease, and boots its disk. The same goes for a machine that
 * becomes a device: it is told its name, or an offer, and becomes one again.
 */
static bool lasts(const struct matter *matter)
{
	return matter->verdict.changed || matter->who.claims ||
	       matter->sender.weighed == WEIGHED_CARD || matter->sender.weighed == WEIGHED_SHARED;
}

/* Gives the machine what shows that it was offered this. */
static void sign(const struct keeper *keeper, struct matter *matter)
{
	struct answer *answer = &matter->verdict.reply.u.answer;
	const struct lease *lease = &matter->verdict.next;
	struct offer offer = { lease->device, answer->lease, lease->assigned, answer->attempt,
	                       { 0 } };

	if (matter->verdict.reply.type != MESSAGE_ANSWER || !answer->lease)
		return;
	memcpy(offer.nonce, matter->question.nonce, sizeof(offer.nonce));
	token_make(keeper->secret, &offer, answer->token);
}

static int encode(const struct keeper *keeper, struct matter *matter)
{
	struct message *reply = &matter->verdict.reply;
	struct datagram *d = matter->datagram;
	size_t length;
	int rc;

	memcpy(reply->nonce, matter->question.nonce, sizeof(reply->nonce));
	reply->sequence = matter->question.sequence;
	sign(keeper, matter);
	rc = message_encode(reply, d->reply, d->length, &length);
	d->reply_length = rc ? 0 : (uint16_t)length;
	return rc;
}

static void touch(struct keeper *keeper, uint64_t device)
{
	keeper->touched[keeper->touched_count++] = device;
}

/* Stores who it was found to be. */
static int store_who(struct keeper *keeper, struct matter *matter)
{
	const struct identified *who = &matter->who;
	int rc = 0;

	if (matter->sender.weighed != WEIGHED_NOT)
		rc = weigh_keep(&keeper->store, &matter->sender, &matter->weighing,
		                keeper->moment.now, matter->question.nonce);
	if (rc == 0 && who->claims)
		rc = device_claim(&keeper->store, &who->device, &who->identity);
	if (matter->sender.weighed == WEIGHED_CARD || matter->sender.weighed == WEIGHED_SHARED ||
	    who->claims)
		keeper->news[keeper->news_count++] = *matter->sender.identity;
	if (who->claims)
		touch(keeper, who->device.id);
	return rc;
}

/* Stores all that a judgement changes. */
static int store_all(struct keeper *keeper, struct matter *matter)
{
	int rc = store_who(keeper, matter);

	if (rc == 0 && matter->ruling.admits) {
		rc = keeper_admit(keeper, matter);
		/* As a device it may have work; it is judged again when it is one. */
		if (rc == 0 && !matter->ruling.choice.bundle)
			return KEEPER_CUT;
	}
	if (rc == 0 && matter->ruling.choice.bundle)
		rc = keeper_give(keeper, matter);
	if (rc == 0 && matter->ruling.choice.bundle)
		rc = encode(keeper, matter);
	if (rc == 0 && matter->verdict.changed)
		rc = keeper_apply(keeper, &matter->question, &matter->verdict);
	if (matter->ruling.choice.bundle || matter->verdict.changed)
		touch(keeper, matter->verdict.next.device);
	return rc;
}

static int begin_writing(struct keeper *keeper, bool lasting)
{
	int rc = store_relax(&keeper->store, !lasting);

	if (rc == 0)
		rc = store_begin(&keeper->store);
	keeper->lasts = lasting;
	keeper->writing = rc == 0;
	return rc;
}

/*
 * Judges from what is there. Only where that changes something is the
 * transaction opened, and then it is judged anew, as things may have moved.
 */
int keeper_resolve(struct keeper *keeper, struct matter *matter)
{
	int rc = judge(keeper, matter);

	if (rc == 0 && writes(matter) && keeper->barred)
		return keeper->barred;
	if (rc == 0 && writes(matter) && !keeper->writing) {
		/* What was read may be old by now, and cannot be written from. */
		store_rollback(&keeper->store);
		rc = begin_writing(keeper, keeper->lasts || lasts(matter));
		if (rc == 0)
			rc = keeper_follow(keeper);
		if (rc == 0)
			rc = judge(keeper, matter);
	}
	/* Others have begun without the disk: it is done in another round. */
	if (rc == 0 && lasts(matter) && !keeper->lasts) {
		matter->lasts = true;
		return KEEPER_CUT;
	}
	/* First, as work must not count as offered when its answer cannot leave. */
	if (rc == 0)
		rc = encode(keeper, matter);
	if (rc)
		return rc;
	matter->depends = keeper->writing;
	matter->wrote = writes(matter);
	return store_all(keeper, matter);
}

static void take_secret(sqlite3_stmt *row, void *secret)
{
	store_bytes(row, 0, secret, TOKEN_SECRET_SIZE);
}

int keeper_secret(struct keeper *keeper)
{
	int rc = store_one(&keeper->store, take_secret, keeper->secret,
	                   "SELECT value FROM secret WHERE name = 'tokens'", "");

	if (rc != ERR_NOT_FOUND)
		return rc;
	if (getrandom(keeper->secret, sizeof(keeper->secret), 0) != sizeof(keeper->secret))
		return ERR_IO;
	return store_run(&keeper->store, "INSERT INTO secret VALUES ('tokens', ?)", "b",
	                 keeper->secret, sizeof(keeper->secret));
}
