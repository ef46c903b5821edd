/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl_verbs.h"
#include "server/store/unknown.h"

/* device admit: an unknown machine becomes a device. */

struct admitting {
	struct device device;
	struct unknown unknown;
	struct admission admission;
};

/* A device has the UUID, or there is nothing to know the machine by. */
static int check_identity(struct ctl *ctl, const struct admitting *a)
{
	const char *word = ctl->words[0];
	const struct admission *admission = &a->admission;
	struct device other;
	int rc = ERR_NOT_FOUND;

	if (device_uuid_ok(a->unknown.uuid) && admission->state != UUID_SHARED &&
	    admission->state != UUID_IGNORED)
		rc = device_by_uuid(&ctl->store, a->unknown.uuid, &other);
	if (rc == 0)
		return ctl_error(EXIT_FAULT, "%s: device %s has this UUID by now; if it is the same "
		                 "machine, \"prebootctl stranger remove %s\"; if it is another "
		                 "one, \"prebootctl uuid ignore\" the UUID, and admit it again",
		                 word, other.name, word);
	if (rc != ERR_NOT_FOUND)
		return ctl_store_error(ctl);
	if (admission->by_uuid || admission->mac_count)
		return 0;
	if (admission->mac_of[0])
		return ctl_error(EXIT_FAULT, "%s: device %s has this MAC, and the UUID tells nothing; "
		                 "if it is the same machine, \"prebootctl stranger remove %s\"; "
		                 "else give it image-safe data with isdctl, and add it by --isd",
		                 word, admission->mac_of, word);
	return ctl_error(EXIT_FAULT, "%s: it tells nothing to know it by, as neither its MAC nor its "
	                 "UUID is its own; give it image-safe data with isdctl, and add it by "
	                 "--isd", word);
}

static int admitting(struct ctl *ctl, void *data)
{
	struct admitting *a = data;
	struct device *device = &a->device, other;
	uint64_t folder = 0;
	int rc, status = ctl_find_unknown(ctl, ctl->words[0], &a->unknown);

	if (status == 0 && ctl->word_count > 1)
		status = ctl_check_device_name(ctl->words[1]);
	if (status == 0 && ctl_given(ctl, OPT_FOLDER))
		status = ctl_find_folder(ctl, ctl->option[OPT_FOLDER], &folder);
	if (status == 0 && unknown_weigh(&ctl->store, &a->unknown, &a->admission))
		status = ctl_store_error(ctl);
	if (status)
		return status;
	text_format(device->name, sizeof(device->name), "%s",
	            ctl->word_count > 1 ? ctl->words[1] : a->admission.name);
	device->added = time(NULL);
	rc = device_by_name(&ctl->store, device->name, &other);
	if (rc == 0)
		return ctl_error(EXIT_FAULT, "there is a device called %s already", other.name);
	if (rc != ERR_NOT_FOUND)
		return ctl_store_error(ctl);
	status = check_identity(ctl, a);
	if (status)
		return status;
	if (unknown_admit(&ctl->store, &a->admission, device) ||
	    (folder && device_move(&ctl->store, device->id, folder)))
		return ctl_store_error(ctl);
	return ctl_happened(ctl, device->id, "admitted", "by the administrator");
}

/* What it is known by where that is not all that it told. */
static void tell(const struct admitting *a)
{
	const struct admission *admission = &a->admission;
	char uuid[40];

	text_format(uuid, sizeof(uuid), "%pU", a->unknown.uuid);
	if (admission->by_uuid && !admission->mac_count)
		ctl_error(0, "note: %s is known by its UUID alone: its MAC is %s%s", a->device.name,
		          admission->mac_of[0] ? "that of device " : "a dock's",
		          admission->mac_of);
	else if (admission->doubtful)
		ctl_error(0, "note: %s is known by its MAC alone: other machines have its UUID, or "
		          "cannot be told from it; \"prebootctl uuid show %s\" tells which",
		          a->device.name, uuid);
	else if (!admission->by_uuid && admission->state == UUID_SHARED)
		ctl_error(0, "note: %s is known by its MAC alone: its UUID is shared", a->device.name);
}

int ctl_device_admit(struct ctl *ctl)
{
	struct admitting a = { .device.id = 0 };
	int status = ctl_transaction(ctl, admitting, &a);

	if (status)
		return status;
	tell(&a);
	if (a.admission.by_uuid && (status = ctl_warn_other_order(ctl, &a.device)) != 0)
		return status;
	return ctl_say(ctl, ctl_json_device(ctl, &a.device), "device %s added", a.device.name);
}
