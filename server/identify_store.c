/* SPDX-License-Identifier: BSD-2-Clause */
#include "identify.h"

#include <string.h>

#include "error.h"
#include "message_fields.h"
#include "text.h"

/* On the database: for the tools, which have no index of all devices. */

/* The devices that each part of an identity names. */
struct named {
	bool has_uuid, has_mac;
	bool by_isd, by_uuid, by_mac; /* whether there is such a device */
	struct device isd, uuid, mac;
};

static int look(int rc, bool *found)
{
	*found = rc == 0;
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

static int look_up(struct store *store, const struct sender *sender, struct named *named)
{
	const struct identity *identity = sender->identity;
	int rc = 0;

	memset(named, 0, sizeof(*named));
	named->has_uuid = device_uuid_ok(identity->uuid);
	named->has_mac = !all_zero(identity->mac, sizeof(identity->mac));
	if (sender->isd && device_uuid_ok(sender->isd))
		rc = look(device_by_isd(store, sender->isd, &named->isd), &named->by_isd);
	if (rc == 0 && named->has_uuid)
		rc = look(device_by_uuid(store, identity->uuid, &named->uuid), &named->by_uuid);
	if (rc == 0 && named->has_mac)
		rc = look(device_by_mac(store, identity->mac, &named->mac), &named->by_mac);
	return rc;
}

/* By hardware alone: the UUID counts more, as a network adapter may go from machine to
 * machine. A device that has a UUID is not found by its MAC under another one. */
static void by_hardware(const struct named *named, struct identified *out)
{
	if (named->by_uuid) {
		out->known = true;
		out->device = named->uuid;
		if (named->by_mac && named->mac.id != named->uuid.id) {
			text_format(out->note, sizeof(out->note),
			            "the MAC is that of %s, the UUID counts", named->mac.name);
			out->suspect = named->mac.id;
		}
	} else if (named->by_mac) {
		bool other = named->has_uuid && (device_uuid_ok(named->mac.uuid) ||
		                                 device_uuid_ok(named->mac.claim_uuid));

		out->known = !other;
		if (out->known)
			out->device = named->mac;
		else
			text_format(out->note, sizeof(out->note),
			            "the MAC is that of %s, but the UUID is not", named->mac.name);
		out->suspect = other ? named->mac.id : 0;
	}
}

enum vouch { VOUCHED, CLAIMS, CONTRADICTED };

/* Does the hardware agree that it is the device of the image-safe data? */
static enum vouch vouch(struct store *store, const struct named *named, int *rc)
{
	const struct device *device = &named->isd;
	bool claimed = device_uuid_ok(device->claim_uuid) ||
	               !all_zero(device->claim_mac, sizeof(device->claim_mac));
	uint8_t macs[DEVICE_MACS_MAX][6];
	size_t count = 0;

	*rc = 0;
	if (named->by_uuid)
		return named->uuid.id == device->id ? VOUCHED : CONTRADICTED;
	/* It has a UUID, and that is nobody's: not that of a device that has one. */
	if (named->has_uuid && (device_uuid_ok(device->uuid) || device_uuid_ok(device->claim_uuid)))
		return CONTRADICTED;
	if (named->by_mac && named->mac.id == device->id)
		return VOUCHED;
	/* There must be something to know the first machine by. */
	if (!named->has_uuid && (named->by_mac || !named->has_mac))
		return CONTRADICTED;
	*rc = device_macs(store, device->id, macs, &count);
	if (*rc || count || device_uuid_ok(device->uuid) || claimed)
		return CONTRADICTED;
	return CLAIMS;
}

int identify(struct store *store, const struct sender *sender, struct identified *out)
{
	struct named named;
	enum vouch vouched;
	int rc = look_up(store, sender, &named);

	memset(out, 0, sizeof(*out));
	if (rc)
		return rc;
	if (!named.by_isd) {
		by_hardware(&named, out);
		if (out->known && !out->note[0] && sender->isd && device_uuid_ok(sender->isd) &&
		    device_uuid_ok(out->device.isd))
			text_format(out->note, sizeof(out->note), "its image-safe data have a "
			            "device id that is not its own: another disk");
		return 0;
	}
	vouched = vouch(store, &named, &rc);
	if (rc)
		return rc;
	if (vouched == CONTRADICTED) {
		by_hardware(&named, out);
		text_format(out->note, sizeof(out->note), "it has the image-safe data of %s, but "
		            "%s: a disk moved or copied", named.isd.name,
		            out->known ? "is another machine" : "the machine is not known");
		out->suspect = named.isd.id;
		return 0;
	}
	out->known = true;
	out->device = named.isd;
	out->claims = vouched == CLAIMS;
	if (named.by_mac && named.mac.id != named.isd.id) {
		text_format(out->note, sizeof(out->note),
		            "the MAC is that of %s, the image-safe data count", named.mac.name);
		out->suspect = named.mac.id;
	}
	return 0;
}
