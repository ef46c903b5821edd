/* SPDX-License-Identifier: BSD-2-Clause */
/* New work, and new devices. */
#include "server/daemon/writer.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "server/store/bundles.h"
#include "server/store/multicasts.h"
#include "server/store/unknown.h"
#include "server/store/jobs.h"

/* --- choosing -------------------------------------------------------------- */

static bool same(const struct identity *one, const struct identity *other)
{
	return (memcmp(one->mac, other->mac, sizeof(one->mac)) == 0 &&
	        !all_zero(one->mac, sizeof(one->mac))) ||
	       (memcmp(one->uuid, other->uuid, sizeof(one->uuid)) == 0 &&
	        device_uuid_ok(one->uuid));
}

bool writer_is_news(const struct writer *k, const struct identity *identity)
{
	for (size_t i = 0; i < k->news_count; i++)
		if (same(&k->news[i], identity))
			return true;
	return false;
}

bool writer_has_touched(const struct writer *k, uint64_t device)
{
	for (size_t i = 0; i < k->touched_count; i++)
		if (k->touched[i] == device)
			return true;
	return false;
}

/* What the tools would make of the machine. */
static void make_unknown(const struct pending *pending, const struct moment *moment,
                          struct unknown *unknown)
{
	const struct identity *identity = &pending->question.u.request.identity;
	const struct datagram *d = pending->datagram;

	memset(unknown, 0, sizeof(*unknown));
	memcpy(unknown->mac, identity->mac, sizeof(unknown->mac));
	memcpy(unknown->uuid, identity->uuid, sizeof(unknown->uuid));
	unknown->last = moment->now;
	address_host(&d->from, unknown->address);
	unknown->request = pending->question;
	unknown->length = device_request_length(d->data, d->length);
	memcpy(unknown->datagram, d->data, unknown->length);
}

/* What may_admit() must know. */
struct inquiry {
	struct writer *writer;
	struct pending *pending;
};

/* Tells of what the machine does not get. */
static void tell_withheld(struct writer *k, const struct pending *pending)
{
	switch (pending->ruling.withheld) {
	case WITHHELD_TOTAL:
	case WITHHELD_RATE:
		count(&k->counters.not_admitted, 1);
		break;
	case WITHHELD_HOURLY:
		journal_line(&k->server->journal, JOURNAL_TROUBLE, "warning: no more work for device=%s: "
		             "it has had %d leases within an hour", pending->who.device.name,
		             JOB_HOURLY);
		break;
	default:
		break;
	}
}

/* Who looked like a device, as long as nobody looked into that, is counted with the others now. */
static bool may_admit(void *data)
{
	struct inquiry *inquiry = data;
	struct datagram *d = inquiry->pending->datagram;

	if (!d->may_admit)
		d->may_admit = server_may_admit(inquiry->writer->server, d,
		                                inquiry->writer->moment.monotonic);
	return d->may_admit;
}

int writer_request(struct writer *k, struct pending *pending, const struct job *job)
{
	const struct index *index = k->server->index;
	struct ruling *ruling = &pending->ruling;
	char address[ADDRESS_TEXT];
	struct inquiry inquiry = { k, pending };
	struct asker asker = { .request = &pending->question.u.request, .address = address,
	                       .nonce = pending->question.nonce, .now = k->moment.now,
	                       .who = &pending->who, .may_admit = may_admit, .data = &inquiry };
	int rc;

	address_host(&pending->datagram->from, address);
	if (!pending->who.known) {
		make_unknown(pending, &k->moment, &k->unknown);
		asker.unknown = &k->unknown;
	}
	rc = evaluate_request(&k->store, index, &asker, job, ruling, &pending->decision);
	if (rc)
		return rc;
	tell_withheld(k, pending);
	return ruling->choice.bundle && pending->who.known &&
	       writer_has_touched(k, pending->who.device.id) ? WRITER_CUT : 0;
}

/* --- a device -------------------------------------------------------------- */

int writer_admit(struct writer *k, struct pending *pending)
{
	struct device *device = &pending->who.device;
	struct admission admission;
	int rc;

	/* Weighed anew: what was stored of it just now counts. */
	make_unknown(pending, &k->moment, &k->unknown);
	rc = unknown_weigh(&k->store, &k->unknown, &admission);
	device->added = k->moment.now;
	if (rc == 0)
		rc = unknown_free_name(&k->store, &admission, device->name);
	if (rc == 0)
		rc = unknown_admit(&k->store, &admission, device);
	if (rc == 0)
		rc = device_admitted(&k->store, device->id, k->moment.now);
	if (rc)
		return rc;
	memcpy(k->newcomer_names[k->newcomer_count++], device->name, NAME_SIZE);
	k->news[k->news_count++] = pending->question.u.request.identity;
	pending->who.known = true;
	return 0;
}

/* --- work ------------------------------------------------------------------ */

int writer_give(struct writer *k, struct pending *pending)
{
	const struct choice *choice = &pending->ruling.choice;
	const struct origin origin = { choice->bundle->id, choice->source,
	                               choice->source_id };
	struct job *next = &pending->decision.next;
	struct job job = *next;
	struct bundle_whole bundle;
	int rc = bundle_by_id(&k->store, choice->bundle->id, &bundle);

	job.device = pending->who.device.id;
	if (rc == 0)
		rc = job_add_of(&k->store, &job, &bundle.details, &origin);
	next->number = job.number;
	next->device = job.device;
	pending->decision.reply.u.answer.job = job.number;
	return rc;
}

/* --- sessions -------------------------------------------------------------- */

int writer_join(struct writer *k, const struct job *job)
{
	struct origin origin;
	int rc = job_origin(&k->store, job->number, &origin);

	if (rc || origin.source != SOURCE_MULTICAST || job->attempt > 1)
		return rc;
	k->joined = true;
	return multicast_joined(&k->store, origin.source_id, job->device, k->moment.now);
}

int writer_tell_session(struct writer *k, struct details *details)
{
	const struct session *session;
	struct origin origin;
	char clients[12];
	int rc = job_origin(&k->store, details->job, &origin);

	if (rc || origin.source != SOURCE_MULTICAST)
		return rc;
	session = policy_multicast(index_policy(k->server->index), origin.source_id);
	if (!session)
		return 0;
	text_format(clients, sizeof(clients), "%u", session->joined);
	/* The tools see to it that there is room. */
	if (details_add(details, "multicast", session->name) ||
	    details_add(details, "multicast_state", session_state_name(session->state)) ||
	    details_add(details, "multicast_clients", clients))
		journal_line(&k->server->journal, JOURNAL_TROUBLE, "warning: lease=%llu: the details "
		             "leave no room for those of session %s",
		             (unsigned long long)details->job, session->name);
	return 0;
}

/* Starts or ends one. */
static void advance(struct writer *k, const struct session *session)
{
	bool starts = session->state == SESSION_WAITING;
	int rc = store_begin(&k->store);

	if (rc == 0)
		rc = (starts ? multicast_start : multicast_end)(&k->store, session->id,
		                                                k->moment.now);
	if (rc == 0)
		rc = store_commit(&k->store);
	if (rc) {
		store_rollback(&k->store);
		return; /* the next round will do it */
	}
	journal_line(&k->server->journal, JOURNAL_ALWAYS, "multicast session=%s %s clients=%u",
	             session->name, starts ? "started" : "ended", session->joined);
}

void writer_sessions(struct writer *k)
{
	const struct policy *policy = index_policy(k->server->index);
	bool advanced = false;

	for (size_t i = 0; i < policy->multicast_count; i++) {
		const struct session *session = &policy->multicasts[i];
		enum session_state next;

		if (multicast_next(&k->store, session, k->moment.now, &next) ||
		    next == session->state)
			continue;
		advance(k, session);
		advanced = true;
	}
	if (advanced)
		writer_follow(k);
}
