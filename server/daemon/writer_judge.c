/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/daemon/writer.h"

#include <string.h>
#include <sys/random.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "server/store/devices.h"
#include "server/store/events.h"
#include "server/store/jobs.h"

/*
 * Says what @token shows of an attempt at @job.
 * @nonce: of the boot that it should be of
 */
static enum proof prove(const struct writer *writer, const struct pending *pending,
                        const struct job *job, uint32_t attempt,
                        const uint8_t nonce[NONCE_SIZE], const uint8_t token[TOKEN_SIZE])
{
	struct offer offer = { pending->who.device.id, job->number, job->assigned, attempt,
	                       { 0 } };

	memcpy(offer.nonce, nonce, sizeof(offer.nonce));
	if (all_zero(token, TOKEN_SIZE))
		return PROOF_NONE;
	return token_is(writer->secret, &offer, token) ? PROOF_RIGHT : PROOF_WRONG;
}

/* The same of the attempt that is under way: an agent's nonce is its own. */
static int prove_agent(struct writer *writer, const struct pending *pending,
                       const struct job *job, const uint8_t token[TOKEN_SIZE],
                       enum proof *proof)
{
	uint8_t nonce[NONCE_SIZE];
	int rc = event_boot_of(&writer->store, job->number, nonce);

	*proof = prove(writer, pending, job, job->attempt, nonce, token);
	/* What is zeros in all offers was never given to a boot. */
	if (all_zero(nonce, sizeof(nonce)) && *proof == PROOF_RIGHT)
		*proof = PROOF_WRONG;
	return rc;
}

static int evaluate_report(struct writer *writer, struct pending *pending, const struct job *job)
{
	const struct message *question = &pending->question;
	const struct report *report = &question->u.report;
	struct reporting reporting = { .report = report, .now = writer->moment.now };
	struct job newest;
	int rc = 0;

	if (job && pending->who.known && report->state == REPORT_ACCEPTED) {
		rc = job_attempt_of(&writer->store, job->number, question->nonce,
		                     &reporting.accepted);
		reporting.proof = prove(writer, pending, job,
		                        job->attempt + (reporting.accepted ? 0 : 1),
		                        question->nonce, report->token);
		if (rc == 0 && job->completion == COMPLETION_NEXT_BOOT)
			rc = event_came_back(&writer->store, job, &reporting.came_back);
	} else if (job && pending->who.known) {
		rc = prove_agent(writer, pending, job, report->token, &reporting.proof);
	}
	if (rc == 0 && job && job->given_up) {
		rc = job_newest(&writer->store, job->device, &newest);
		reporting.superseded = newest.number != job->number && newest.attempt;
	}
	if (rc)
		return rc;
	decide_report(pending->who.known ? &pending->who.device : NULL, job, &reporting,
	              &pending->decision);
	return 0;
}

static int evaluate_query(struct writer *writer, struct pending *pending, const struct job *job)
{
	struct details *details = &pending->decision.reply.u.details;
	enum proof proof = PROOF_NONE;
	int rc = job ? prove_agent(writer, pending, job, pending->question.u.query.token, &proof)
	               : 0;

	if (rc)
		return rc;
	decide_query(pending->who.known ? &pending->who.device : NULL, job, proof,
	             writer->moment.now, &pending->decision);
	if (!details->job)
		return 0;
	rc = job_details(&writer->store, details->job, details);
	return rc ? rc : writer_tell_session(writer, details);
}

/* Finds who asks. What came of that earlier in the transaction must be in the index first. */
static int find_who(struct writer *writer, struct pending *pending)
{
	const struct message *question = &pending->question;
	/* All begin with it. */
	const struct identity *identity = &question->u.request.identity;
	struct identified *who = &pending->who;
	int rc;

	pending->sender = (struct sender){ .identity = identity };
	if (question->type == MESSAGE_REQUEST) {
		pending->sender.isd = question->u.request.isd_device;
		pending->sender.request = &question->u.request;
	}
	if (writer_is_news(writer, identity))
		return WRITER_CUT;
	rc = identify_weighed(&writer->store, writer->server->index, &pending->sender, who,
	                      &pending->weighing);
	if (rc)
		return rc;
	return who->claims && writer_has_touched(writer, who->device.id) ? WRITER_CUT : 0;
}

/* Loads what the question needs from the store, and decides. */
static int evaluate(struct writer *writer, struct pending *pending)
{
	const struct message *question = &pending->question;
	struct store *store = &writer->store;
	struct job found, *job = &found;
	int rc = find_who(writer, pending);

	pending->ruling.choice.bundle = NULL;
	pending->ruling.admits = false;
	if (rc)
		return rc;
	rc = ERR_NOT_FOUND;
	if (question->type == MESSAGE_REPORT)
		rc = job_by_number(store, question->u.report.job, job);
	else if (pending->who.known)
		rc = job_newest(store, pending->who.device.id, job);
	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	if (rc)
		job = NULL;
	switch (question->type) {
	case MESSAGE_REQUEST:
		return writer_request(writer, pending, job);
	case MESSAGE_QUERY:
		return evaluate_query(writer, pending, job);
	default:
		return evaluate_report(writer, pending, job);
	}
}

/* An agent's nonce is its own: its boot is the one that has accepted the work. */
static bool has_nonce_of_boot(const struct message *question)
{
	return question && (question->type == MESSAGE_REQUEST ||
	                    (question->type == MESSAGE_REPORT &&
	                     question->u.report.state == REPORT_ACCEPTED));
}

int writer_apply(struct writer *writer, const struct message *question,
                 const struct decision *decision)
{
	const struct job *next = &decision->next;
	struct event_record event = { .device = next->device, .time = writer->moment.now,
	                           .time_ms = writer->moment.now_ms, .job = next->number };
	int rc = job_update(&writer->store, next);

	if (rc == 0 && decision->counted)
		rc = job_accepted(&writer->store, next, question->nonce);
	if (rc == 0 && decision->counted)
		rc = writer_join(writer, next);
	if (rc == 0 && has_nonce_of_boot(question))
		memcpy(event.boot, question->nonce, sizeof(event.boot));
	else if (rc == 0)
		rc = event_boot_of(&writer->store, next->number, event.boot);
	if (rc)
		return rc;
	text_format(event.step, sizeof(event.step), "%s", job_state_name(next->state));
	if (decision->counted)
		text_format(event.reason, sizeof(event.reason), "attempt %u of %u", next->attempt,
		            next->attempts);
	else
		text_format(event.reason, sizeof(event.reason), "%s", next->reason);
	return event_add(&writer->store, &event);
}

static bool writes(const struct pending *pending)
{
	return pending->decision.changed || pending->ruling.choice.bundle || pending->who.claims ||
	       pending->ruling.admits || pending->sender.weighed == WEIGHED_CARD ||
	       pending->sender.weighed == WEIGHED_SHARED;
}

/*
 * Says whether what it writes must be on the disk before its answer leaves: what cannot be taken
 * back. That is each change of a job; and who came first, of which the next one would be the
 * first if it were lost.
 *
 * New work can be taken back. It is an offer until a report accepts it, and the commit of that puts
 * the work on the disk, too, as it is in the same log, in front. If the power goes before, the
 * machine finds that there is no such job, and boots its disk. The same goes for a machine that
 * becomes a device: it is told its name, or an offer, and becomes one again.
 */
static bool lasts(const struct pending *pending)
{
	return pending->decision.changed || pending->who.claims ||
	       pending->sender.weighed == WEIGHED_CARD || pending->sender.weighed == WEIGHED_SHARED;
}

/* Gives the machine what shows that it was offered this. */
static void sign(const struct writer *writer, struct pending *pending)
{
	struct answer *answer = &pending->decision.reply.u.answer;
	const struct job *job = &pending->decision.next;
	struct offer offer = { job->device, answer->job, job->assigned, answer->attempt,
	                       { 0 } };

	if (pending->decision.reply.type != MESSAGE_ANSWER || !answer->job)
		return;
	memcpy(offer.nonce, pending->question.nonce, sizeof(offer.nonce));
	token_make(writer->secret, &offer, answer->token);
}

static int encode(const struct writer *writer, struct pending *pending)
{
	struct message *reply = &pending->decision.reply;
	struct datagram *d = pending->datagram;
	size_t length;
	int rc;

	memcpy(reply->nonce, pending->question.nonce, sizeof(reply->nonce));
	reply->sequence = pending->question.sequence;
	sign(writer, pending);
	rc = message_encode(reply, d->reply, d->length, &length);
	d->reply_length = rc ? 0 : (uint16_t)length;
	return rc;
}

static void touch(struct writer *writer, uint64_t device)
{
	writer->touched[writer->touched_count++] = device;
}

/* Stores who it was found to be. */
static int store_who(struct writer *writer, struct pending *pending)
{
	const struct identified *who = &pending->who;
	int rc = 0;

	if (pending->sender.weighed != WEIGHED_NOT)
		rc = weigh_keep(&writer->store, &pending->sender, &pending->weighing,
		                writer->moment.now, pending->question.nonce);
	if (rc == 0 && who->claims)
		rc = device_claim(&writer->store, &who->device, &who->identity);
	if (pending->sender.weighed == WEIGHED_CARD || pending->sender.weighed == WEIGHED_SHARED ||
	    who->claims)
		writer->news[writer->news_count++] = *pending->sender.identity;
	if (who->claims)
		touch(writer, who->device.id);
	return rc;
}

/* Stores all that a judgement changes. */
static int store_all(struct writer *writer, struct pending *pending)
{
	int rc = store_who(writer, pending);

	if (rc == 0 && pending->ruling.admits) {
		rc = writer_admit(writer, pending);
		/* As a device it may have work; it is judged again when it is one. */
		if (rc == 0 && !pending->ruling.choice.bundle)
			return WRITER_CUT;
	}
	if (rc == 0 && pending->ruling.choice.bundle)
		rc = writer_give(writer, pending);
	if (rc == 0 && pending->ruling.choice.bundle)
		rc = encode(writer, pending);
	if (rc == 0 && pending->decision.changed)
		rc = writer_apply(writer, &pending->question, &pending->decision);
	if (pending->ruling.choice.bundle || pending->decision.changed)
		touch(writer, pending->decision.next.device);
	return rc;
}

static int begin_writing(struct writer *writer, bool lasting)
{
	int rc = store_relax(&writer->store, !lasting);

	if (rc == 0)
		rc = store_begin(&writer->store);
	writer->lasts = lasting;
	writer->writing = rc == 0;
	return rc;
}

/*
 * Judges from what is there. Only where that changes something is the
 * transaction opened, and then it is judged anew, as things may have moved.
 */
int writer_resolve(struct writer *writer, struct pending *pending)
{
	int rc = evaluate(writer, pending);

	if (rc == 0 && writes(pending) && writer->barred)
		return writer->barred;
	if (rc == 0 && writes(pending) && !writer->writing) {
		/* What was read may be old by now, and cannot be written from. */
		store_rollback(&writer->store);
		rc = begin_writing(writer, writer->lasts || lasts(pending));
		if (rc == 0)
			rc = writer_follow(writer);
		if (rc == 0)
			rc = evaluate(writer, pending);
	}
	/* Others have begun without the disk: it is done in another round. */
	if (rc == 0 && lasts(pending) && !writer->lasts) {
		pending->lasts = true;
		return WRITER_CUT;
	}
	/* First, as work must not count as offered when its answer cannot leave. */
	if (rc == 0)
		rc = encode(writer, pending);
	if (rc)
		return rc;
	pending->depends = writer->writing;
	pending->wrote = writes(pending);
	return store_all(writer, pending);
}

static void take_secret(sqlite3_stmt *row, void *secret)
{
	store_bytes(row, 0, secret, TOKEN_SECRET_SIZE);
}

int writer_secret(struct writer *writer)
{
	int rc = store_one(&writer->store, take_secret, writer->secret,
	                   "SELECT value FROM secret WHERE name = 'tokens'", "");

	if (rc != ERR_NOT_FOUND)
		return rc;
	if (getrandom(writer->secret, sizeof(writer->secret), 0) != sizeof(writer->secret))
		return ERR_IO;
	return store_run(&writer->store, "INSERT INTO secret VALUES ('tokens', ?)", "b",
	                 writer->secret, sizeof(writer->secret));
}
