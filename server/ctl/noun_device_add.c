/* SPDX-License-Identifier: BSD-2-Clause */
/* What a device is known by: adding, changing and admitting one. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/noun.h"
#include "server/ctl/noun_device.h"
#include "server/store/admission.h"
#include "server/store/settings.h"
#include "server/store/uuids.h"

const struct ctl_option opt_mac = { "mac", "MAC", "a MAC address of the device; may be repeated" };
const struct ctl_option opt_uuid = { "uuid", "UUID", "its SMBIOS UUID" };
const struct ctl_option opt_isd = { "isd", "GUID", "the device id in its image-safe data" };
const struct ctl_option opt_folder = { "folder", "FOLDER", "the folder to put it into" };

static const uint8_t no_uuid[16];

/* What "device add" was asked to add. */
struct addition {
	struct device device;
	uint8_t macs[DEVICE_MACS_MAX][6];
	size_t mac_count;
};

static int read_mac(struct addition *new, const char *text)
{
	uint8_t mac[6];

	if (text_parse_mac(text, mac))
		return ctl_error(EXIT_USAGE, "%s: not a MAC address; expected six bytes, as in "
		                 "52:54:00:12:34:56, 52-54-00-12-34-56, 5254.0012.3456 or "
		                 "525400123456", text);
	if (mac[0] & 1 || memcmp(mac, no_uuid, 6) == 0)
		return ctl_error(EXIT_USAGE, "%s: no machine has this address: it is a group's, or "
		                 "nobody's", text);
	for (size_t i = 0; i < new->mac_count; i++)
		if (memcmp(new->macs[i], mac, 6) == 0)
			return 0; /* given twice */
	if (new->mac_count == DEVICE_MACS_MAX)
		return ctl_error(EXIT_USAGE, "at most %d MAC addresses", DEVICE_MACS_MAX);
	memcpy(new->macs[new->mac_count++], mac, 6);
	return 0;
}

/* @what: "UUID" or "device id"; @out: where it goes */
static int read_guid(const char *what, const char *text, uint8_t out[16])
{
	if (memcmp(out, no_uuid, 16))
		return ctl_error(EXIT_USAGE, "%s: a device has only one %s", text, what);
	if (text_parse_uuid(text, out))
		return ctl_error(EXIT_USAGE, "%s: not a UUID; expected 32 hexadecimal digits, as "
		                 "in 4c4c4544-0034-4d10-8052-b4c04f4a3232", text);
	if (!device_uuid_ok(out))
		return ctl_error(EXIT_USAGE, "%s: a placeholder that many machines have; use "
		                 "--mac", text);
	return 0;
}

static int read_uuid(struct addition *new, const char *text)
{
	return read_guid("UUID", text, new->device.uuid);
}

/* What follows the name may be either: a UUID has the length for it. */
static int read_address(struct addition *new, const char *text)
{
	uint8_t unused[16];

	return text_parse_uuid(text, unused) ? read_mac(new, text) : read_uuid(new, text);
}

static int read_addition(struct ctl *ctl, struct addition *new)
{
	const char *name = ctl->words[0], *mac;
	int status = ctl_check_device_name(name);

	memset(new, 0, sizeof(*new));
	if (status)
		return status;
	text_format(new->device.name, sizeof(new->device.name), "%s", name);
	new->device.added = time(NULL);
	for (size_t i = 0; status == 0 && (mac = ctl_option_at(ctl, &opt_mac, i)) != NULL; i++)
		status = read_mac(new, mac);
	if (status == 0 && ctl_option(ctl, &opt_uuid))
		status = read_uuid(new, ctl_option(ctl, &opt_uuid));
	if (status == 0 && ctl_option(ctl, &opt_isd))
		status = read_guid("device id", ctl_option(ctl, &opt_isd), new->device.isd);
	for (int i = 1; status == 0 && i < ctl->word_count; i++)
		status = read_address(new, ctl->words[i]);
	if (status)
		return status;
	if (memcmp(new->device.uuid, no_uuid, 16) == 0 && new->mac_count == 0 &&
	    !ctl_option(ctl, &opt_isd))
		return ctl_error(EXIT_USAGE, "device add %s: needs a MAC or UUID, or the device "
		                 "id in its image-safe data, or the machine could not be known "
		                 "again", name);
	return 0;
}

/* Takes one's own row for none. */
static int without_itself(int rc, const struct addition *new, const struct device *other)
{
	return rc == 0 && other->id == new->device.id ? ERR_NOT_FOUND : rc;
}

/* A UUID that identifies nobody is refused; one in the other byte order is only warned of. */
static int check_uuid(struct ctl *ctl, const struct addition *new)
{
	struct uuid_record word;
	char text[40];

	if (memcmp(new->device.uuid, no_uuid, 16) == 0)
		return 0;
	text_format(text, sizeof(text), "%pU", new->device.uuid);
	if (uuid_find(&ctl->store, new->device.uuid, &word))
		return ctl_store_error(ctl);
	if (word.state == UUID_SHARED || word.state == UUID_IGNORED)
		return ctl_error(EXIT_FAULT, "UUID %s is %s and identifies no machine; use --mac, "
		                 "or, if it is one machine's, \"prebootctl uuid allow %s\" first",
		                 text,
		                 uuid_state_name(word.state), text);
	return ctl_warn_other_order(ctl, &new->device);
}

/* Refuses what another device has already, and says which. */
static int check_addition(struct ctl *ctl, const struct addition *new)
{
	struct device other;
	char text[40];
	int rc = without_itself(device_by_name(&ctl->store, new->device.name, &other), new, &other);

	if (rc == 0)
		return ctl_error(EXIT_FAULT, "device %s already exists", other.name);
	if (rc == ERR_NOT_FOUND && memcmp(new->device.uuid, no_uuid, 16)) {
		rc = device_by_uuid(&ctl->store, new->device.uuid, &other);
		rc = without_itself(rc, new, &other);
		text_format(text, sizeof(text), "%pU", new->device.uuid);
		if (rc == 0)
			return ctl_error(EXIT_FAULT, "UUID %s is that of device %s already", text,
			                 other.name);
	}
	if (rc == ERR_NOT_FOUND && memcmp(new->device.isd, no_uuid, 16)) {
		rc = device_by_isd(&ctl->store, new->device.isd, &other);
		rc = without_itself(rc, new, &other);
		text_format(text, sizeof(text), "%pU", new->device.isd);
		if (rc == 0)
			return ctl_error(EXIT_FAULT, "device id %s is that of device %s already",
			                 text, other.name);
	}
	for (size_t i = 0; rc == ERR_NOT_FOUND && i < new->mac_count; i++) {
		rc = device_by_mac(&ctl->store, new->macs[i], &other);
		rc = without_itself(rc, new, &other);
		text_format(text, sizeof(text), "%pM", new->macs[i]);
		if (rc == 0)
			return ctl_error(EXIT_FAULT, "MAC %s is that of device %s already", text,
			                 other.name);
	}
	return rc == ERR_NOT_FOUND ? 0 : ctl_store_error(ctl);
}

static int warn_of_docks(struct ctl *ctl, const struct addition *new)
{
	for (size_t i = 0; i < new->mac_count; i++) {
		char text[40];
		bool shared;

		if (setting_is_shared_mac(&ctl->store, new->macs[i], &shared))
			return ctl_store_error(ctl);
		text_format(text, sizeof(text), "%pM", new->macs[i]);
		if (shared)
			ctl_error(0, "warning: the setting shared-macs names %s, so it identifies "
			          "no machine",
			          text);
	}
	return 0;
}

static int add_device(struct ctl *ctl, struct addition *new)
{
	uint64_t folder = 0;
	int status = check_addition(ctl, new);

	if (status == 0)
		status = check_uuid(ctl, new);
	if (status == 0)
		status = warn_of_docks(ctl, new);
	if (status == 0 && ctl_given(ctl, &opt_folder))
		status = ctl_find_folder(ctl, ctl_option(ctl, &opt_folder), &folder);
	if (status == 0 &&
	    (device_add(&ctl->store, &new->device, (const uint8_t (*)[6])new->macs,
	                new->mac_count) ||
	     (folder && device_move(&ctl->store, new->device.id, folder))))
		status = ctl_store_error(ctl);
	return status;
}

int ctl_device_add(struct ctl *ctl)
{
	struct addition new;
	int status = read_addition(ctl, &new);

	if (status == 0)
		status = CTL_TRANSACTION(ctl, add_device(ctl, &new));
	return status ? status : ctl_say(ctl, ctl_json_device(ctl, &new.device),
	                                 "device %s added", new.device.name);
}

/* --- device change --------------------------------------------------------- */

/* Reads an option that replaces a GUID; empty: it has none any more. */
static int read_change(const char *what, const char *text, uint8_t out[16])
{
	memset(out, 0, 16);
	return text[0] ? read_guid(what, text, out) : 0;
}

/* Refuses what only one device can have, where several are named. */
static int check_several(const struct ctl *ctl)
{
	const char *value, *options[] = { ctl_option(ctl, &opt_uuid), ctl_option(ctl, &opt_isd) };

	for (size_t i = 0; i < 2; i++)
		if (options[i] && options[i][0])
			return ctl_error(EXIT_USAGE, "%s: only one device can have it; name one, "
			                 "or use \"\" to remove what several have", options[i]);
	for (size_t i = 0; (value = ctl_option_at(ctl, &opt_mac, i)) != NULL; i++)
		if (value[0])
			return ctl_error(EXIT_USAGE, "%s: only one device can have it; name one, "
			                 "or use \"\" to remove what several have", value);
	return 0;
}

/* Reads what the device is to be known by into @new, which has what it is known by. */
static int read_changes(struct ctl *ctl, struct addition *new)
{
	const char *mac;
	int status = 0;

	if (ctl_given(ctl, &opt_mac))
		new->mac_count = 0;
	for (size_t i = 0; status == 0 && (mac = ctl_option_at(ctl, &opt_mac, i)) != NULL; i++)
		if (mac[0])
			status = read_mac(new, mac);
	if (status == 0 && ctl_option(ctl, &opt_uuid))
		status = read_change("UUID", ctl_option(ctl, &opt_uuid), new->device.uuid);
	if (status == 0 && ctl_option(ctl, &opt_isd))
		status = read_change("device id", ctl_option(ctl, &opt_isd), new->device.isd);
	if (status == 0 && new->mac_count == 0 && !memcmp(new->device.uuid, no_uuid, 16) &&
	    !memcmp(new->device.isd, no_uuid, 16))
		status = ctl_error(EXIT_USAGE, "device change %s: nothing would be left to know it "
		                   "by", new->device.name);
	return status;
}

static int change_device(struct ctl *ctl, const struct device *device, void *data)
{
	struct addition new = { .device = *device };
	int status = 0;

	if (device_macs(&ctl->store, device->id, new.macs, &new.mac_count))
		return ctl_store_error(ctl);
	status = read_changes(ctl, &new);
	if (status == 0)
		status = check_addition(ctl, &new);
	if (status == 0 && ctl_given(ctl, &opt_uuid))
		status = check_uuid(ctl, &new);
	if (status == 0 && device_change(&ctl->store, &new.device, new.macs, new.mac_count))
		status = ctl_store_error(ctl);
	return status ? status : ctl_add_done(data, ctl_json_device(ctl, &new.device),
	                                      "device %s changed", new.device.name);
}

int ctl_device_change(struct ctl *ctl)
{
	struct ctl_done done;
	int status;

	if (!ctl_given(ctl, &opt_mac) && !ctl_given(ctl, &opt_uuid) && !ctl_given(ctl, &opt_isd))
		return ctl_error(EXIT_USAGE, "device change: expected --mac, --uuid or --isd");
	if (!ctl_names_one(ctl) && (status = check_several(ctl)) != 0)
		return status;
	done = (struct ctl_done){ json_array(), json_array() };
	status = CTL_TRANSACTION(ctl, ctl_each_device(ctl, 0, ctl->word_count, change_device,
	                                              &done));
	return ctl_finish_done(ctl, &done, status, ctl_names_one(ctl));
}

/* device admit: an unknown machine becomes a device. */

struct newcomer {
	struct device device;
	struct unknown unknown;
	struct admission admission;
};

/* A device has the UUID, or there is nothing to know the machine by. */
static int check_identity(struct ctl *ctl, const struct newcomer *a)
{
	const char *word = ctl->words[0];
	const struct admission *admission = &a->admission;
	struct device other;
	int rc = ERR_NOT_FOUND;

	if (device_uuid_ok(a->unknown.uuid) && admission->state != UUID_SHARED &&
	    admission->state != UUID_IGNORED)
		rc = device_by_uuid(&ctl->store, a->unknown.uuid, &other);
	if (rc == 0)
		return ctl_error(EXIT_FAULT, "%s: device %s has this UUID by now; if it is the "
		                 "same machine, \"prebootctl unknown remove %s\"; if it is another "
		                 "one, \"prebootctl uuid ignore\" the UUID, and admit it again",
		                 word, other.name, word);
	if (rc != ERR_NOT_FOUND)
		return ctl_store_error(ctl);
	if (admission->by_uuid || admission->mac_count)
		return 0;
	if (admission->mac_of[0])
		return ctl_error(EXIT_FAULT, "%s: device %s has this MAC, and the UUID identifies "
		                 "no machine; if it is the same machine, \"prebootctl unknown "
		                 "remove %s\"; else give it image-safe data with isdctl, and add "
		                 "it by --isd",
		                 word, admission->mac_of, word);
	return ctl_error(EXIT_FAULT, "%s: it reported nothing that identifies it, as neither its "
	                 "MAC nor its UUID is its own; give it image-safe data with isdctl, and "
	                 "add it by --isd", word);
}

static int admit_machine(struct ctl *ctl, struct newcomer *a)
{
	struct device *device = &a->device, other;
	uint64_t folder = 0;
	int rc, status = ctl_find_unknown(ctl, ctl->words[0], &a->unknown);

	if (status == 0 && ctl->word_count > 1)
		status = ctl_check_device_name(ctl->words[1]);
	if (status == 0 && ctl_given(ctl, &opt_folder))
		status = ctl_find_folder(ctl, ctl_option(ctl, &opt_folder), &folder);
	if (status == 0 && admission_evaluate(&ctl->store, &a->unknown, &a->admission))
		status = ctl_store_error(ctl);
	if (status)
		return status;
	text_format(device->name, sizeof(device->name), "%s",
	            ctl->word_count > 1 ? ctl->words[1] : a->admission.name);
	device->added = time(NULL);
	rc = device_by_name(&ctl->store, device->name, &other);
	if (rc == 0)
		return ctl_error(EXIT_FAULT, "device %s already exists", other.name);
	if (rc != ERR_NOT_FOUND)
		return ctl_store_error(ctl);
	status = check_identity(ctl, a);
	if (status)
		return status;
	if (admission_apply(&ctl->store, &a->admission, device) ||
	    (folder && device_move(&ctl->store, device->id, folder)))
		return ctl_store_error(ctl);
	return ctl_add_event(ctl, device->id, "admitted", "by the administrator");
}

/* Says what the device is known by, where that is not all that the machine reported. */
static void note_identity(const struct newcomer *a)
{
	const struct admission *admission = &a->admission;
	char uuid[40];

	text_format(uuid, sizeof(uuid), "%pU", a->unknown.uuid);
	if (admission->by_uuid && !admission->mac_count)
		ctl_error(0, "note: %s is known by its UUID alone: its MAC is %s%s", a->device.name,
		          admission->mac_of[0] ? "that of device " : "a dock's",
		          admission->mac_of);
	else if (admission->shared)
		ctl_error(0, "note: %s is known by its MAC alone: other machines have its UUID, or "
		          "cannot be distinguished from it; see \"prebootctl uuid show %s\"",
		          a->device.name, uuid);
	else if (!admission->by_uuid && admission->state == UUID_SHARED)
		ctl_error(0, "note: %s is known by its MAC alone: its UUID is shared",
		          a->device.name);
}

int ctl_device_admit(struct ctl *ctl)
{
	struct newcomer a = { .device.id = 0 };
	int status = CTL_TRANSACTION(ctl, admit_machine(ctl, &a));

	if (status)
		return status;
	note_identity(&a);
	if (a.admission.by_uuid && (status = ctl_warn_other_order(ctl, &a.device)) != 0)
		return status;
	return ctl_say(ctl, ctl_json_device(ctl, &a.device), "device %s added", a.device.name);
}
