/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/policy/identify.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "server/model/serials.h"

/* The devices that the parts of an identity name; NULL: none does. */
struct named {
	bool has_uuid, has_mac; /* the identity has one that counts */
	bool shared;            /* its UUID does not count, as other machines came with it */
	const struct entry *isd, *uuid, *mac;
	enum mac_owner mac_of;     /* what the MAC is to the device with the UUID */
};

/* --- what each part names -------------------------------------------------- */

/* Says whether a well-formed UUID identifies a machine, by what the index knows of it. */
static bool uuid_counts(const struct catalog *catalog, const uint8_t uuid[16])
{
	enum uuid_state state = catalog->uuid_count ? catalog_uuid(catalog, uuid) : UUID_FREE;

	return state == UUID_FREE || state == UUID_ALLOWED;
}

static bool mac_counts(const struct catalog *catalog, const uint8_t mac[6])
{
	return !all_zero(mac, 6) &&
	       (!catalog->shared_mac_count || !catalog_mac_shared(catalog, mac));
}

static void look_up_uuid(const struct index *index, const struct sender *sender,
                         struct named *named)
{
	const struct catalog *catalog = index_catalog(index);
	const uint8_t *uuid = sender->identity->uuid;
	const struct entry *entry;

	/* No two devices are registered with the same UUID, so mostly one look-up finds all
	 * three. */
	entry = named->isd && entry_is_uuid(named->isd, uuid) && !all_zero(uuid, 16) ?
	        named->isd : index_by_uuid(index, uuid);
	/* A device in the index has none that is a placeholder. */
	if (!entry && !device_uuid_ok(uuid))
		return;
	named->has_uuid = uuid_counts(catalog, uuid) && sender->match != MATCH_SHARED_UUID;
	if (named->has_uuid)
		named->uuid = entry;
	else
		named->shared = sender->match == MATCH_SHARED_UUID ||
		                catalog_uuid(catalog, uuid) == UUID_SHARED;
}

/* A request reports serial numbers, and a card counts only with its own. */
static enum mac_owner look_at_mac(const struct entry *entry, const struct sender *sender,
                               const uint8_t mac[6])
{
	struct serials serials;
	uint32_t hash;
	enum mac_owner mac_of = entry_mac(entry, mac, NULL);

	if (mac_of != MAC_OF_CARD || !sender->request)
		return mac_of;
	serials_of(sender->request, &serials);
	hash = serials_hash(&serials);
	return hash ? entry_mac(entry, mac, &hash) : mac_of;
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
	named->has_mac = mac_counts(index_catalog(index), identity->mac);
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

static void identify_as(const struct entry *entry, struct identification *out)
{
	out->known = true;
	out->entry = entry;
}

static void report_mac(const struct named *named, const char *what, struct identification *out)
{
	text_format(out->anomaly, sizeof(out->anomaly), "the MAC is that of %s, %s",
	            entry_name(named->mac), what);
	out->conflicting = entry_id(named->mac);
}

/* Says whether the MAC that a machine came with makes its UUID doubtful, so that only the
 * database can say whose it is. */
static bool is_ambiguous(const struct index *index, const struct sender *sender,
                        const struct named *named)
{
	struct serials serials;

	if (!named->uuid || !sender->request || sender->match != MATCH_UNCHECKED ||
	    named->mac_of != MAC_UNKNOWN)
		return false;
	if (catalog_uuid(index_catalog(index), sender->identity->uuid) == UUID_ALLOWED)
		return false;
	if (named->has_mac)
		return true;
	serials_of(sender->request, &serials);
	return serials_hash(&serials) != 0;
}

/* The UUID names a device. Returns false if that leaves it undecided. */
static bool by_uuid(const struct index *index, const struct sender *sender,
                    const struct named *named, struct identification *out)
{
	if (is_ambiguous(index, sender, named)) {
		out->undecided = true;
		out->entry = named->uuid;
		return false;
	}
	identify_as(named->uuid, out);
	return true;
}

/* Some firmware, and some tools, report UUIDs in the other byte order: that does not identify,
 * but an administrator who looks for the machine should hear of it. */
static bool report_swapped(const struct index *index, const struct sender *sender,
                         const struct named *named, struct identification *out)
{
	const struct entry *entry;
	uint8_t swapped[16];

	if (!named->has_uuid || named->uuid)
		return false;
	device_uuid_swap(sender->identity->uuid, swapped);
	entry = index_by_uuid(index, swapped);
	if (!entry)
		return false;
	text_format(out->anomaly, sizeof(out->anomaly),
	            "the UUID is that of %s in the other byte order",
	            entry_name(entry));
	out->conflicting = entry_id(entry);
	return true;
}

/* The MAC names a device, and no UUID does. */
static void by_mac(const struct index *index, const struct sender *sender,
                   const struct named *named, struct identification *out)
{
	const uint8_t *own = entry_uuid(named->mac);

	if (named->has_uuid && own) {
		report_mac(named, "but the UUID is not", out);
		out->no_admission = report_swapped(index, sender, named, out);
		return;
	}
	identify_as(named->mac, out);
	out->by_mac = !named->has_uuid && own && uuid_counts(index_catalog(index), own);
	/* Its MAC may be a dock's: then the device is bound to the first machine that came
	 * with it. */
	if (!report_swapped(index, sender, named, out))
		out->binds = named->has_uuid && sender->request;
}

/* By hardware alone: the UUID counts more, as a network adapter may go from machine to
 * machine. A device that has a UUID is not found by its MAC under another one. */
static void by_hardware(const struct index *index, const struct sender *sender,
                        const struct named *named, struct identification *out)
{
	if (named->uuid) {
		if (by_uuid(index, sender, named, out) && named->mac &&
		    named->mac != named->uuid && named->mac_of != MAC_OF_CARD)
			report_mac(named, "the UUID counts", out);
	} else if (named->mac) {
		by_mac(index, sender, named, out);
	} else if (report_swapped(index, sender, named, out)) {
		out->no_admission = true;
	} else if (named->shared) {
		text_format(out->anomaly, sizeof(out->anomaly),
		            "other machines have the same UUID, which therefore identifies nobody");
	}
}

enum agreement { AGREES, BINDS, CONTRADICTS };

/* Says whether the hardware agrees that the machine is the device of the image-safe data. */
static enum agreement compare_hardware(const struct named *named)
{
	const uint8_t *own = entry_uuid(named->isd);

	if (named->uuid)
		return named->uuid == named->isd ? AGREES : CONTRADICTS;
	/* It has a UUID, and that is nobody's: not that of a device that has one. */
	if (named->has_uuid && own)
		return CONTRADICTS;
	/* The MAC is one that it was registered with, or is bound to; a UUID that comes with that
	 * is bound to it. */
	if (named->mac == named->isd)
		return named->has_uuid ? BINDS : AGREES;
	/* There must be something to identify the first machine by. */
	if (!named->has_uuid && (named->mac || !named->has_mac))
		return CONTRADICTS;
	if (own || entry_has_mac(named->isd) || entry_has_bound_mac(named->isd))
		return CONTRADICTS;
	return BINDS;
}

static void by_disk(const struct index *index, const struct sender *sender,
                    const struct named *named, struct identification *out)
{
	enum agreement agreement = compare_hardware(named);

	if (agreement == CONTRADICTS) {
		by_hardware(index, sender, named, out);
		if (out->undecided)
			return;
		text_format(out->anomaly, sizeof(out->anomaly),
		            "it has the image-safe data of %s, but %s: a disk moved or copied",
		            entry_name(named->isd),
		            out->known ? "is another machine" : "the machine is not known");
		out->conflicting = entry_id(named->isd);
		out->no_admission = !out->known;
		return;
	}
	if (named->uuid && !by_uuid(index, sender, named, out))
		return;
	identify_as(named->isd, out);
	out->binds = agreement == BINDS && sender->request;
	if (named->mac && named->mac != named->isd && named->mac_of != MAC_OF_CARD)
		report_mac(named, "the image-safe data count", out);
}

static bool has_isd(const struct entry *entry)
{
	static const uint8_t none[16];

	return !entry_is_isd(entry, none);
}

void identify_entry(const struct index *index, const struct sender *sender,
                    struct identification *out)
{
	struct named named;

	look_up(index, sender, &named, &out->identity);
	out->known = out->binds = out->by_mac = out->undecided = out->no_admission = false;
	out->entry = NULL;
	out->anomaly[0] = '\0';
	out->conflicting = out->compared = 0;
	if (named.isd) {
		by_disk(index, sender, &named, out);
	} else {
		by_hardware(index, sender, &named, out);
		if (out->known && !out->anomaly[0] && sender->isd && device_uuid_ok(sender->isd) &&
		    has_isd(out->entry))
			text_format(out->anomaly, sizeof(out->anomaly),
			            "its image-safe data have a device id that is not its own:"
			            " another disk");
	}
	if (!out->known && !named.has_uuid && !named.has_mac)
		out->no_admission = true;
}

bool identify_is(const struct index *index, const struct entry *entry,
                 const struct sender *sender)
{
	const struct identity *identity = sender->identity;
	const struct catalog *catalog = index_catalog(index);

	return !all_zero(identity->uuid, sizeof(identity->uuid)) &&
	       entry_is_uuid(entry, identity->uuid) && uuid_counts(catalog, identity->uuid) &&
	       (all_zero(identity->mac, sizeof(identity->mac)) ||
	        (entry_is_mac(entry, identity->mac) && mac_counts(catalog, identity->mac))) &&
	       (!sender->isd || all_zero(sender->isd, 16) || entry_is_isd(entry, sender->isd));
}

void identify_machine(const struct index *index, const struct sender *sender,
                      struct identification *out)
{
	memset(&out->device, 0, sizeof(out->device));
	identify_entry(index, sender, out);
	if (out->known)
		entry_device(out->entry, &out->device);
}

/* --- with the database ----------------------------------------------------- */

int identify_with_store(struct store *store, const struct index *index, struct sender *sender,
                        struct identification *out)
{
	uint64_t compared;
	int rc;

	identify_machine(index, sender, out);
	if (!out->undecided)
		return 0;
	compared = entry_id(out->entry);
	rc = identify_match(store, index, sender, out, &sender->match);
	if (rc == 0)
		identify_machine(index, sender, out);
	out->compared = compared;
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

int identify_without_index(struct store *store, struct index *index, struct sender *sender,
                           struct identification *out)
{
	int rc = load_named(index, store, sender);

	memset(out, 0, sizeof(*out));
	return rc ? rc : identify_with_store(store, index, sender, out);
}
