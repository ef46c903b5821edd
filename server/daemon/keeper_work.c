/* SPDX-License-Identifier: BSD-2-Clause */
/* New work, and new devices. */
#include "server/daemon/keeper.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "server/store/bundles.h"
#include "server/store/multicasts.h"
#include "server/store/strangers.h"
#include "server/store/work.h"

/* --- choosing -------------------------------------------------------------- */

static bool same(const struct identity *one, const struct identity *other)
{
	return (memcmp(one->mac, other->mac, sizeof(one->mac)) == 0 &&
	        !all_zero(one->mac, sizeof(one->mac))) ||
	       (memcmp(one->uuid, other->uuid, sizeof(one->uuid)) == 0 &&
	        device_uuid_ok(one->uuid));
}

bool keeper_is_news(const struct keeper *k, const struct identity *identity)
{
	for (size_t i = 0; i < k->news_count; i++)
		if (same(&k->news[i], identity))
			return true;
	return false;
}

bool keeper_has_touched(const struct keeper *k, uint64_t device)
{
	for (size_t i = 0; i < k->touched_count; i++)
		if (k->touched[i] == device)
			return true;
	return false;
}

/* What the tools would make of the machine. */
static void make_stranger(const struct matter *matter, const struct moment *moment,
                          struct stranger *stranger)
{
	const struct identity *identity = &matter->question.u.request.identity;
	const struct datagram *d = matter->datagram;

	memset(stranger, 0, sizeof(*stranger));
	memcpy(stranger->mac, identity->mac, sizeof(stranger->mac));
	memcpy(stranger->uuid, identity->uuid, sizeof(stranger->uuid));
	stranger->last = moment->now;
	address_host(&d->from, stranger->address);
	stranger->request = matter->question;
	stranger->length = device_request_length(d->data, d->length);
	memcpy(stranger->datagram, d->data, stranger->length);
}

/* What may_admit() must know. */
struct inquiry {
	struct keeper *keeper;
	struct matter *matter;
};

/* Tells of what the machine does not get. */
static void tell_withheld(struct keeper *k, const struct matter *matter)
{
	switch (matter->ruling.withheld) {
	case WITHHELD_TOTAL:
	case WITHHELD_RATE:
		count(&k->counters.not_admitted, 1);
		break;
	case WITHHELD_HOURLY:
		journal_line(&k->server->journal, JOURNAL_TROUBLE, "warning: no more work for device=%s: "
		             "it has had %d leases within an hour", matter->who.device.name,
		             WORK_HOURLY);
		break;
	default:
		break;
	}
}

/* Who looked like a device, as long as nobody looked into that, is counted with the others now. */
static bool may_admit(void *data)
{
	struct inquiry *inquiry = data;
	struct datagram *d = inquiry->matter->datagram;

	if (!d->may_admit)
		d->may_admit = server_may_admit(inquiry->keeper->server, d,
		                                inquiry->keeper->moment.monotonic);
	return d->may_admit;
}

int keeper_request(struct keeper *k, struct matter *matter, const struct lease *lease)
{
	const struct index *index = k->server->index;
	struct ruling *ruling = &matter->ruling;
	char address[ADDRESS_TEXT];
	struct inquiry inquiry = { k, matter };
	struct asker asker = { .request = &matter->question.u.request, .address = address,
	                       .nonce = matter->question.nonce, .now = k->moment.now,
	                       .who = &matter->who, .may_admit = may_admit, .data = &inquiry };
	int rc;

	address_host(&matter->datagram->from, address);
	if (!matter->who.known) {
		make_stranger(matter, &k->moment, &k->stranger);
		asker.stranger = &k->stranger;
	}
	rc = judge_request(&k->store, index, &asker, lease, ruling, &matter->verdict);
	if (rc)
		return rc;
	tell_withheld(k, matter);
	return ruling->choice.bundle && matter->who.known &&
	       keeper_has_touched(k, matter->who.device.id) ? KEEPER_CUT : 0;
}

/* --- a device -------------------------------------------------------------- */

int keeper_admit(struct keeper *k, struct matter *matter)
{
	struct device *device = &matter->who.device;
	struct admission admission;
	int rc;

	/* Weighed anew: what was stored of it just now counts. */
	make_stranger(matter, &k->moment, &k->stranger);
	rc = stranger_weigh(&k->store, &k->stranger, &admission);
	device->added = k->moment.now;
	if (rc == 0)
		rc = stranger_free_name(&k->store, &admission, device->name);
	if (rc == 0)
		rc = stranger_admit(&k->store, &admission, device);
	if (rc == 0)
		rc = device_admitted(&k->store, device->id, k->moment.now);
	if (rc)
		return rc;
	memcpy(k->newcomer_names[k->newcomer_count++], device->name, NAME_SIZE);
	k->news[k->news_count++] = matter->question.u.request.identity;
	matter->who.known = true;
	return 0;
}

/* --- work ------------------------------------------------------------------ */

int keeper_give(struct keeper *k, struct matter *matter)
{
	const struct choice *choice = &matter->ruling.choice;
	const struct origin origin = { choice->bundle->id, source_name(choice->source),
	                               choice->source_id };
	struct lease *next = &matter->verdict.next;
	struct lease lease = *next;
	struct bundle_whole bundle;
	int rc = bundle_by_id(&k->store, choice->bundle->id, &bundle);

	lease.device = matter->who.device.id;
	if (rc == 0)
		rc = work_add_of(&k->store, &lease, &bundle.details, &origin);
	next->number = lease.number;
	next->device = lease.device;
	matter->verdict.reply.u.answer.lease = lease.number;
	return rc;
}

/* --- sessions -------------------------------------------------------------- */

int keeper_join(struct keeper *k, const struct lease *lease)
{
	struct origin origin;
	int rc = work_origin(&k->store, lease->number, &origin);

	if (rc || strcmp(origin.source, source_name(SOURCE_MULTICAST)) != 0 || lease->attempt > 1)
		return rc;
	k->joined = true;
	return multicast_joined(&k->store, origin.source_id, lease->device, k->moment.now);
}

int keeper_tell_session(struct keeper *k, struct details *details)
{
	const struct multicast *session;
	struct origin origin;
	char clients[12];
	int rc = work_origin(&k->store, details->lease, &origin);

	if (rc || strcmp(origin.source, source_name(SOURCE_MULTICAST)) != 0)
		return rc;
	session = policy_multicast(index_policy(k->server->index), origin.source_id);
	if (!session)
		return 0;
	text_format(clients, sizeof(clients), "%u", session->joined);
	/* The tools see to it that there is room. */
	if (details_add(details, "multicast", session->name) ||
	    details_add(details, "multicast_state", multicast_state_name(session->state)) ||
	    details_add(details, "multicast_clients", clients))
		journal_line(&k->server->journal, JOURNAL_TROUBLE, "warning: lease=%llu: the details "
		             "leave no room for those of session %s",
		             (unsigned long long)details->lease, session->name);
	return 0;
}

/* Starts or ends one. */
static void advance(struct keeper *k, const struct multicast *session)
{
	bool starts = session->state == MULTICAST_WAITING;
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

void keeper_sessions(struct keeper *k)
{
	const struct policy *policy = index_policy(k->server->index);
	bool advanced = false;

	for (size_t i = 0; i < policy->multicast_count; i++) {
		const struct multicast *session = &policy->multicasts[i];
		enum multicast_state next;

		if (multicast_next(&k->store, session, k->moment.now, &next) ||
		    next == session->state)
			continue;
		advance(k, session);
		advanced = true;
	}
	if (advanced)
		keeper_follow(k);
}
