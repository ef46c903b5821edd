/* SPDX-License-Identifier: BSD-2-Clause */
/* New work, and new devices. */
#include "keeper.h"

#include <string.h>

#include "bundles.h"
#include "error.h"
#include "message_fields.h"
#include "multicasts.h"
#include "strangers.h"
#include "text.h"
#include "work.h"

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

/* Takes back that the machine becomes a device where there are as many as there may be. */
static int check_admission(struct keeper *k, struct matter *matter)
{
	int64_t limit = index_policy(k->server->index)->settings.admit_limit, admitted;
	int rc = device_admissions(&k->store, &admitted);

	if (rc || admitted < limit)
		return rc;
	matter->admits = false;
	matter->choice.bundle = NULL;
	count(&k->counters.not_admitted, 1);
	return 0;
}

/* Takes back what the device has had before, and is to have again, if it has had much of late: a
 * lease is kept for long. */
static int check_hour(struct keeper *k, struct matter *matter)
{
	const struct choice *choice = &matter->choice;
	bool many = false;
	int rc;

	if (!choice->bundle || entry_past(matter->who.entry, PAST_OF_BUNDLE,
	                                  choice->bundle->id) == PAST_NONE)
		return 0;
	rc = work_many(&k->store, matter->who.device.id, k->moment.now - 3600, &many);
	if (many) {
		matter->choice.bundle = NULL;
		journal_line(&k->server->journal, JOURNAL_TROUBLE, "warning: no more work for device=%s: "
		             "it has had %d leases within an hour", matter->who.device.name,
		             WORK_HOURLY);
	}
	return rc;
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

/* Says whether a stranger could be known again, and by what. */
static int weigh_admission(struct keeper *k, struct matter *matter)
{
	int rc;

	make_stranger(matter, &k->moment, &k->stranger);
	rc = stranger_weigh(&k->store, &k->stranger, &k->admission);
	matter->admits = rc == 0 && (k->admission.by_uuid || k->admission.mac_count);
	if (rc == 0 && !matter->admits)
		matter->choice.bundle = NULL;
	return rc;
}

int keeper_choose(struct keeper *k, struct matter *matter)
{
	const struct index *index = k->server->index;
	const struct policy *policy = index_policy(index);
	char address[ADDRESS_TEXT];
	const struct chooser chooser = { index, matter->who.entry, &matter->question.u.request,
	                                 address, k->moment.now };
	int rc;

	if (!matter->who.known && matter->who.pretends)
		return 0;
	address_host(&matter->datagram->from, address);
	choose(&chooser, &matter->choice, NULL, NULL);
	if (!matter->who.known && (matter->choice.bundle || policy->settings.admit_unknown)) {
		rc = weigh_admission(k, matter);
		if (rc == 0 && matter->admits)
			rc = check_admission(k, matter);
	} else {
		rc = check_hour(k, matter);
	}
	if (rc)
		return rc;
	return matter->choice.bundle && matter->who.known &&
	       keeper_has_touched(k, matter->who.device.id) ? KEEPER_CUT : 0;
}

const struct settings *keeper_settings(const struct keeper *k, const struct matter *matter,
                                       struct settings *room)
{
	const struct index *index = k->server->index;

	return matter->who.known ? entry_settings(index, matter->who.entry, room)
	                         : &index_policy(index)->settings;
}

/* --- a device -------------------------------------------------------------- */

int keeper_admit(struct keeper *k, struct matter *matter)
{
	struct device *device = &matter->who.device;
	int rc = weigh_admission(k, matter);

	device->added = k->moment.now;
	if (rc == 0)
		rc = stranger_free_name(&k->store, &k->admission, device->name);
	if (rc == 0)
		rc = stranger_admit(&k->store, &k->admission, device);
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

void keeper_plan(struct keeper *k, struct matter *matter, const struct asking *asking)
{
	struct device device = matter->who.device;
	struct settings settings;
	struct lease lease;

	/* Its name is told, so that must be known by now; the number has any value. */
	if (matter->admits)
		stranger_free_name(&k->store, &k->admission, device.name);
	bundle_lease(matter->choice.bundle, keeper_settings(k, matter, &settings), &lease);
	lease.number = UINT64_MAX;
	lease.device = device.id;
	lease.assigned = k->moment.now;
	decide_request(&device, &lease, asking, &matter->verdict);
	if (matter->verdict.reply.u.answer.decision == DECISION_WORK)
		text_format(matter->verdict.reason, sizeof(matter->verdict.reason), "%s",
		            matter->choice.reason);
	else
		matter->choice.bundle = NULL;
}

int keeper_give(struct keeper *k, struct matter *matter)
{
	const struct choice *choice = &matter->choice;
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

/* Says whether a session that waits is to start; never with nobody. */
static bool is_due(const struct multicast *session, int64_t now)
{
	if (session->state != MULTICAST_WAITING)
		return false;
	return (session->clients && session->joined >= session->clients) ||
	       (session->wait && session->joined &&
	        session->last_joined + session->wait <= now);
}

/* Says whether none of those that joined is at it any more. */
static int is_over(struct keeper *k, const struct multicast *session, bool *over)
{
	static const char sql[] =
		"SELECT 1 FROM multicast_member AS m JOIN work ON work.device = m.device"
		" AND work.state IN ('pending', 'offered', 'begun')"
		" WHERE m.multicast = ?1 AND work.source = 'multicast' AND work.source_id = ?1"
		" LIMIT 1";
	sqlite3_stmt *row;
	int rc = store_start(&k->store, &row, sql, "i", (int64_t)session->id);

	if (rc || (rc = store_step(&k->store, row)) < 0)
		return rc;
	*over = rc == 0;
	if (rc == 1)
		store_end(row);
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
		bool over = false;

		if (session->state == MULTICAST_STARTED && is_over(k, session, &over))
			continue;
		if (!over && !is_due(session, k->moment.now))
			continue;
		advance(k, session);
		advanced = true;
	}
	if (advanced)
		keeper_follow(k);
}
