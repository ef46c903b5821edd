/* SPDX-License-Identifier: BSD-2-Clause */
/* An unknown machine becomes a device: what it is to be known by. */
#include "server/store/unknown.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "server/store/settings.h"

/* --- what counts ----------------------------------------------------------- */

static int look_at_uuid(struct store *store, struct admission *a)
{
	const uint8_t *uuid = a->unknown->uuid;
	struct device other;
	struct uuid_record word;
	int rc;

	if (!device_uuid_ok(uuid))
		return 0;
	rc = uuid_find(store, uuid, &word);
	if (rc)
		return rc;
	a->state = word.state;
	if (word.state == UUID_SHARED || word.state == UUID_IGNORED)
		return 0;
	rc = device_by_uuid(store, uuid, &other);
	a->by_uuid = rc == ERR_NOT_FOUND;
	return a->by_uuid ? 0 : rc;
}

int mac_is_shared(struct store *store, const uint8_t mac[6], bool *shared)
{
	static const struct owner global = { LEVEL_GLOBAL, 0 };
	struct mac_prefix prefixes[SHARED_MACS_MAX];
	struct owner from;
	char value[SETTING_TEXT];
	size_t count = 0;
	int rc = setting_read(store, &global, (size_t)setting_find(SHARED_MACS), value, &from);

	*shared = false;
	if (rc || shared_macs_parse(value, prefixes, &count))
		return rc;
	for (size_t i = 0; i < count && !*shared; i++)
		*shared = memcmp(prefixes[i].bytes, mac, prefixes[i].length) == 0;
	return 0;
}

/* Says in @usable whether a device can be known by a MAC: no dock's, and no other device's. */
static int look_at_mac(struct store *store, struct admission *a, const uint8_t mac[6],
                       bool *usable)
{
	struct device other;
	bool shared;
	int rc;

	*usable = false;
	if (all_zero(mac, 6))
		return 0;
	rc = mac_is_shared(store, mac, &shared);
	if (rc || shared)
		return rc;
	rc = device_by_mac(store, mac, &other);
	*usable = rc == ERR_NOT_FOUND;
	if (rc == 0)
		text_format(a->mac_of, sizeof(a->mac_of), "%s", other.name);
	return *usable ? 0 : rc;
}

/* Takes another unknown machine with the same UUID for a card of this one, or doubts the UUID. */
static int weigh_other(struct store *store, struct admission *a, const struct unknown *other,
                       const struct serials *its)
{
	struct admission unused = { .unknown = other };
	enum likeness likeness;
	struct serials serials;
	bool usable;
	int rc = look_at_mac(store, &unused, other->mac, &usable);

	serials_of(&other->request.u.request, &serials);
	likeness = serials_compare(its, &serials);
	if (likeness == LIKENESS_SAME || a->state == UUID_ALLOWED) {
		if (rc == 0 && usable && a->mac_count < DEVICE_MACS_MAX)
			memcpy(a->macs[a->mac_count++], other->mac, 6);
		return rc;
	}
	/* A MAC that is missing, or is a dock's, is no evidence against it. */
	if (likeness == LIKENESS_DIFFERENT || usable || unused.mac_of[0])
		a->doubtful = true;
	return rc;
}

/* @max: how many others are looked at; 0: all. With a limit, the first doubt ends the search. */
static int look_at_others(struct store *store, struct admission *a, size_t max)
{
	size_t seen = 0;
	struct serials serials;
	struct unknown other;
	struct store_rows *rows;
	int rc = unknown_by_uuid(store, a->unknown->uuid, &rows);

	serials_of(&a->unknown->request.u.request, &serials);
	while (store_next(rows, &rc)) {
		unknown_row(rows, &other);
		rc = memcmp(other.mac, a->unknown->mac, 6) == 0 ? 0 :
		     weigh_other(store, a, &other, &serials);
		if (rc)
			store_end(rows);
		if (rc == 0 && max && (a->doubtful || ++seen > max)) {
			store_end(rows);
			break;
		}
	}
	return rc;
}

int unknown_weigh(struct store *store, const struct unknown *unknown,
                   struct admission *admission)
{
	struct unknown named = *unknown;
	bool usable;
	int rc;

	memset(admission, 0, sizeof(*admission));
	admission->unknown = unknown;
	rc = look_at_uuid(store, admission);
	if (rc == 0)
		rc = look_at_mac(store, admission, unknown->mac, &usable);
	if (rc)
		return rc;
	if (usable)
		memcpy(admission->macs[admission->mac_count++], unknown->mac, 6);
	if (admission->by_uuid)
		rc = look_at_others(store, admission, 0);
	if (admission->doubtful)
		admission->by_uuid = false;
	/* A dock's name would be that of many. */
	if (!usable && admission->by_uuid)
		memset(named.mac, 0, sizeof(named.mac));
	unknown_name(&named, admission->name);
	return rc;
}

int unknown_free_name(struct store *store, const struct admission *admission,
                       char name[NAME_SIZE])
{
	struct device other;
	int rc;

	text_format(name, NAME_SIZE, "%s", admission->name);
	for (uint32_t i = 2; (rc = device_by_name(store, name, &other)) == 0 && i < 1000; i++)
		text_format(name, NAME_SIZE, "%s-%u", admission->name, i);
	return rc == ERR_NOT_FOUND ? 0 : rc ? rc : ERR_REFUSED;
}

/* --- admitting ------------------------------------------------------------- */

/* Stores that several machines report the UUID, and which they are. */
static int keep_doubt(struct store *store, const struct admission *a, int64_t now)
{
	const uint8_t *uuid = a->unknown->uuid;
	struct witness witness;
	struct unknown other;
	struct store_rows *rows;
	size_t noted = 0;
	int rc = uuid_set(store, uuid, UUID_SHARED, now);

	if (rc == 0)
		rc = unknown_by_uuid(store, uuid, &rows);
	while (store_next(rows, &rc)) {
		unknown_row(rows, &other);
		memcpy(witness.mac, other.mac, sizeof(witness.mac));
		serials_of(&other.request.u.request, &witness.serials);
		witness.first = other.first;
		witness.last = other.last;
		rc = witness_add(store, uuid, &witness);
		if (rc)
			store_end(rows);
		if (rc == 0 && ++noted == WITNESSES_MAX) {
			store_end(rows);
			break;
		}
	}
	return rc;
}

/* Says whether others, of which it looks at a few, make the UUID doubtful that counts so far. */
static int look_for_doubt(struct store *store, struct admission *a)
{
	int rc = look_at_uuid(store, a);

	if (rc == 0 && a->by_uuid && a->state == UUID_FREE)
		rc = look_at_others(store, a, WITNESSES_MAX);
	return rc;
}

int unknown_shares(struct store *store, const struct unknown *unknown, bool *shares)
{
	struct admission a = { .unknown = unknown };
	int rc = look_for_doubt(store, &a);

	*shares = a.doubtful;
	return rc;
}

int unknown_doubt(struct store *store, const struct identity *identity, int64_t now)
{
	static const char count[] = "SELECT count(*) FROM uuid";
	struct unknown unknown;
	struct admission a = { .unknown = &unknown };
	int64_t known = 0;
	int rc = device_uuid_ok(identity->uuid) ? unknown_find(store, identity, &unknown)
	                                        : ERR_NOT_FOUND;

	if (rc == 0)
		rc = look_for_doubt(store, &a);
	if (rc || !a.doubtful)
		return rc == ERR_NOT_FOUND ? 0 : rc;
	rc = store_one(store, store_take_number, &known, count, "");
	return rc || known >= UUIDS_DOUBTED_MAX ? rc : keep_doubt(store, &a, now);
}

/* Stores what came with the UUID of a device without MACs: it confirms that UUID from then on. */
static int keep_card(struct store *store, const struct admission *a, uint64_t device, int64_t now)
{
	struct card card;
	bool shared;
	int rc = mac_is_shared(store, a->unknown->mac, &shared);

	memcpy(card.mac, a->unknown->mac, sizeof(card.mac));
	if (shared)
		memset(card.mac, 0, sizeof(card.mac));
	serials_of(&a->unknown->request.u.request, &card.serials);
	return rc ? rc : card_add(store, device, &card, now);
}

static int forget(struct store *store, const struct admission *a)
{
	static const char sql[] = "DELETE FROM unknown_machine WHERE mac = ? AND uuid = ?";
	const uint8_t *uuid = a->unknown->uuid;
	int rc = store_run(store, sql, "bb", a->unknown->mac, (size_t)6, uuid, (size_t)16);

	for (size_t i = 0; rc == 0 && i < a->mac_count; i++)
		rc = store_run(store, sql, "bb", a->macs[i], (size_t)6, uuid, (size_t)16);
	/* All that came with a UUID that counts are this machine. */
	if (rc == 0 && a->by_uuid)
		rc = store_run(store, "DELETE FROM unknown_machine WHERE uuid = ?", "b", uuid, (size_t)16);
	return rc;
}

int unknown_admit(struct store *store, const struct admission *a, struct device *device)
{
	const struct unknown *unknown = a->unknown;
	int rc = a->doubtful ? keep_doubt(store, a, device->added) : 0;

	memset(device->isd, 0, sizeof(device->isd));
	memset(device->uuid, 0, sizeof(device->uuid));
	if (a->by_uuid)
		memcpy(device->uuid, unknown->uuid, sizeof(device->uuid));
	if (rc == 0)
		rc = device_add(store, device, (const uint8_t (*)[6])a->macs, a->mac_count);
	if (rc == 0 && unknown->length)
		rc = device_seen(store, device->id, unknown->last, unknown->address,
		                 unknown->datagram, unknown->length);
	if (rc == 0 && a->mac_count == 0)
		rc = keep_card(store, a, device->id, device->added);
	return rc ? rc : forget(store, a);
}
