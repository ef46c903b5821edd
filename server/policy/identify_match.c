/* SPDX-License-Identifier: BSD-2-Clause */
/* Decides whether a machine with a device's UUID and an unknown MAC is that device. */
#include "server/policy/identify.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "server/model/serials.h"
#include "server/store/events.h"
#include "server/store/uuids.h"

/* What is known of the machine behind a device. */
struct known {
	const struct entry *entry;
	struct serials reported; /* by the sender */
	bool same, different;    /* some serial numbers say that the sender is this machine, or
	                            another */
	bool any_mac;            /* some MAC of it is known, registered or seen */
	bool its_card;           /* the sender's MAC is one of those seen */
};

static void compare(struct known *known, const struct serials *serials)
{
	enum likeness likeness = serials_compare(&known->reported, serials);

	known->same |= likeness == LIKENESS_SAME;
	known->different |= likeness == LIKENESS_DIFFERENT;
}

static int read_cards(struct store *store, const uint8_t mac[6], struct known *known)
{
	struct card cards[CARDS_MAX];
	size_t count;
	int rc = card_list(store, entry_id(known->entry), cards, &count);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		compare(known, &cards[i].serials);
		known->any_mac = true;
		known->its_card |= memcmp(cards[i].mac, mac, 6) == 0;
	}
	return rc;
}

/* What the device's last request reported counts if its MAC was known to be its own, or if no MAC
 * is known. */
static int read_last(struct store *store, const uint8_t mac[6], const uint8_t uuid[16],
                     struct known *known)
{
	struct serials serials;
	struct seen seen;
	const struct identity *identity = &seen.request.u.request.identity;
	int rc = device_last_seen(store, entry_id(known->entry), &seen);
	bool nothing = !known->any_mac;

	if (rc || seen.request.type != MESSAGE_REQUEST || memcmp(identity->uuid, uuid, 16) != 0)
		return rc;
	if (!nothing && entry_mac(known->entry, identity->mac, NULL) == MAC_UNKNOWN)
		return 0;
	serials_of(&seen.request.u.request, &serials);
	compare(known, &serials);
	if (nothing) {
		known->any_mac = true;
		known->its_card = memcmp(identity->mac, mac, 6) == 0;
	}
	return 0;
}

/* Decides where serial numbers do not: the machine that came first is the device. */
static enum match match_by_order(const struct index *index, const struct identity *identity,
                             const struct known *known)
{
	const struct entry *other = index_by_mac(index, identity->mac);
	const uint8_t *its = other && other != known->entry ? entry_uuid(other) : NULL;

	if (all_zero(identity->mac, 6) || known->its_card)
		return MATCH_CARD;
	/* A network card was moved from a machine that would report another UUID. */
	if (its)
		return MATCH_BORROWED_CARD;
	/* The first machine that comes is the device, unless the device is known to be
	 * another one. */
	if (!other && !known->any_mac)
		return MATCH_CARD;
	return MATCH_SHARED_UUID;
}

int identify_match(struct store *store, const struct index *index, const struct sender *sender,
                   const struct identification *who, enum match *match)
{
	const struct identity *identity = &who->identity;
	struct known known = { .entry = who->entry, .any_mac = entry_has_mac(who->entry) ||
	                       entry_has_bound_mac(who->entry) };
	int rc;

	serials_of(sender->request, &known.reported);
	rc = read_cards(store, identity->mac, &known);
	if (rc == 0)
		rc = read_last(store, identity->mac, identity->uuid, &known);
	if (rc)
		return rc;
	if (known.different)
		*match = MATCH_SHARED_UUID;
	else if (known.same)
		*match = MATCH_CARD;
	else
		*match = match_by_order(index, identity, &known);
	return 0;
}

/* --- storing it ------------------------------------------------------------ */

static int add_sighting(struct store *store, const struct request *request, int64_t time)
{
	struct sighting sighting = { .first = time, .last = time };

	memcpy(sighting.mac, request->identity.mac, sizeof(sighting.mac));
	serials_of(request, &sighting.serials);
	return sighting_add(store, request->identity.uuid, &sighting);
}

/* Adds the MACs that the device is known by as sightings, with what it reported last. */
static int add_known(struct store *store, const uint8_t uuid[16], uint64_t device, int64_t now)
{
	struct sighting sighting = { .first = now, .last = now };
	uint8_t macs[DEVICE_MACS_MAX][6];
	struct card cards[CARDS_MAX];
	struct seen seen;
	size_t count;
	int rc = device_last_seen(store, device, &seen);

	if (rc == 0 && seen.request.type == MESSAGE_REQUEST &&
	    memcmp(seen.request.u.request.identity.uuid, uuid, 16) == 0)
		rc = add_sighting(store, &seen.request.u.request, seen.time);
	if (rc == 0)
		rc = card_list(store, device, cards, &count);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		memcpy(sighting.mac, cards[i].mac, sizeof(sighting.mac));
		sighting.serials = cards[i].serials;
		rc = sighting_add(store, uuid, &sighting);
	}
	memset(&sighting.serials, 0, sizeof(sighting.serials));
	if (rc == 0)
		rc = device_macs(store, device, macs, &count);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (seen.time && memcmp(seen.request.u.request.identity.mac, macs[i], 6) == 0)
			continue;
		memcpy(sighting.mac, macs[i], sizeof(sighting.mac));
		rc = sighting_add(store, uuid, &sighting);
	}
	return rc;
}

static int store_shared(struct store *store, const struct request *request, uint64_t device,
                        int64_t now, const uint8_t boot[NONCE_SIZE])
{
	const struct identity *identity = &request->identity;
	struct event_record event = { .device = device, .time = now, .step = "conflict" };
	int rc = uuid_set(store, identity->uuid, UUID_SHARED, now);

	if (rc == 0)
		rc = add_known(store, identity->uuid, device, now);
	if (rc == 0)
		rc = add_sighting(store, request, now);
	memcpy(event.boot, boot, sizeof(event.boot));
	text_format(event.reason, sizeof(event.reason), "a machine with MAC %pM has the same UUID, "
	            "which from now on identifies nobody", identity->mac);
	return rc ? rc : event_add(store, &event);
}

static int store_card(struct store *store, const struct request *request, uint64_t device,
                      const uint8_t mac[6], int64_t now)
{
	struct card cards[CARDS_MAX], card;
	size_t count;
	int rc = card_list(store, device, cards, &count);

	memcpy(card.mac, mac, sizeof(card.mac));
	serials_of(request, &card.serials);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (memcmp(cards[i].mac, mac, 6) != 0)
			continue;
		/* What it reported once still counts. */
		if (!card.serials.serial[0])
			memcpy(card.serials.serial, cards[i].serials.serial, TEXT_SIZE);
		if (!card.serials.board[0])
			memcpy(card.serials.board, cards[i].serials.board, TEXT_SIZE);
		return card_add(store, device, &card, now);
	}
	/* A machine with more cards than that is compared each time. */
	return rc || count == CARDS_MAX ? rc : card_add(store, device, &card, now);
}

int identify_store_match(struct store *store, const struct sender *sender,
                         const struct identification *who, int64_t now,
                         const uint8_t boot[NONCE_SIZE])
{
	uint64_t device = who->compared;

	switch (sender->match) {
	case MATCH_CARD:
		return store_card(store, sender->request, device, who->identity.mac, now);
	case MATCH_SHARED_UUID:
		return store_shared(store, sender->request, device, now, boot);
	default:
		return 0;
	}
}
