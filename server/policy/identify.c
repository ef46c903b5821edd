/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/policy/identify.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "server/model/serials.h"

/* The devices that each part of an identity names; NULL: there is none. */
struct named {
	bool has_uuid, has_mac; /* that count */
	bool shared;            /* its UUID does not, as others came with it */
	const struct entry *isd, *uuid, *mac;
	enum mac_of mac_of;     /* what the MAC is to the device of the UUID */
};

/* --- what each part names -------------------------------------------------- */

/* Says whether a UUID that is one tells machines apart, by what is known of it here. */
static bool uuid_counts(const struct policy *policy, const uint8_t uuid[16])
{
	enum uuid_state state = policy->uuid_count ? policy_uuid(policy, uuid) : UUID_FREE;

	return state == UUID_FREE || state == UUID_ALLOWED;
}

static bool mac_counts(const struct policy *policy, const uint8_t mac[6])
{
	return !all_zero(mac, 6) &&
	       (!policy->shared_mac_count || !policy_mac_shared(policy, mac));
}

static void look_up_uuid(const struct index *index, const struct sender *sender,
                         struct named *named)
{
	const struct policy *policy = index_policy(index);
	const uint8_t *uuid = sender->identity->uuid;
	const struct entry *entry;

	/* Nobody else was registered with the same: mostly one look-up finds all three. */
	entry = named->isd && entry_is_uuid(named->isd, uuid) && !all_zero(uuid, 16) ?
	        named->isd : index_by_uuid(index, uuid);
	/* A device in the index has none that is a placeholder. */
	if (!entry && !device_uuid_ok(uuid))
		return;
	named->has_uuid = uuid_counts(policy, uuid) && sender->weighed != WEIGHED_SHARED;
	if (named->has_uuid)
		named->uuid = entry;
	else
		named->shared = sender->weighed == WEIGHED_SHARED ||
		                policy_uuid(policy, uuid) == UUID_SHARED;
}

/* A request tells serial numbers, and a card counts only with its own. */
static enum mac_of look_at_mac(const struct entry *entry, const struct sender *sender,
                               const uint8_t mac[6])
{
	struct serials serials;
	uint32_t hash;
	enum mac_of mac_of = entry_mac_of(entry, mac, NULL);

	if (mac_of != MAC_OF_CARD || !sender->request)
		return mac_of;
	serials_of(sender->request, &serials);
	hash = serials_hash(&serials);
	return hash ? entry_mac_of(entry, mac, &hash) : mac_of;
}

static void look_up(const struct index *index, const struct sender *sender,
                    struct named *named, struct identity *counted)
{
	const struct identity *identity = sender->identity;

	memset(named, 0, sizeof(*named));
	memset(counted, 0, sizeof(*counted));
	if (sender->isd)
		named->isd = index_by_isd(index, sender->isd);
	look_up_uuid(index, sender, named);
	if (named->has_uuid)
		memcpy(counted->uuid, identity->uuid, sizeof(counted->uuid));
	named->has_mac = mac_counts(index_policy(index), identity->mac);
	if (named->has_mac)
		memcpy(counted->mac, identity->mac, sizeof(counted->mac));
	if (named->uuid)
		named->mac_of = look_at_mac(named->uuid, sender, counted->mac);
	if (!named->has_mac)
		return;
	if (named->mac_of == MAC_REGISTERED)
		named->mac = named->uuid;
	else if (named->isd && entry_is_mac(named->isd, identity->mac))
		named->mac = named->isd;
	else
		named->mac = index_by_mac(index, identity->mac);
}

/* --- what they say together ------------------------------------------------ */

static void take(const struct entry *entry, struct identified *out)
{
	out->known = true;
	out->entry = entry;
}

static void note_mac(const struct named *named, const char *what, struct identified *out)
{
	text_format(out->note, sizeof(out->note), "the MAC is that of %s, %s",
	            entry_name(named->mac), what);
	out->suspect = entry_id(named->mac);
}

/* Says whether the MAC that a machine came with makes its UUID doubtful, so that only the
 * database can tell whose it is. */
static bool is_doubtful(const struct index *index, const struct sender *sender,
                        const struct named *named)
{
	struct serials serials;

	if (!named->uuid || !sender->request || sender->weighed != WEIGHED_NOT ||
	    named->mac_of != MAC_STRANGE)
		return false;
	if (policy_uuid(index_policy(index), sender->identity->uuid) == UUID_ALLOWED)
		return false;
	if (named->has_mac)
		return true;
	serials_of(sender->request, &serials);
	return serials_hash(&serials) != 0;
}

/* The UUID names a device. Returns false where that is to be weighed. */
static bool by_uuid(const struct index *index, const struct sender *sender,
                    const struct named *named, struct identified *out)
{
	if (is_doubtful(index, sender, named)) {
		out->weigh = true;
		out->entry = named->uuid;
		return false;
	}
	take(named->uuid, out);
	return true;
}

/* Some firmware, and some tools, tell UUIDs in the other byte order: that does not identify,
 * but an administrator who looks for the machine should hear of it. */
static bool note_swapped(const struct index *index, const struct sender *sender,
                         const struct named *named, struct identified *out)
{
	const struct entry *entry;
	uint8_t swapped[16];

	if (!named->has_uuid || named->uuid)
		return false;
	device_uuid_swap(sender->identity->uuid, swapped);
	entry = index_by_uuid(index, swapped);
	if (!entry)
		return false;
	text_format(out->note, sizeof(out->note), "the UUID is that of %s in the other byte order",
	            entry_name(entry));
	out->suspect = entry_id(entry);
	return true;
}

/* The MAC names a device, and no UUID does. */
static void by_mac(const struct index *index, const struct sender *sender,
                   const struct named *named, struct identified *out)
{
	const uint8_t *own = entry_uuid(named->mac);

	if (named->has_uuid && own) {
		note_mac(named, "but the UUID is not", out);
		out->pretends = note_swapped(index, sender, named, out);
		return;
	}
	take(named->mac, out);
	out->by_mac = !named->has_uuid && own && uuid_counts(index_policy(index), own);
	/* Its MAC may be a dock's: then it is the first machine's that came with it. */
	if (!note_swapped(index, sender, named, out))
		out->claims = named->has_uuid && sender->request;
}

/* By hardware alone: the UUID counts more, as a network adapter may go from machine to
 * machine. A device that has a UUID is not found by its MAC under another one. */
static void by_hardware(const struct index *index, const struct sender *sender,
                        const struct named *named, struct identified *out)
{
	if (named->uuid) {
		if (by_uuid(index, sender, named, out) && named->mac &&
		    named->mac != named->uuid && named->mac_of != MAC_OF_CARD)
			note_mac(named, "the UUID counts", out);
	} else if (named->mac) {
		by_mac(index, sender, named, out);
	} else if (note_swapped(index, sender, named, out)) {
		out->pretends = true;
	} else if (named->shared) {
		text_format(out->note, sizeof(out->note), "other machines have the same UUID, which "
		            "therefore tells nothing");
	}
}

enum vouch { VOUCHED, CLAIMS, CONTRADICTED };

/* Does the hardware agree that it is the device of the image-safe data? */
static enum vouch vouch(const struct named *named)
{
	const uint8_t *own = entry_uuid(named->isd);

	if (named->uuid)
		return named->uuid == named->isd ? VOUCHED : CONTRADICTED;
	/* It has a UUID, and that is nobody's: not that of a device that has one. */
	if (named->has_uuid && own)
		return CONTRADICTED;
	/* A MAC that it was registered with, or claimed by; a UUID that comes with that claims. */
	if (named->mac == named->isd)
		return named->has_uuid ? CLAIMS : VOUCHED;
	/* There must be something to know the first machine by. */
	if (!named->has_uuid && (named->mac || !named->has_mac))
		return CONTRADICTED;
	if (own || entry_has_mac(named->isd) || entry_has_claim_mac(named->isd))
		return CONTRADICTED;
	return CLAIMS;
}

static void by_disk(const struct index *index, const struct sender *sender,
                    const struct named *named, struct identified *out)
{
	enum vouch vouched = vouch(named);

	if (vouched == CONTRADICTED) {
		by_hardware(index, sender, named, out);
		if (out->weigh)
			return;
		text_format(out->note, sizeof(out->note), "it has the image-safe data of %s, but "
		            "%s: a disk moved or copied", entry_name(named->isd),
		            out->known ? "is another machine" : "the machine is not known");
		out->suspect = entry_id(named->isd);
		out->pretends = !out->known;
		return;
	}
	if (named->uuid && !by_uuid(index, sender, named, out))
		return;
	take(named->isd, out);
	out->claims = vouched == CLAIMS && sender->request;
	if (named->mac && named->mac != named->isd && named->mac_of != MAC_OF_CARD)
		note_mac(named, "the image-safe data count", out);
}

static bool has_isd(const struct entry *entry)
{
	static const uint8_t none[16];

	return !entry_is_isd(entry, none);
}

void identify_entry(const struct index *index, const struct sender *sender,
                    struct identified *out)
{
	struct named named;

	look_up(index, sender, &named, &out->identity);
	out->known = out->claims = out->by_mac = out->weigh = out->pretends = false;
	out->entry = NULL;
	out->note[0] = '\0';
	out->suspect = 0;
	if (named.isd) {
		by_disk(index, sender, &named, out);
	} else {
		by_hardware(index, sender, &named, out);
		if (out->known && !out->note[0] && sender->isd && device_uuid_ok(sender->isd) &&
		    has_isd(out->entry))
			text_format(out->note, sizeof(out->note), "its image-safe data have a "
			            "device id that is not its own: another disk");
	}
	if (!out->known && !named.has_uuid && !named.has_mac)
		out->pretends = true;
}

bool identify_is(const struct index *index, const struct entry *entry,
                 const struct sender *sender)
{
	const struct identity *identity = sender->identity;
	const struct policy *policy = index_policy(index);

	return !all_zero(identity->uuid, sizeof(identity->uuid)) &&
	       entry_is_uuid(entry, identity->uuid) && uuid_counts(policy, identity->uuid) &&
	       (all_zero(identity->mac, sizeof(identity->mac)) ||
	        (entry_is_mac(entry, identity->mac) && mac_counts(policy, identity->mac))) &&
	       (!sender->isd || all_zero(sender->isd, 16) || entry_is_isd(entry, sender->isd));
}

void identify_machine(const struct index *index, const struct sender *sender,
                      struct identified *out)
{
	memset(&out->device, 0, sizeof(out->device));
	identify_entry(index, sender, out);
	if (out->known)
		entry_device(out->entry, &out->device);
}
