/* SPDX-License-Identifier: BSD-2-Clause */
/* Is a machine with a device's UUID and a strange MAC that device, or another one? */
#include "server/policy/identify.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "server/store/events.h"
#include "server/store/uuids.h"

/* What is known of the machine that a device is. */
struct known {
	const struct entry *entry;
	struct serials told;     /* by the one that asks */
	bool same, different;    /* some say */
	bool any_mac;            /* it is known by some, registered or seen */
	bool its_card;           /* one of those seen is the one that is told */
};

static void compare(struct known *known, const struct serials *serials)
{
	enum likeness likeness = serials_compare(&known->told, serials);

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

/* What it told when it asked last counts if its MAC was known to be its own, or none is. */
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
	if (!nothing && entry_mac_of(known->entry, identity->mac, NULL) == MAC_STRANGE)
		return 0;
	serials_of(&seen.request.u.request, &serials);
	compare(known, &serials);
	if (nothing) {
		known->any_mac = true;
		known->its_card = memcmp(identity->mac, mac, 6) == 0;
	}
	return 0;
}

/* Where serial numbers do not tell. */
static enum weighed by_order(const struct index *index, const struct identity *identity,
                             const struct known *known)
{
	const struct entry *other = index_by_mac(index, identity->mac);
	const uint8_t *its = other && other != known->entry ? entry_uuid(other) : NULL;

	if (all_zero(identity->mac, 6) || known->its_card)
		return WEIGHED_CARD;
	/* A network adapter of a machine that would tell another UUID was moved. */
	if (its)
		return WEIGHED_TAKEN;
	/* The first that comes is it, unless it is known to be another one. */
	if (!other && !known->any_mac)
		return WEIGHED_CARD;
	return WEIGHED_SHARED;
}

int weigh(struct store *store, const struct index *index, const struct sender *sender,
          const struct identified *who, enum weighed *weighed)
{
	const struct identity *identity = &who->identity;
	struct known known = { .entry = who->entry, .any_mac = entry_has_mac(who->entry) ||
	                       entry_has_claim_mac(who->entry) };
	int rc;

	serials_of(sender->request, &known.told);
	rc = read_cards(store, identity->mac, &known);
	if (rc == 0)
		rc = read_last(store, identity->mac, identity->uuid, &known);
	if (rc)
		return rc;
	if (known.different)
		*weighed = WEIGHED_SHARED;
	else if (known.same)
		*weighed = WEIGHED_CARD;
	else
		*weighed = by_order(index, identity, &known);
	return 0;
}

/* --- keeping it ------------------------------------------------------------ */

static int add_witness(struct store *store, const struct request *request, int64_t time)
{
	struct witness witness = { .first = time, .last = time };

	memcpy(witness.mac, request->identity.mac, sizeof(witness.mac));
	serials_of(request, &witness.serials);
	return witness_add(store, request->identity.uuid, &witness);
}

/* Notes the MACs that the device is known by, with what it told last. */
static int add_known(struct store *store, const uint8_t uuid[16], uint64_t device, int64_t now)
{
	struct witness witness = { .first = now, .last = now };
	uint8_t macs[DEVICE_MACS_MAX][6];
	struct card cards[CARDS_MAX];
	struct seen seen;
	size_t count;
	int rc = device_last_seen(store, device, &seen);

	if (rc == 0 && seen.request.type == MESSAGE_REQUEST &&
	    memcmp(seen.request.u.request.identity.uuid, uuid, 16) == 0)
		rc = add_witness(store, &seen.request.u.request, seen.time);
	if (rc == 0)
		rc = card_list(store, device, cards, &count);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		memcpy(witness.mac, cards[i].mac, sizeof(witness.mac));
		witness.serials = cards[i].serials;
		rc = witness_add(store, uuid, &witness);
	}
	memset(&witness.serials, 0, sizeof(witness.serials));
	if (rc == 0)
		rc = device_macs(store, device, macs, &count);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (seen.time && memcmp(seen.request.u.request.identity.mac, macs[i], 6) == 0)
			continue;
		memcpy(witness.mac, macs[i], sizeof(witness.mac));
		rc = witness_add(store, uuid, &witness);
	}
	return rc;
}

static int keep_shared(struct store *store, const struct request *request, uint64_t device,
                       int64_t now, const uint8_t boot[NONCE_SIZE])
{
	const struct identity *identity = &request->identity;
	struct event_record event = { .device = device, .time = now, .step = "conflict" };
	int rc = uuid_set(store, identity->uuid, UUID_SHARED, now);

	if (rc == 0)
		rc = add_known(store, identity->uuid, device, now);
	if (rc == 0)
		rc = add_witness(store, request, now);
	memcpy(event.boot, boot, sizeof(event.boot));
	text_format(event.reason, sizeof(event.reason), "a machine with MAC %pM has the same UUID, "
	            "which from now on tells nothing", identity->mac);
	return rc ? rc : event_add(store, &event);
}

static int keep_card(struct store *store, const struct request *request, uint64_t device,
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
		/* What it told once still counts. */
		if (!card.serials.serial[0])
			memcpy(card.serials.serial, cards[i].serials.serial, TEXT_SIZE);
		if (!card.serials.board[0])
			memcpy(card.serials.board, cards[i].serials.board, TEXT_SIZE);
		return card_add(store, device, &card, now);
	}
	/* One with that many is weighed each time. */
	return rc || count == CARDS_MAX ? rc : card_add(store, device, &card, now);
}

int weigh_keep(struct store *store, const struct sender *sender, const struct weighing *weighing,
               int64_t now, const uint8_t boot[NONCE_SIZE])
{
	uint64_t device = weighing->device;

	switch (sender->weighed) {
	case WEIGHED_CARD:
		return keep_card(store, sender->request, device, weighing->mac, now);
	case WEIGHED_SHARED:
		return keep_shared(store, sender->request, device, now, boot);
	default:
		return 0;
	}
}

/* --- who it is, after all --------------------------------------------------- */

int identify_weighed(struct store *store, const struct index *index, struct sender *sender,
                     struct identified *out, struct weighing *weighing)
{
	int rc;

	weighing->device = 0;
	identify_machine(index, sender, out);
	if (!out->weigh)
		return 0;
	weighing->device = entry_id(out->entry);
	memcpy(weighing->mac, out->identity.mac, sizeof(weighing->mac));
	rc = weigh(store, index, sender, out, &sender->weighed);
	if (rc == 0)
		identify_machine(index, sender, out);
	return rc;
}

/* --- without an index ------------------------------------------------------ */

/* Loads a device, if one was found. @rc: of the search */
static int load_found(struct index *index, struct store *store, int rc,
                      const struct device *device)
{
	if (rc == ERR_NOT_FOUND || (rc == 0 && index_by_id(index, device->id)))
		return 0;
	return rc ? rc : index_load_device(index, store, device->id);
}

static int load_named(struct index *index, struct store *store, const struct sender *sender)
{
	const struct identity *identity = sender->identity;
	struct device device;
	uint8_t swapped[16];
	int rc = index_load_device(index, store, 0); /* the policy */

	if (rc == 0 && sender->isd)
		rc = load_found(index, store, device_by_isd(store, sender->isd, &device), &device);
	if (rc == 0)
		rc = load_found(index, store, device_by_uuid(store, identity->uuid, &device),
		                &device);
	device_uuid_swap(identity->uuid, swapped);
	if (rc == 0)
		rc = load_found(index, store, device_by_uuid(store, swapped, &device), &device);
	if (rc == 0)
		rc = load_found(index, store, device_by_mac(store, identity->mac, &device),
		                &device);
	return rc;
}

int identify(struct store *store, struct index *index, struct sender *sender,
             struct identified *out)
{
	struct weighing weighing;
	int rc = load_named(index, store, sender);

	memset(out, 0, sizeof(*out));
	return rc ? rc : identify_weighed(store, index, sender, out, &weighing);
}
