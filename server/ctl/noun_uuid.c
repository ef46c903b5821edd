/* SPDX-License-Identifier: BSD-2-Clause */
/* UUIDs that are not simply one machine's. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/noun.h"
#include "server/store/devices.h"
#include "server/store/uuids.h"

static json_t *json_uuid(const struct uuid_record *word)
{
	char uuid[40];

	text_format(uuid, sizeof(uuid), "%pU", word->uuid);
	return json_pack("{s:s, s:s, s:o}", "uuid", uuid, "state", uuid_state_name(word->state),
	                 "since", ctl_json_time(word->time));
}

static int ctl_uuid_list(struct ctl *ctl)
{
	struct table table = { .columns = 3 };
	struct uuid_record word;
	struct store_rows *rows;
	json_t *array = json_array();
	int rc = uuid_list(&ctl->store, &rows);

	table_add(&table, "UUID", "STATE", "SINCE");
	while (store_next(rows, &rc)) {
		char uuid[40], since[40];

		uuid_row(rows, &word);
		text_format(uuid, sizeof(uuid), "%pU", word.uuid);
		ctl_time(word.time, since, sizeof(since));
		table_add(&table, uuid, uuid_state_name(word.state), since);
		json_array_append_new(array, json_uuid(&word));
	}
	return ctl_answer_list(ctl, rc, &table, array);
}

static int read_uuid(const char *word, uint8_t uuid[16])
{
	return text_parse_uuid(word, uuid) == 0 ? 0 :
	       ctl_error(EXIT_USAGE, "%s: not a UUID; expected 32 hexadecimal digits, as in "
	                 "4c4c4544-0034-4d10-8052-b4c04f4a3232", word);
}

static int show_uuid(struct ctl *ctl, const char *word, json_t *shown)
{
	struct table table = { .columns = 5 };
	struct sighting sighting;
	uint8_t uuid[16];
	struct store_rows *rows;
	json_t *array;
	size_t count = 0;
	int rc, status = read_uuid(word, uuid);

	if (status)
		return status;
	array = json_array();
	table_add(&table, "MAC", "SERIAL", "BOARD", "MODEL", "LAST SEEN");
	rc = sighting_list(&ctl->store, uuid, &rows);
	while (store_next(rows, &rc)) {
		char mac[40], last[40];

		sighting_row(rows, &sighting);
		text_format(mac, sizeof(mac), "%pM", sighting.mac);
		ctl_time(sighting.last, last, sizeof(last));
		table_add(&table, mac, sighting.serials.serial[0] ? sighting.serials.serial : "-",
		          sighting.serials.board[0] ? sighting.serials.board : "-",
		          sighting.serials.model, last);
		json_array_append_new(array, json_pack(
			"{s:s, s:s, s:s, s:s, s:o, s:o}", "mac", mac, "serial",
			sighting.serials.serial, "board", sighting.serials.board, "model",
			sighting.serials.model, "first", ctl_json_time(sighting.first), "last",
			ctl_json_time(sighting.last)));
		count++;
	}
	if (rc == 0 && !device_uuid_ok(uuid))
		ctl_error(0, "note: %s is a placeholder that many machines have; it identifies no "
		          "machine",
		          word);
	else if (rc == 0 && count == 0)
		ctl_error(0, "note: no doubtful MACs were reported with %s", word);
	if (rc == 0 && ctl->json)
		json_array_append(shown, array);
	else if (rc == 0)
		table_print(&table);
	table_free(&table);
	json_decref(array);
	return rc ? ctl_store_error(ctl) : 0;
}

static int ctl_uuid_show(struct ctl *ctl)
{
	return ctl_show_each(ctl, show_uuid);
}

/* An allowed UUID outweighs any MAC, that of another device as well. */
static int warn_of_others(struct ctl *ctl, const uint8_t uuid[16])
{
	struct sighting sighting;
	struct device device;
	struct store_rows *rows;
	int rc = sighting_list(&ctl->store, uuid, &rows);

	while (store_next(rows, &rc)) {
		char mac[40];

		sighting_row(rows, &sighting);
		text_format(mac, sizeof(mac), "%pM", sighting.mac);
		rc = device_by_mac(&ctl->store, sighting.mac, &device);
		if (rc == 0 && memcmp(device.uuid, uuid, sizeof(device.uuid)) != 0)
			ctl_error(0, "warning: it was reported with %s, which is device %s's; if "
			          "two machines have this UUID, both are one device now, and "
			          "\"prebootctl uuid ignore\" is right", mac, device.name);
		if (rc && rc != ERR_NOT_FOUND)
			store_end(rows);
		else
			rc = 0;
	}
	return rc;
}

static int set_uuids(struct ctl *ctl, const enum uuid_state *state)
{
	uint8_t uuid[16];

	for (int i = 0; i < ctl->word_count; i++) {
		int status = read_uuid(ctl->words[i], uuid);

		if (status)
			return status;
		if (*state == UUID_ALLOWED && !device_uuid_ok(uuid))
			return ctl_error(EXIT_USAGE, "%s: a placeholder that many machines have; "
			                 "it cannot be one machine's", ctl->words[i]);
		if (uuid_set(&ctl->store, uuid, *state, time(NULL)) ||
		    (*state == UUID_ALLOWED && warn_of_others(ctl, uuid)))
			return ctl_store_error(ctl);
	}
	return 0;
}

static int change_uuids(struct ctl *ctl, enum uuid_state state, const char *said)
{
	int status = CTL_TRANSACTION(ctl, set_uuids(ctl, &state));

	return status ? status : ctl_say(ctl, json_pack("{s:i}", "uuids", ctl->word_count),
	                                 "%d UUID%s %s", ctl->word_count,
	                                 ctl->word_count == 1 ? "" : "s", said);
}

static int ctl_uuid_allow(struct ctl *ctl)
{
	return change_uuids(ctl, UUID_ALLOWED, "allowed: each is one machine's, with any MAC");
}

static int ctl_uuid_ignore(struct ctl *ctl)
{
	return change_uuids(ctl, UUID_IGNORED, "ignored");
}

static int ctl_uuid_forget(struct ctl *ctl)
{
	return change_uuids(ctl, UUID_FREE, "forgotten: they identify machines until machines "
	                    "share them");
}

/* --- the noun --------------------------------------------------------------- */

static const struct verb verbs[] = {
	{ .name = "list", .alias = "ls", .run = ctl_uuid_list,
	  .help = "List the UUIDs that are shared by several machines, ignored, or allowed." },
	{ .name = "show", .alias = "info", .run = ctl_uuid_show, .min = 1, .max = NO_LIMIT,
	  .usage = "UUID...",
	  .help = "List the MACs and serial numbers that a shared UUID was reported with." },
	{ .name = "allow", .run = ctl_uuid_allow, .min = 1, .max = NO_LIMIT,
	  .database = DB_CREATE, .usage = "UUID...",
	  .help = "Declare that a UUID belongs to one machine, whatever MAC it comes with." },
	{ .name = "ignore", .run = ctl_uuid_ignore, .min = 1, .max = NO_LIMIT,
	  .database = DB_CREATE, .usage = "UUID...",
	  .help = "Declare that a UUID identifies no machine: machines that have it are known by "
	          "MAC or image-safe data alone." },
	{ .name = "forget", .alias = "remove", .run = ctl_uuid_forget, .min = 1, .max = NO_LIMIT,
	  .usage = "UUID...",
	  .help = "Delete what is stored of a UUID: it identifies a machine again, until machines "
	          "share it." },
	{ .run = NULL },
};

const struct noun noun_uuid = {
	.name = "uuid", .about = "UUIDs that several machines have", .verbs = verbs,
};
