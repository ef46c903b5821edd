/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices: their names, what is known of each, and both as JSON. */
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl.h"
#include "server/store/jobs.h"
#include "server/store/uuids.h"

static const uint8_t no_uuid[16];

/* --- names and UUIDs -------------------------------------------------------- */

int ctl_check_device_name(const char *name)
{
	uint8_t unused[16];

	if (device_name_ok(name) && text_parse_mac(name, unused) && text_parse_uuid(name, unused))
		return 0;
	return ctl_error(EXIT_USAGE, "%s: not a name for a device; expected 1 to %d letters, "
	                 "digits, \".\", \"_\" and \"-\", beginning with a letter or digit, not "
	                 "all digits, and not a MAC or UUID", name, NAME_SIZE - 1);
}

int ctl_warn_other_order(struct ctl *ctl, const struct device *device)
{
	struct device other;
	uint8_t swapped[16];
	char text[40];
	int rc;

	device_uuid_swap(device->uuid, swapped);
	rc = memcmp(swapped, device->uuid, 16) == 0 ? ERR_NOT_FOUND :
	     device_by_uuid(&ctl->store, swapped, &other);
	if (rc && rc != ERR_NOT_FOUND)
		return ctl_store_error(ctl);
	text_format(text, sizeof(text), "%pU", device->uuid);
	if (rc == 0 && other.id != device->id)
		ctl_error(0, "warning: %s is the UUID of device %s in the other byte order", text,
		          other.name);
	return 0;
}

/* --- as JSON ---------------------------------------------------------------- */

static json_t *json_guid(const uint8_t guid[16])
{
	char text[40];

	text_format(text, sizeof(text), "%pU", guid);
	return memcmp(guid, no_uuid, 16) ? json_string(text) : json_null();
}

void ctl_device_path(struct ctl *ctl, const struct device *device, char path[FOLDER_PATH])
{
	uint64_t folder = 0;

	if (device_folder(&ctl->store, device->id, &folder) ||
	    folder_path(&ctl->store, folder, path))
		text_format(path, FOLDER_PATH, "?");
}

json_t *ctl_json_device(struct ctl *ctl, const struct device *device)
{
	uint8_t macs[DEVICE_MACS_MAX][6];
	char path[FOLDER_PATH];
	json_t *list = json_array();
	size_t count;
	char text[40];

	if (device_macs(&ctl->store, device->id, macs, &count))
		count = 0;
	for (size_t i = 0; i < count; i++) {
		text_format(text, sizeof(text), "%pM", macs[i]);
		json_array_append_new(list, json_string(text));
	}
	ctl_device_path(ctl, device, path);
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "name", device->name, "folder", path,
	                 "macs", list, "uuid", json_guid(device->uuid),
	                 "isd", json_guid(device->isd),
	                 "added", ctl_json_time(device->added));
}

json_t *ctl_json_seen(const struct seen *seen)
{
	json_t *object;

	if (seen->time == 0)
		return json_null();
	object = ctl_json_hardware(&seen->request.u.request);
	json_object_set_new(object, "time", ctl_json_time(seen->time));
	json_object_set_new(object, "address", json_string(seen->address));
	return object;
}

/* Adds what is known of @device beside itself: its last request, its newest job. */
int ctl_gather_device(struct ctl *ctl, const struct device *device, struct seen *seen,
                      struct job *job)
{
	int rc = device_last_seen(&ctl->store, device->id, seen);

	job->number = 0;
	if (rc == 0)
		rc = job_newest(&ctl->store, device->id, job);
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

json_t *ctl_json_full(struct ctl *ctl, const struct device *device, const struct seen *seen,
                      const struct job *job)
{
	json_t *object = ctl_json_device(ctl, device);

	json_object_set_new(object, "seen", ctl_json_seen(seen));
	json_object_set_new(object, "job",
	                    job->number ? ctl_json_job(ctl, device, job) : json_null());
	return object;
}
