/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl_verbs.h"
#include "server/store/jobs.h"

/* --- move ------------------------------------------------------------------ */

struct moving {
	uint64_t folder;
	char path[FOLDER_PATH];
	unsigned int moved;
};

static int move_one(struct ctl *ctl, const struct device *device, void *data)
{
	struct moving *m = data;
	uint64_t before;

	if (device_folder(&ctl->store, device->id, &before))
		return ctl_store_error(ctl);
	if (before == m->folder)
		return 0;
	if (device_move(&ctl->store, device->id, m->folder))
		return ctl_store_error(ctl);
	m->moved++;
	return ctl_happened(ctl, device->id, "moved", "to %s", m->path);
}

static int move(struct ctl *ctl, void *data)
{
	struct moving *m = data;
	int status = ctl_find_folder(ctl, ctl->words[ctl->word_count - 1], &m->folder);

	if (status == 0 && folder_path(&ctl->store, m->folder, m->path))
		status = ctl_store_error(ctl);
	return status ? status : ctl_each_device(ctl, 0, ctl->word_count - 1, move_one, m);
}

int ctl_device_move(struct ctl *ctl)
{
	struct moving m = { 0 };
	int status = ctl_transaction(ctl, move, &m);

	return status ? status : ctl_say(ctl, json_pack("{s:s, s:i}", "folder", m.path, "moved",
	                                                (int)m.moved),
	                                 "%u moved to %s", m.moved, m.path);
}

/* --- release --------------------------------------------------------------- */

static int releasing(struct ctl *ctl, void *data)
{
	static const uint8_t none[16];
	struct device *device = data;
	char by[40];
	int status = ctl_find_device(ctl, ctl->words[0], device);

	if (status)
		return status;
	if (memcmp(device->claim_uuid, none, 16))
		text_format(by, sizeof(by), "%pU", device->claim_uuid);
	else if (memcmp(device->claim_mac, none, 6))
		text_format(by, sizeof(by), "%pM", device->claim_mac);
	else
		return ctl_error(EXIT_FAULT, "device %s: no machine has claimed it; what it was "
		                 "added with can be changed with \"prebootctl device change\"",
		                 device->name);
	if (device_release(&ctl->store, device->id))
		return ctl_store_error(ctl);
	return ctl_happened(ctl, device->id, "released", "it was claimed by %s", by);
}

/* What the device has open is the next machine's, whichever that is. */
static int warn_of_job(struct ctl *ctl, const struct device *device)
{
	struct job job;
	int rc = job_newest(&ctl->store, device->id, &job);

	if (rc && rc != ERR_NOT_FOUND)
		return ctl_store_error(ctl);
	if (rc == 0 && job_is_open(job.state))
		ctl_error(0, "warning: device %s has open work, %llu, which is %s: the next machine "
		          "is given it; \"prebootctl work cancel %llu\" if it is not to be",
		          device->name, (unsigned long long)job.number,
		          job_state_name(job.state), (unsigned long long)job.number);
	return 0;
}

int ctl_device_release(struct ctl *ctl)
{
	struct device device;
	int status = ctl_transaction(ctl, releasing, &device);

	if (status == 0)
		status = warn_of_job(ctl, &device);
	return status ? status : ctl_say(ctl, json_pack("{s:s}", "released", device.name),
	                                 "device %s released: the next machine that comes with "
	                                 "its MAC or image-safe data is it", device.name);
}

/* --- rename ---------------------------------------------------------------- */

static int renaming(struct ctl *ctl, void *data)
{
	struct device *device = data, other;
	int rc, status = ctl_find_device(ctl, ctl->words[0], device);

	if (status == 0)
		status = ctl_check_device_name(ctl->words[1]);
	if (status)
		return status;
	rc = device_by_name(&ctl->store, ctl->words[1], &other);
	if (rc == 0 && other.id != device->id)
		return ctl_error(EXIT_FAULT, "there is a device called %s already", other.name);
	if ((rc && rc != ERR_NOT_FOUND) ||
	    device_rename(&ctl->store, device->id, ctl->words[1]))
		return ctl_store_error(ctl);
	return ctl_happened(ctl, device->id, "renamed", "it was %s", device->name);
}

int ctl_device_rename(struct ctl *ctl)
{
	struct device device;
	int status = ctl_transaction(ctl, renaming, &device);

	return status ? status : ctl_say(ctl, json_pack("{s:s, s:s}", "was", device.name, "name",
	                                                ctl->words[1]),
	                                 "device %s is now %s", device.name, ctl->words[1]);
}
