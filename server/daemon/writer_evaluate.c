/* SPDX-License-Identifier: BSD-2-Clause */
/* One message: from who sent it to its reply. */
#include "server/daemon/writer_evaluate.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "server/store/devices.h"
#include "server/store/events.h"
#include "server/store/jobs.h"

/* --- what the transaction has changed -------------------------------------- */

static bool is_same_machine(const struct identity *one, const struct identity *other)
{
	return (memcmp(one->mac, other->mac, sizeof(one->mac)) == 0 &&
	        !all_zero(one->mac, sizeof(one->mac))) ||
	       (memcmp(one->uuid, other->uuid, sizeof(one->uuid)) == 0 &&
	        device_uuid_ok(one->uuid));
}

/* Says whether this transaction has changed which device @identity is. */
static bool has_changed_identity(const struct part *part, const struct identity *identity)
{
	for (size_t i = 0; i < part->identity_count; i++)
		if (is_same_machine(&part->identities[i], identity))
			return true;
	return false;
}

static bool has_changed_device(const struct part *part, uint64_t device)
{
	for (size_t i = 0; i < part->device_count; i++)
		if (part->devices[i] == device)
			return true;
	return false;
}

/* --- tokens ---------------------------------------------------------------- */

/*
 * Says what @token shows of an attempt at @job.
 * @nonce: of the boot that it should be of
 */
static enum proof prove(const struct writer *w, const struct pending *p, const struct job *job,
                        uint32_t attempt, const uint8_t nonce[NONCE_SIZE],
                        const uint8_t token[TOKEN_SIZE])
{
	struct offer offer = { p->who.device.id, job->number, job->assigned, attempt, { 0 } };

	memcpy(offer.nonce, nonce, sizeof(offer.nonce));
	if (all_zero(token, TOKEN_SIZE))
		return PROOF_NONE;
	return token_is(w->secret, &offer, token) ? PROOF_RIGHT : PROOF_WRONG;
}

/* The same of the attempt that is under way: an agent's nonce is its own. */
static int prove_agent(struct writer *w, const struct pending *p, const struct job *job,
                       const uint8_t token[TOKEN_SIZE], enum proof *proof)
{
	uint8_t nonce[NONCE_SIZE];
	int rc = event_boot_of(&w->store, job->number, nonce);

	*proof = prove(w, p, job, job->attempt, nonce, token);
	/* A nonce of zeros was never a boot's. */
	if (all_zero(nonce, sizeof(nonce)) && *proof == PROOF_RIGHT)
		*proof = PROOF_WRONG;
	return rc;
}

/* --- reports and queries --------------------------------------------------- */

static int evaluate_report(struct writer *w, struct pending *p, const struct job *job)
{
	const struct message *question = &p->question;
	const struct report *report = &question->u.report;
	struct report_facts facts = { .report = report, .now = w->timestamp.now };
	struct job newest;
	int rc = 0;

	if (job && p->who.known && report->state == REPORT_ACCEPTED) {
		rc = job_attempt_of(&w->store, job->number, question->nonce, &facts.accepted);
		facts.proof = prove(w, p, job, job->attempt + (facts.accepted ? 0 : 1),
		                    question->nonce, report->token);
		if (rc == 0 && job->completion == COMPLETION_NEXT_BOOT)
			rc = event_came_back(&w->store, job, &facts.came_back);
	} else if (job && p->who.known) {
		rc = prove_agent(w, p, job, report->token, &facts.proof);
	}
	if (rc == 0 && job && job->given_up) {
		rc = job_newest(&w->store, job->device, &newest);
		facts.superseded = newest.number != job->number && newest.attempt;
	}
	if (rc)
		return rc;
	decide_report(p->who.known ? &p->who.device : NULL, job, &facts, &p->decision);
	return 0;
}

/* Adds to an agent's details the state of the multicast session that its job is of, if it is. */
static int add_session(struct writer *w, struct details *details)
{
	const struct session *session;
	struct origin origin;
	char clients[12];
	int rc = job_origin(&w->store, details->job, &origin);

	if (rc || origin.source != SOURCE_MULTICAST)
		return rc;
	session = catalog_multicast(index_catalog(w->server->index), origin.source_id);
	if (!session)
		return 0;
	text_format(clients, sizeof(clients), "%u", session->joined);
	/* The tools see to it that there is room. */
	if (details_add(details, "multicast", session->name) ||
	    details_add(details, "multicast_state", session_state_name(session->state)) ||
	    details_add(details, "multicast_clients", clients))
		journal_line(&w->server->journal, JOURNAL_TROUBLE, "warning: job=%llu: the details "
		             "leave no room for those of session %s",
		             (unsigned long long)details->job, session->name);
	return 0;
}

static int evaluate_query(struct writer *w, struct pending *p, const struct job *job)
{
	struct details *details = &p->decision.reply.u.details;
	enum proof proof = PROOF_NONE;
	int rc = job ? prove_agent(w, p, job, p->question.u.query.token, &proof) : 0;

	if (rc)
		return rc;
	decide_query(p->who.known ? &p->who.device : NULL, job, proof, w->timestamp.now,
	             &p->decision);
	if (!details->job)
		return 0;
	rc = job_details(&w->store, details->job, details);
	return rc ? rc : add_session(w, details);
}

/* --- requests -------------------------------------------------------------- */

void writer_make_unknown(struct writer *w, const struct pending *p)
{
	const struct identity *identity = &p->question.u.request.identity;
	const struct datagram *d = p->datagram;
	struct unknown *unknown = &w->unknown;

	memset(unknown, 0, sizeof(*unknown));
	memcpy(unknown->mac, identity->mac, sizeof(unknown->mac));
	memcpy(unknown->uuid, identity->uuid, sizeof(unknown->uuid));
	unknown->last = w->timestamp.now;
	address_host(&d->from, unknown->address);
	unknown->request = p->question;
	unknown->length = peek_unpadded_length(d->data, d->length);
	memcpy(unknown->datagram, d->data, unknown->length);
}

/* What may_admit() must know. */
struct admission_request {
	struct writer *writer;
	struct datagram *datagram;
};

/* A machine that was taken for a device until now is counted with the others here. */
static bool may_admit(void *data)
{
	struct admission_request *request = data;
	struct writer *w = request->writer;
	struct datagram *d = request->datagram;

	if (!d->may_admit)
		d->may_admit = server_may_admit(w->server, d, w->timestamp.monotonic);
	return d->may_admit;
}

/* @job: the newest of the device; NULL: it never had one */
static int evaluate_new(struct writer *w, struct pending *p, const struct job *job)
{
	struct admission_request admission = { w, p->datagram };
	char address[ADDRESS_TEXT];
	struct request_context context = {
		.index = w->server->index, .who = &p->who, .request = &p->question.u.request,
		.address = address, .nonce = p->question.nonce, .now = w->timestamp.now,
		.may_admit = may_admit, .data = &admission,
	};
	int rc;

	address_host(&p->datagram->from, address);
	if (!p->who.known) {
		writer_make_unknown(w, p);
		context.unknown = &w->unknown;
	}
	rc = evaluate_request(&w->store, &context, job, &p->evaluation, &p->decision);
	if (rc)
		return rc;
	return p->evaluation.selection.bundle && p->who.known &&
	       has_changed_device(&w->part, p->who.device.id) ? WRITER_CUT : 0;
}

/* --- the whole ------------------------------------------------------------- */

static int find_sender(struct writer *w, struct pending *p)
{
	const struct message *question = &p->question;
	const struct identity *identity = &question->u.request.identity; /* all begin with it */
	int rc;

	p->sender = (struct sender){ .identity = identity };
	if (question->type == MESSAGE_REQUEST) {
		p->sender.isd = question->u.request.isd_device;
		p->sender.request = &question->u.request;
	}
	if (has_changed_identity(&w->part, identity))
		return WRITER_CUT;
	rc = identify_with_store(&w->store, w->server->index, &p->sender, &p->who);
	if (rc)
		return rc;
	return p->who.binds && has_changed_device(&w->part, p->who.device.id) ? WRITER_CUT : 0;
}

int writer_evaluate(struct writer *w, struct pending *p)
{
	const struct message *question = &p->question;
	struct job found, *job = &found;
	int rc = find_sender(w, p);

	p->evaluation.selection.bundle = NULL;
	p->evaluation.admits = false;
	if (rc)
		return rc;
	rc = ERR_NOT_FOUND;
	if (question->type == MESSAGE_REPORT)
		rc = job_by_number(&w->store, question->u.report.job, job);
	else if (p->who.known)
		rc = job_newest(&w->store, p->who.device.id, job);
	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	if (rc)
		job = NULL;
	switch (question->type) {
	case MESSAGE_REQUEST:
		return evaluate_new(w, p, job);
	case MESSAGE_QUERY:
		return evaluate_query(w, p, job);
	default:
		return evaluate_report(w, p, job);
	}
}

/*
 * What cannot be taken back must be on the disk before its reply leaves: each change of a job, and
 * which machine came first, since the next one would be the first if that were lost.
 *
 * A new job can be taken back. It is an offer until a report accepts it, and the commit of that
 * puts the job on the disk, too, as it comes before it in the same log. If the power goes before,
 * the machine finds that there is no such job, and boots its disk. The same goes for a machine that
 * is admitted: its answer has its name, or an offer, and it is admitted again.
 */
enum transaction writer_needs(const struct pending *p)
{
	if (p->decision.changed || p->who.binds || p->sender.match == MATCH_CARD ||
	    p->sender.match == MATCH_SHARED_UUID)
		return TRANSACTION_DURABLE;
	return p->evaluation.selection.bundle || p->evaluation.admits ? TRANSACTION_RELAXED
	                                                              : TRANSACTION_READ;
}

/* --- the reply ------------------------------------------------------------- */

/* Gives the machine what shows that it was offered this. */
static void sign(const struct writer *w, struct pending *p)
{
	struct answer *answer = &p->decision.reply.u.answer;
	const struct job *job = &p->decision.next;
	struct offer offer = { job->device, answer->job, job->assigned, answer->attempt, { 0 } };

	if (p->decision.reply.type != MESSAGE_ANSWER || !answer->job)
		return;
	memcpy(offer.nonce, p->question.nonce, sizeof(offer.nonce));
	token_make(w->secret, &offer, answer->token);
}

int writer_encode(const struct writer *w, struct pending *p)
{
	struct message *reply = &p->decision.reply;
	struct datagram *d = p->datagram;
	size_t length;
	int rc;

	memcpy(reply->nonce, p->question.nonce, sizeof(reply->nonce));
	reply->sequence = p->question.sequence;
	sign(w, p);
	rc = message_encode(reply, d->reply, d->length, &length);
	d->reply_length = rc ? 0 : (uint16_t)length;
	return rc;
}
