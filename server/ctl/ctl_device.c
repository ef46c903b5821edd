/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl_data.h"
#include "server/ctl/ctl_verbs.h"
#include "server/store/jobs.h"

#define SHOWN_EVENTS 20

static const uint8_t no_uuid[16];

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

/* --- device list ----------------------------------------------------------- */

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

/* Adds what is known of @device beside itself: its last request, its newest work. */
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
	json_object_set_new(object, "work",
	                    job->number ? ctl_json_job(ctl, device, job) : json_null());
	return object;
}

static void list_row(struct ctl *ctl, struct table *table, const struct device *device,
                     const struct seen *seen, const struct job *job)
{
	uint8_t macs[DEVICE_MACS_MAX][6];
	char id[48] = "-", path[FOLDER_PATH], state[64] = "-", ago[32];
	size_t count = 0;

	if (device_macs(&ctl->store, device->id, macs, &count) == 0 && count > 1)
		text_format(id, sizeof(id), "%pM +%u", macs[0], (uint32_t)count - 1);
	else if (count)
		text_format(id, sizeof(id), "%pM", macs[0]);
	else if (memcmp(device->uuid, no_uuid, 16))
		text_format(id, sizeof(id), "%pU", device->uuid);
	else
		text_format(id, sizeof(id), "ISD %pU", device->isd);
	if (job->number)
		text_format(state, sizeof(state), "%" PRIu64 " %s, %u/%u", job->number,
		            job_state_name(job->state), job->attempt, job->attempts);
	ctl_ago(seen->time, ago, sizeof(ago));
	ctl_device_path(ctl, device, path);
	table_add(table, device->name, path, id,
	          seen->time ? ctl_firmware_name(seen->request.u.request.firmware) : "-", state,
	          ago);
}

int ctl_device_list(struct ctl *ctl)
{
	struct table table = { .columns = 6 };
	struct device device;
	struct seen seen;
	struct job job;
	sqlite3_stmt *rows;
	json_t *array;
	int rc = 0, status = ctl_start_devices(ctl, &rows);

	if (status)
		return status;
	if (ctl_given(ctl, OPT_CSV))
		return ctl_put_csv(ctl, rows);
	array = json_array();
	table_add(&table, "DEVICE", "FOLDER", "MAC OR UUID", "FW", "NEWEST WORK", "LAST SEEN");
	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		device_row(rows, &device);
		rc = ctl_gather_device(ctl, &device, &seen, &job);
		if (rc == 0 && ctl->json)
			json_array_append_new(array, ctl_json_full(ctl, &device, &seen, &job));
		else if (rc == 0)
			list_row(ctl, &table, &device, &seen, &job);
	}
	return ctl_answer_list(ctl, rc, &table, array);
}

/* --- device remove --------------------------------------------------------- */

static int removing(struct ctl *ctl, void *data)
{
	struct device *device = data;
	struct job job;
	int rc, status = ctl_find_device(ctl, ctl->words[0], device);

	if (status)
		return status;
	rc = job_newest(&ctl->store, device->id, &job);
	if (rc == 0 && job_is_open(job.state) && !ctl_given(ctl, OPT_FORCE))
		return ctl_error(EXIT_FAULT, "%s has work %llu, which is %s; cancel it with "
		                 "\"prebootctl work cancel %s\", or use --force", device->name,
		                 (unsigned long long)job.number, job_state_name(job.state),
		                 device->name);
	if ((rc && rc != ERR_NOT_FOUND) || device_remove(&ctl->store, device->id))
		return ctl_store_error(ctl);
	return 0;
}

int ctl_device_remove(struct ctl *ctl)
{
	struct device device;
	int status = ctl_transaction(ctl, removing, &device);

	return status ? status : ctl_say(ctl, json_pack("{s:s}", "removed", device.name),
	                                 "device %s removed", device.name);
}
