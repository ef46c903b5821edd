/* SPDX-License-Identifier: BSD-2-Clause */
/* What is odd about an unknown machine. */
#include "server/store/unknown.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"

/* Its UUID alone, or with those of other unknown machines. */
static int look_at_word(struct store *store, const struct unknown *unknown,
                        char note[REASON_SIZE])
{
	struct uuid_record word;
	bool shares;
	int rc = uuid_find(store, unknown->uuid, &word);

	if (rc)
		return rc;
	if (word.state == UUID_SHARED)
		text_format(note, REASON_SIZE, "shared UUID: other machines have it too");
	if (word.state == UUID_IGNORED)
		text_format(note, REASON_SIZE, "ignored UUID");
	if (word.state != UUID_FREE)
		return 0;
	rc = unknown_shares(store, unknown, &shares);
	if (rc == 0 && shares)
		text_format(note, REASON_SIZE, "shared UUID: other unknown machines have it too");
	return rc;
}

static int look_at_other_order(struct store *store, const struct unknown *unknown,
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

static int look_at_mac(struct store *store, const struct unknown *unknown,
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

int unknown_note(struct store *store, const struct unknown *unknown, char note[REASON_SIZE])
{
	int rc = 0;

	note[0] = '\0';
	if (device_uuid_ok(unknown->uuid)) {
		rc = look_at_word(store, unknown, note);
		if (rc == 0 && !note[0])
			rc = look_at_other_order(store, unknown, note);
	}
	return rc || note[0] ? rc : look_at_mac(store, unknown, note);
}
