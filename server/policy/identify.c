/* SPDX-License-Identifier: BSD-2-Clause */
#include "identify.h"

#include <string.h>

#include "error.h"
#include "message_fields.h"
#include "text.h"

/* The devices that each part of an identity names; NULL: there is none. */
struct named {
	bool has_uuid, has_mac;
	const struct entry *isd, *uuid, *mac;
};

static const struct entry *look_up_mac(const struct index *index, const struct named *named,
                                       const uint8_t mac[6])
{
	if (named->uuid && entry_is_mac(named->uuid, mac))
		return named->uuid;
	if (named->isd && entry_is_mac(named->isd, mac))
		return named->isd;
	return index_by_mac(index, mac);
}

static void look_up(const struct index *index, const struct sender *sender, struct named *named)
{
	const struct identity *identity = sender->identity;

	memset(named, 0, sizeof(*named));
	named->has_uuid = device_uuid_ok(identity->uuid);
	named->has_mac = !all_zero(identity->mac, sizeof(identity->mac));
	if (sender->isd && device_uuid_ok(sender->isd))
		named->isd = index_by_isd(index, sender->isd);
	/* Nobody else was registered with the same: mostly one look-up finds all three. */
	if (named->has_uuid)
		named->uuid = named->isd && entry_is_uuid(named->isd, identity->uuid) ?
		              named->isd : index_by_uuid(index, identity->uuid);
	if (named->has_mac)
		named->mac = look_up_mac(index, named, identity->mac);
}

/* Says whether a device has a UUID, registered or claimed. */
static bool has_uuid(const struct entry *entry)
{
	struct device device;

	entry_device(entry, &device);
	return device_uuid_ok(device.uuid) || device_uuid_ok(device.claim_uuid);
}

static bool has_isd(const struct entry *entry)
{
	struct device device;

	entry_device(entry, &device);
	return device_uuid_ok(device.isd);
}

static void take(const struct entry *entry, struct identified *out)
{
	out->known = true;
	out->entry = entry;
}

/* By hardware alone: the UUID counts more, as a network adapter may go from machine to
 * machine. A device that has a UUID is not found by its MAC under another one. */
static void by_hardware(const struct named *named, struct identified *out)
{
	if (named->uuid) {
		take(named->uuid, out);
		if (named->mac && named->mac != named->uuid) {
			text_format(out->note, sizeof(out->note),
			            "the MAC is that of %s, the UUID counts",
			            entry_name(named->mac));
			out->suspect = entry_id(named->mac);
		}
	} else if (named->mac && named->has_uuid && has_uuid(named->mac)) {
		text_format(out->note, sizeof(out->note),
		            "the MAC is that of %s, but the UUID is not",
		            entry_name(named->mac));
		out->suspect = entry_id(named->mac);
	} else if (named->mac) {
		take(named->mac, out);
		out->by_mac = has_uuid(named->mac);
	}
}

enum vouch { VOUCHED, CLAIMS, CONTRADICTED };

/* Does the hardware agree that it is the device of the image-safe data? */
static enum vouch vouch(const struct named *named)
{
	struct device device;
	bool own;

	if (named->uuid)
		return named->uuid == named->isd ? VOUCHED : CONTRADICTED;
	entry_device(named->isd, &device);
	own = device_uuid_ok(device.uuid) || device_uuid_ok(device.claim_uuid);
	/* It has a UUID, and that is nobody's: not that of a device that has one. */
	if (named->has_uuid && own)
		return CONTRADICTED;
	if (named->mac == named->isd)
		return VOUCHED;
	/* There must be something to know the first machine by. */
	if (!named->has_uuid && (named->mac || !named->has_mac))
		return CONTRADICTED;
	if (own || entry_has_mac(named->isd) ||
	    !all_zero(device.claim_mac, sizeof(device.claim_mac)))
		return CONTRADICTED;
	return CLAIMS;
}

void identify_entry(const struct index *index, const struct sender *sender,
                    struct identified *out)
{
	struct named named;
	enum vouch vouched;

	look_up(index, sender, &named);
	out->known = out->claims = out->by_mac = false;
	out->entry = NULL;
	out->note[0] = '\0';
	out->suspect = 0;
	if (!named.isd) {
		by_hardware(&named, out);
		if (out->known && !out->note[0] && sender->isd && device_uuid_ok(sender->isd) &&
		    has_isd(out->entry))
			text_format(out->note, sizeof(out->note), "its image-safe data have a "
			            "device id that is not its own: another disk");
		return;
	}
	vouched = vouch(&named);
	if (vouched == CONTRADICTED) {
		by_hardware(&named, out);
		text_format(out->note, sizeof(out->note), "it has the image-safe data of %s, but "
		            "%s: a disk moved or copied", entry_name(named.isd),
		            out->known ? "is another machine" : "the machine is not known");
		out->suspect = entry_id(named.isd);
		return;
	}
	take(named.isd, out);
	out->claims = vouched == CLAIMS;
	if (named.mac && named.mac != named.isd) {
		text_format(out->note, sizeof(out->note),
		            "the MAC is that of %s, the image-safe data count",
		            entry_name(named.mac));
		out->suspect = entry_id(named.mac);
	}
}

bool identify_is(const struct entry *entry, const struct sender *sender)
{
	const struct identity *identity = sender->identity;

	return device_uuid_ok(identity->uuid) && entry_is_uuid(entry, identity->uuid) &&
	       (entry_is_mac(entry, identity->mac) ||
	        all_zero(identity->mac, sizeof(identity->mac))) &&
	       (!sender->isd || !device_uuid_ok(sender->isd) || entry_is_isd(entry, sender->isd));
}

void identify_machine(const struct index *index, const struct sender *sender,
                      struct identified *out)
{
	memset(&out->device, 0, sizeof(out->device));
	identify_entry(index, sender, out);
	if (out->known)
		entry_device(out->entry, &out->device);
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
	int rc = 0;

	if (sender->isd)
		rc = load_found(index, store, device_by_isd(store, sender->isd, &device), &device);
	if (rc == 0)
		rc = load_found(index, store, device_by_uuid(store, identity->uuid, &device),
		                &device);
	if (rc == 0)
		rc = load_found(index, store, device_by_mac(store, identity->mac, &device),
		                &device);
	return rc;
}

int identify(struct store *store, const struct sender *sender, struct identified *out)
{
	struct index *index = index_new();
	int rc = index ? load_named(index, store, sender) : ERR_SPACE;

	memset(out, 0, sizeof(*out));
	if (rc == 0)
		identify_machine(index, sender, out);
	out->entry = NULL;
	index_free(index);
	return rc;
}
