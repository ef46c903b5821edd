/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices: listing, moving, renaming, removing them. */
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl_data.h"
#include "server/ctl/noun.h"
#include "server/ctl/noun_device.h"
#include "server/store/jobs.h"

/* --- options ---------------------------------------------------------------- */

static const struct ctl_option opt_csv = {
	"csv", NULL, "print comma-separated values, as \"device import\" reads them"
};
static const struct ctl_option opt_force = { "force", NULL, "also with an open job" };

static const uint8_t no_uuid[16];

/* --- device list ----------------------------------------------------------- */

static void list_device(struct ctl *ctl, struct table *table, const struct device *device,
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

struct device_listing {
	struct table table;
	json_t *array;
};

static int add_to_list(struct ctl *ctl, const struct device *device, void *data)
{
	struct device_listing *list = data;
	struct seen seen;
	struct job job;

	if (ctl_gather_device(ctl, device, &seen, &job))
		return ctl_store_error(ctl);
	if (ctl->json)
		json_array_append_new(list->array, ctl_json_full(ctl, device, &seen, &job));
	else
		list_device(ctl, &list->table, device, &seen, &job);
	return 0;
}

static int ctl_device_list(struct ctl *ctl)
{
	struct device_listing list = { .table = { .columns = 6 } };
	int status;

	if (ctl_given(ctl, &opt_csv))
		return ctl_put_csv(ctl);
	list.array = json_array();
	table_add(&list.table, "DEVICE", "FOLDER", "MAC OR UUID", "FW", "NEWEST JOB", "LAST SEEN");
	status = ctl_each_listed(ctl, add_to_list, &list);
	if (status == 0)
		return ctl_answer_list(ctl, 0, &list.table, list.array);
	table_free(&list.table);
	json_decref(list.array);
	return status;
}

/* --- device remove --------------------------------------------------------- */

/* The devices that a verb has done something to. */
struct done {
	json_t *names;
	unsigned int skipped; /* for these there was nothing to do */
};

static int remove_device(struct ctl *ctl, const struct device *device, void *data)
{
	struct done *done = data;
	struct job job;
	int rc = job_newest(&ctl->store, device->id, &job);

	if (rc == 0 && job_is_open(job.state) && !ctl_given(ctl, &opt_force))
		return ctl_error(EXIT_FAULT, "device %s has job %llu, which is %s; cancel it with "
		                 "\"prebootctl job cancel %s\", or use --force", device->name,
		                 (unsigned long long)job.number, job_state_name(job.state),
		                 device->name);
	if ((rc && rc != ERR_NOT_FOUND) || device_remove(&ctl->store, device->id))
		return ctl_store_error(ctl);
	json_array_append_new(done->names, json_string(device->name));
	return 0;
}

/* Returns the one name, where one device was named, or all of them as an array, which is freed. */
static json_t *json_done(struct ctl *ctl, struct done *done)
{
	json_t *first = json_array_get(done->names, 0);

	if (ctl->word_count > 1 || ctl->words[0][0] == '/' || strchr(ctl->words[0], ':') || !first)
		return done->names;
	json_incref(first);
	json_decref(done->names);
	return first;
}

static int ctl_device_remove(struct ctl *ctl)
{
	struct done done = { .names = json_array() };
	int status = CTL_TRANSACTION(ctl, ctl_each_device(ctl, 0, ctl->word_count, remove_device,
	                                                  &done));
	size_t count = json_array_size(done.names);
	char name[NAME_SIZE] = "";

	if (status) {
		json_decref(done.names);
		return status;
	}
	if (count == 1)
		text_format(name, sizeof(name), "%s",
		            json_string_value(json_array_get(done.names, 0)));
	if (count == 1)
		return ctl_say(ctl, json_pack("{s:o}", "removed", json_done(ctl, &done)),
		               "device %s removed", name);
	return ctl_say(ctl, json_pack("{s:o}", "removed", json_done(ctl, &done)),
	               "%zu devices removed", count);
}

/* --- move ------------------------------------------------------------------ */

struct move {
	uint64_t folder;
	char path[FOLDER_PATH];
	unsigned int moved;
};

static int move_device(struct ctl *ctl, const struct device *device, void *data)
{
	struct move *m = data;
	uint64_t before;

	if (device_folder(&ctl->store, device->id, &before))
		return ctl_store_error(ctl);
	if (before == m->folder)
		return 0;
	if (device_move(&ctl->store, device->id, m->folder))
		return ctl_store_error(ctl);
	m->moved++;
	return ctl_add_event(ctl, device->id, "moved", "to %s", m->path);
}

static int move_devices(struct ctl *ctl, struct move *m)
{
	int status = ctl_find_folder(ctl, ctl->words[ctl->word_count - 1], &m->folder);

	if (status == 0 && folder_path(&ctl->store, m->folder, m->path))
		status = ctl_store_error(ctl);
	return status ? status : ctl_each_device(ctl, 0, ctl->word_count - 1, move_device, m);
}

static int ctl_device_move(struct ctl *ctl)
{
	struct move m = { 0 };
	int status = CTL_TRANSACTION(ctl, move_devices(ctl, &m));

	return status ? status : ctl_say(ctl, json_pack("{s:s, s:i}", "folder", m.path, "moved",
	                                                (int)m.moved),
	                                 "%u moved to %s", m.moved, m.path);
}

/* --- release --------------------------------------------------------------- */

static int release_device(struct ctl *ctl, const struct device *device, void *data)
{
	static const uint8_t none[16];
	struct done *done = data;
	char by[40];

	if (memcmp(device->bound_uuid, none, 16)) {
		text_format(by, sizeof(by), "%pU", device->bound_uuid);
	} else if (memcmp(device->bound_mac, none, 6)) {
		text_format(by, sizeof(by), "%pM", device->bound_mac);
	} else if (ctl_names_one(ctl)) {
		return ctl_error(EXIT_FAULT, "device %s is bound to no machine; \"prebootctl "
		                 "device change\" changes what it was added with", device->name);
	} else {
		done->skipped++;
		return 0;
	}
	if (device_release(&ctl->store, device->id))
		return ctl_store_error(ctl);
	json_array_append_new(done->names, json_string(device->name));
	return ctl_add_event(ctl, device->id, "released", "it was bound to %s", by);
}

/* What the device has open is the next machine's, whichever that is. */
static int warn_of_open_job(struct ctl *ctl, const struct device *device)
{
	struct job job;
	int rc = job_newest(&ctl->store, device->id, &job);

	if (rc && rc != ERR_NOT_FOUND)
		return ctl_store_error(ctl);
	if (rc == 0 && job_is_open(job.state))
		ctl_error(0, "warning: device %s has an open job, %llu, which is %s: the next "
		          "machine gets it; \"prebootctl job cancel %llu\" if it should not",
		          device->name, (unsigned long long)job.number,
		          job_state_name(job.state), (unsigned long long)job.number);
	return 0;
}

static int ctl_device_release(struct ctl *ctl)
{
	struct done done = { .names = json_array() };
	struct device device;
	size_t i;
	json_t *name;
	int status = CTL_TRANSACTION(ctl, ctl_each_device(ctl, 0, ctl->word_count, release_device,
	                                                  &done));

	json_array_foreach(done.names, i, name) {
		if (status == 0)
			status = ctl_find_device(ctl, json_string_value(name), &device);
		if (status == 0)
			status = warn_of_open_job(ctl, &device);
	}
	if (status) {
		json_decref(done.names);
		return status;
	}
	if (i == 1 && !done.skipped)
		return ctl_say(ctl, json_pack("{s:o}", "released", json_done(ctl, &done)),
		               "device %s released: the next machine that presents its MAC or "
		               "image-safe data is this device", device.name);
	return ctl_say(ctl, json_pack("{s:o}", "released", json_done(ctl, &done)),
	               "%zu device%s released, %u bound to no machine", i, ctl_plural(i),
	               done.skipped);
}

/* --- rename ---------------------------------------------------------------- */

static int rename_device(struct ctl *ctl, struct device *device)
{
	struct device other;
	int rc, status = ctl_find_device(ctl, ctl->words[0], device);

	if (status == 0)
		status = ctl_check_device_name(ctl->words[1]);
	if (status)
		return status;
	rc = device_by_name(&ctl->store, ctl->words[1], &other);
	if (rc == 0 && other.id != device->id)
		return ctl_error(EXIT_FAULT, "device %s already exists", other.name);
	if ((rc && rc != ERR_NOT_FOUND) ||
	    device_rename(&ctl->store, device->id, ctl->words[1]))
		return ctl_store_error(ctl);
	return ctl_add_event(ctl, device->id, "renamed", "it was %s", device->name);
}

static int ctl_device_rename(struct ctl *ctl)
{
	struct device device;
	int status = CTL_TRANSACTION(ctl, rename_device(ctl, &device));

	return status ? status : ctl_say(ctl, json_pack("{s:s, s:s}", "was", device.name, "name",
	                                                ctl->words[1]),
	                                 "device %s is now %s", device.name, ctl->words[1]);
}

/* --- the noun --------------------------------------------------------------- */

static const struct verb verbs[] = {
	{ .name = "add", .alias = "new", .run = ctl_device_add, .min = 1, .max = NO_LIMIT,
	  .options = OPTIONS(&opt_mac, &opt_uuid, &opt_isd, &opt_folder), .database = DB_CREATE,
	  .usage = "NAME [[--mac] MAC]... [[--uuid] UUID] [--isd GUID] [--folder FOLDER]",
	  .help = "Add a device that is known by its MAC addresses, its SMBIOS UUID, the device id "
	          "in its image-safe data, or several of them. A NAME has letters, digits, \".\", "
	          "\"_\" and \"-\". The database is created if there is none." },
	{ .name = "change", .alias = "set", .run = ctl_device_change, .min = 1,
	  .max = NO_LIMIT, .options = OPTIONS(&opt_mac, &opt_uuid, &opt_isd),
	  .usage = "TARGET... [--mac MAC]... [--uuid UUID] [--isd GUID]",
	  .help = "Replace what a device is known by, as after a new main board. What is not given "
	          "stays; what is given empty is removed, also from several devices. A device that "
	          "is known by its image-safe data alone can then be claimed by the next machine "
	          "that presents it." },
	{ .name = "list", .alias = "ls", .run = ctl_device_list, .min = 0, .max = NO_LIMIT,
	  .options = OPTIONS(&opt_group, &opt_seen, &opt_csv),
	  .usage = "[TARGET]... [--group GROUP] [--seen] [--csv]",
	  .help = "List the devices and the state of their newest jobs: all devices, or those that "
	          "the targets name." },
	{ .name = "show", .alias = "info", .run = ctl_device_show, .min = 1, .max = NO_LIMIT,
	  .usage = "TARGET...",
	  .help = "Show devices: what the last request of each reported, its newest job, and its "
	          "last 20 events. With --json an object for one device, and an array for several "
	          "targets, a folder or a group." },
	{ .name = "remove", .alias = "delete", .run = ctl_device_remove, .min = 1, .max = NO_LIMIT,
	  .options = OPTIONS(&opt_force), .usage = "TARGET... [--force]",
	  .help = "Delete devices with their jobs and events: all of them or none. A device that "
	          "has an open job is refused without --force." },
	{ .name = "trace", .alias = "boot", .run = ctl_device_trace, .min = 1, .max = NO_LIMIT,
	  .options = OPTIONS(&opt_boot), .usage = "TARGET... [--boot N]",
	  .help = "Show a boot of each device as a timeline: milliseconds since the NBP's start, "
	          "the step, who reported it, the job, the reason. With --json an object for one "
	          "device, and an array for several targets, a folder or a group." },
	{ .name = "move", .alias = "mv", .run = ctl_device_move, .min = 2, .max = NO_LIMIT,
	  .usage = "TARGET... FOLDER",
	  .help = "Move devices to a folder, as in /site/lab; to \"/\": into no folder." },
	{ .name = "rename", .run = ctl_device_rename, .min = 2, .max = 2,
	  .usage = "DEVICE NEWNAME",
	  .help = "Give a device another name. Its jobs and its events stay." },
	{ .name = "release", .run = ctl_device_release, .min = 1, .max = NO_LIMIT,
	  .usage = "TARGET...",
	  .help = "Remove the binding of each device that is known by its MAC or its image-safe "
	          "data alone to the machine that came with them first. The next machine that "
	          "presents them is this device, and gets the job that is open; a warning names "
	          "it." },
	{ .name = "admit", .run = ctl_device_admit, .min = 1, .max = 2,
	  .options = OPTIONS(&opt_folder), .usage = "MAC|UUID [NAME] [--folder FOLDER]",
	  .help = "Make a device of an unknown machine, known by the MAC and UUID that it "
	          "reported. All network adapters that asked with the same UUID become part of it "
	          "where serial numbers show that they are in one machine. Without a name it is "
	          "called pc- and the MAC, as in pc-525400123456." },
	{ .name = "import", .alias = "load", .run = ctl_device_import, .min = 1, .max = 1,
	  .options = OPTIONS(&opt_create_folders, &opt_create_groups, &opt_dry_run),
	  .database = DB_CREATE, .usage = "FILE [--create-folders] [--create-groups] [--dry-run]",
	  .help = "Add and change devices as a file of comma-separated values says: all of them or "
	          "none. Devices may swap what they have. Each error is printed with its line and "
	          "column; of errors that are alike the first are. FILE \"-\" is standard input. "
	          "The first line names the columns, in any order, some of\n"
	          "  name,mac,uuid,isd,folder,group\n"
	          "  web01,52:54:00:12:34:56,,,/site/lab,kiosks\n"
	          "The name of a device changes that device; a line without a name changes the "
	          "device that has its MAC, UUID or device id. An empty field leaves what a device "
	          "has; \"-\" clears it. Several MACs or groups are in one field with spaces "
	          "between them, and the device gets just those. \"device list --csv\" writes the "
	          "same format." },
	{ .run = NULL },
};

const struct noun noun_device = {
	.name = "device", .about = "the registered machines, and what they are known by",
	.verbs = verbs,
};
