/* SPDX-License-Identifier: BSD-2-Clause */
/* An unknown machine becomes a device: what it is to be known by. */
#include "server/store/admission.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "server/store/settings.h"

/* --- what counts ----------------------------------------------------------- */

static int check_uuid(struct store *store, struct admission *a)
{
	const uint8_t *uuid = a->unknown->uuid;
	struct device other;
	struct uuid_record record;
	int rc;

	if (!device_uuid_ok(uuid))
		return 0;
	rc = uuid_find(store, uuid, &record);
	if (rc)
		return rc;
	a->state = record.state;
	if (record.state == UUID_SHARED || record.state == UUID_IGNORED)
		return 0;
	rc = device_by_uuid(store, uuid, &other);
	a->by_uuid = rc == ERR_NOT_FOUND;
	return a->by_uuid ? 0 : rc;
}

/* Says in @usable whether a device can be known by a MAC: no dock's, and no other device's. */
static int check_mac(struct store *store, struct admission *a, const uint8_t mac[6],
                       bool *usable)
{
	struct device other;
	bool shared;
	int rc;

	*usable = false;
	if (all_zero(mac, 6))
		return 0;
	rc = setting_is_shared_mac(store, mac, &shared);
	if (rc || shared)
		return rc;
	rc = device_by_mac(store, mac, &other);
	*usable = rc == ERR_NOT_FOUND;
	if (rc == 0)
		text_format(a->mac_of, sizeof(a->mac_of), "%s", other.name);
	return *usable ? 0 : rc;
}

/* Takes another unknown machine with the same UUID for a card of this one, or the UUID for a
 * shared one. */
static int compare_other(struct store *store, struct admission *a, const struct unknown *other,
                         const struct serials *its)
{
	struct admission unused = { .unknown = other };
	enum likeness likeness;
	struct serials serials;
	bool usable;
	int rc = check_mac(store, &unused, other->mac, &usable);

	serials_of(&other->request.u.request, &serials);
	likeness = serials_compare(its, &serials);
	if (likeness == LIKENESS_SAME || a->state == UUID_ALLOWED) {
		if (rc == 0 && usable && a->mac_count < DEVICE_MACS_MAX)
			memcpy(a->macs[a->mac_count++], other->mac, 6);
		return rc;
	}
	/* A MAC that is missing, or is a dock's, is no evidence against it. */
	if (likeness == LIKENESS_DIFFERENT || usable || unused.mac_of[0])
		a->shared = true;
	return rc;
}

/* @max: how many others are looked at; 0: all. With a limit, the first that is
 * another machine ends the search. */
static int check_others(struct store *store, struct admission *a, size_t max)
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
		     compare_other(store, a, &other, &serials);
		if (rc)
			store_end(rows);
		if (rc == 0 && max && (a->shared || ++seen > max)) {
			store_end(rows);
			break;
		}
	}
	return rc;
}

int admission_evaluate(struct store *store, const struct unknown *unknown,
                       struct admission *admission)
{
	struct unknown named = *unknown;
	bool usable;
	int rc;

	memset(admission, 0, sizeof(*admission));
	admission->unknown = unknown;
	rc = check_uuid(store, admission);
	if (rc == 0)
		rc = check_mac(store, admission, unknown->mac, &usable);
	if (rc)
		return rc;
	if (usable)
		memcpy(admission->macs[admission->mac_count++], unknown->mac, 6);
	if (admission->by_uuid)
		rc = check_others(store, admission, 0);
	if (admission->shared)
		admission->by_uuid = false;
	/* A dock's name would be that of many. */
	if (!usable && admission->by_uuid)
		memset(named.mac, 0, sizeof(named.mac));
	unknown_name(&named, admission->name);
	return rc;
}

int admission_free_name(struct store *store, const struct admission *admission,
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
static int mark_shared(struct store *store, const struct admission *a, int64_t now)
{
	const uint8_t *uuid = a->unknown->uuid;
	struct sighting sighting;
	struct unknown other;
	struct store_rows *rows;
	size_t added = 0;
	int rc = uuid_set(store, uuid, UUID_SHARED, now);

	if (rc == 0)
		rc = unknown_by_uuid(store, uuid, &rows);
	while (store_next(rows, &rc)) {
		unknown_row(rows, &other);
		memcpy(sighting.mac, other.mac, sizeof(sighting.mac));
		serials_of(&other.request.u.request, &sighting.serials);
		sighting.first = other.first;
		sighting.last = other.last;
		rc = sighting_add(store, uuid, &sighting);
		if (rc)
			store_end(rows);
		if (rc == 0 && ++added == SIGHTINGS_MAX) {
			store_end(rows);
			break;
		}
	}
	return rc;
}

/* Finds out whether others, of which it looks at a few, share the UUID that counts so far. */
static int find_sharing(struct store *store, struct admission *a)
{
	int rc = check_uuid(store, a);

	if (rc == 0 && a->by_uuid && a->state == UUID_FREE)
		rc = check_others(store, a, SIGHTINGS_MAX);
	return rc;
}

int admission_would_share(struct store *store, const struct unknown *unknown, bool *shares)
{
	struct admission a = { .unknown = unknown };
	int rc = find_sharing(store, &a);

	*shares = a.shared;
	return rc;
}

int admission_mark_shared(struct store *store, const struct identity *identity, int64_t now)
{
	static const char count[] = "SELECT count(*) FROM uuid";
	struct unknown unknown;
	struct admission a = { .unknown = &unknown };
	int64_t known = 0;
	int rc = device_uuid_ok(identity->uuid) ? unknown_find(store, identity, &unknown)
	                                        : ERR_NOT_FOUND;

	if (rc == 0)
		rc = find_sharing(store, &a);
	if (rc || !a.shared)
		return rc == ERR_NOT_FOUND ? 0 : rc;
	rc = store_one(store, store_take_number, &known, count, "");
	return rc || known >= UUIDS_MARKED_MAX ? rc : mark_shared(store, &a, now);
}

/* Stores what came with the UUID of a device without MACs: it confirms that UUID from then on. */
static int store_card(struct store *store, const struct admission *a, uint64_t device, int64_t now)
{
	struct card card;
	bool shared;
	int rc = setting_is_shared_mac(store, a->unknown->mac, &shared);

	memcpy(card.mac, a->unknown->mac, sizeof(card.mac));
	if (shared)
		memset(card.mac, 0, sizeof(card.mac));
	serials_of(&a->unknown->request.u.request, &card.serials);
	return rc ? rc : card_add(store, device, &card, now);
}

static int remove_unknown(struct store *store, const struct admission *a)
{
	static const char sql[] = "DELETE FROM unknown_machine WHERE mac = ? AND uuid = ?";
	const uint8_t *uuid = a->unknown->uuid;
	int rc = store_run(store, sql, "bb", a->unknown->mac, (size_t)6, uuid, (size_t)16);

	for (size_t i = 0; rc == 0 && i < a->mac_count; i++)
		rc = store_run(store, sql, "bb", a->macs[i], (size_t)6, uuid, (size_t)16);
	/* All that came with a UUID that counts are this machine. */
	if (rc == 0 && a->by_uuid)
		rc = store_run(store, "DELETE FROM unknown_machine WHERE uuid = ?", "b", uuid,
		               (size_t)16);
	return rc;
}

int admission_apply(struct store *store, const struct admission *a, struct device *device)
{
	const struct unknown *unknown = a->unknown;
	int rc = a->shared ? mark_shared(store, a, device->added) : 0;

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
		rc = store_card(store, a, device->id, device->added);
	return rc ? rc : remove_unknown(store, a);
}

/* --- for the administrator -------------------------------------------------- */

/* Its UUID alone, or with those of other unknown machines. */
static int note_uuid(struct store *store, const struct unknown *unknown,
                        char note[REASON_SIZE])
{
	struct uuid_record record;
	bool shares;
	int rc = uuid_find(store, unknown->uuid, &record);

	if (rc)
		return rc;
	if (record.state == UUID_SHARED)
		text_format(note, REASON_SIZE, "shared UUID: other machines have it too");
	if (record.state == UUID_IGNORED)
		text_format(note, REASON_SIZE, "ignored UUID");
	if (record.state != UUID_FREE)
		return 0;
	rc = admission_would_share(store, unknown, &shares);
	if (rc == 0 && shares)
		text_format(note, REASON_SIZE, "shared UUID: other unknown machines have it too");
	return rc;
}

static int note_other_order(struct store *store, const struct unknown *unknown,
                               char note[REASON_SIZE])
{
	struct device device;
	uint8_t swapped[16];
	int rc;

	device_uuid_swap(unknown->uuid, swapped);
	if (memcmp(swapped, unknown->uuid, sizeof(swapped)) == 0)
		return 0;
	rc = device_by_uuid(store, swapped, &device);
	if (rc == 0)
		text_format(note, REASON_SIZE, "UUID of device %s in the other byte order",
		            device.name);
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

static int note_mac(struct store *store, const struct unknown *unknown,
                       char note[REASON_SIZE])
{
	struct device device;
	int rc = all_zero(unknown->mac, 6) ? ERR_NOT_FOUND :
	         device_by_mac(store, unknown->mac, &device);

	if (rc)
		return rc == ERR_NOT_FOUND ? 0 : rc;
	if (!all_zero(device.bound_uuid, 16))
		text_format(note, REASON_SIZE, "MAC of device %s, which another UUID has claimed",
		            device.name);
	else if (!all_zero(device.uuid, 16))
		text_format(note, REASON_SIZE, "MAC of device %s, which has another UUID",
		            device.name);
	return 0;
}

int admission_note(struct store *store, const struct unknown *unknown, char note[REASON_SIZE])
{
	int rc = 0;

	note[0] = '\0';
	if (device_uuid_ok(unknown->uuid)) {
		rc = note_uuid(store, unknown, note);
		if (rc == 0 && !note[0])
			rc = note_other_order(store, unknown, note);
	}
	return rc || note[0] ? rc : note_mac(store, unknown, note);
}
