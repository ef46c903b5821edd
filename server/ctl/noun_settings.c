/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/noun.h"
#include "server/store/settings.h"
#include "server/tool/nearest.h"

/* Writes where a value is set: "device", "folder /site/lab", "global" or "default". */
static void level_text(struct ctl *ctl, const struct owner *from, char *out, size_t size)
{
	static const char *const levels[] = {
		[LEVEL_DEFAULT] = "default", [LEVEL_GLOBAL] = "global", [LEVEL_FOLDER] = "folder",
		[LEVEL_DEVICE] = "device",
	};
	char path[FOLDER_PATH];

	if (from->level == LEVEL_FOLDER && folder_path(&ctl->store, from->id, path) == 0)
		text_format(out, size, "folder %s", path);
	else
		text_format(out, size, "%s", levels[from->level]);
}

/* --- whose they are --------------------------------------------------------- */

/* Those whose settings a verb is for. */
struct owners {
	struct owner *list;
	size_t count;
};

/* Finds what settings are for: a device, a folder, or "/" for global. */
static int find_settings_owner(struct ctl *ctl, const char *word, struct owner *owner)
{
	int status = ctl_find_owner(ctl, word, owner);

	if (status == 0 && owner->level == LEVEL_GROUP)
		status = ctl_error(EXIT_USAGE, "%s: groups have no settings; set them for a "
		                   "folder, a device, or / for all", word);
	return status;
}

/* Finds those that the words before @end name, each once; global if there are none. */
static int find_owners(struct ctl *ctl, int end, struct owners *owners)
{
	int status = 0;

	owners->list = calloc((size_t)end + 1, sizeof(*owners->list));
	if (!owners->list)
		return ctl_error(EXIT_FAULT, "not enough memory");
	owners->list[0] = (struct owner){ LEVEL_GLOBAL, 0 };
	owners->count = end == 0;
	for (int i = 0; status == 0 && i < end; i++) {
		struct owner owner;
		size_t at = 0;

		status = find_settings_owner(ctl, ctl->words[i], &owner);
		while (at < owners->count && (owners->list[at].level != owner.level ||
		                              owners->list[at].id != owner.id))
			at++;
		if (status == 0 && at == owners->count)
			owners->list[owners->count++] = owner;
	}
	return status;
}

/* --- show ------------------------------------------------------------------ */

static int read_settings(struct ctl *ctl, const struct owner *owner, struct table *table,
                         json_t *object)
{
	struct owner from;
	char value[SETTING_TEXT], level[CTL_OWNER];

	table_add(table, "SETTING", "VALUE", "FROM");
	for (size_t i = 0; setting_key(i); i++) {
		if (setting_read(&ctl->store, owner, i, value, &from))
			return ctl_store_error(ctl);
		level_text(ctl, &from, level, sizeof(level));
		table_add(table, setting_key(i), value, level);
		json_object_set_new(object, setting_key(i),
		                    json_pack("{s:s, s:s}", "value", value, "from", level));
	}
	return 0;
}

/* Prints those of one as a table or an object, and those of several with their names. */
static int show_settings(struct ctl *ctl, const struct owners *owners)
{
	json_t *array = json_array();
	int status = 0;

	for (size_t i = 0; status == 0 && i < owners->count; i++) {
		struct table table = { .columns = 3 };
		json_t *object = json_object();
		char text[CTL_OWNER];

		ctl_owner_text(ctl, &owners->list[i], text);
		status = read_settings(ctl, &owners->list[i], &table, object);
		if (status == 0 && !ctl->json && owners->count > 1)
			printf("%s%s\n", i ? "\n" : "", text);
		if (status == 0 && !ctl->json)
			table_print(&table);
		table_free(&table);
		json_array_append_new(array, owners->count == 1 ? object : json_pack(
			"{s:s, s:o}", "target", text, "settings", object));
	}
	if (status == 0 && ctl->json)
		ctl_print_json(json_incref(owners->count == 1 ? json_array_get(array, 0) : array));
	json_decref(array);
	return status;
}

static int ctl_settings_show(struct ctl *ctl)
{
	struct owners owners = { .count = 0 };
	int status = find_owners(ctl, ctl->word_count, &owners);

	if (status == 0)
		status = show_settings(ctl, &owners);
	free(owners.list);
	return status;
}

/* --- set and unset --------------------------------------------------------- */

static const char *key_at(const void *unused, size_t index)
{
	(void)unused;
	return setting_key(index);
}

static int find_setting(const char *word, size_t length, size_t *index)
{
	const char *meant;
	char key[64] = "";
	int found = -1;

	if (length < sizeof(key)) {
		snprintf(key, sizeof(key), "%.*s", (int)length, word);
		found = setting_find(key);
	}
	meant = found < 0 ? nearest_name(key, key_at, NULL) : NULL;
	if (found < 0)
		return ctl_error(EXIT_USAGE, "unknown setting \"%.*s\"%s%s%s; see \"prebootctl "
		                 "settings show\"", (int)length, word,
		                 meant ? "; did you mean " : "", meant ? meant : "", meant ? "?"
		                        : "");
	*index = (size_t)found;
	return 0;
}

static int set_setting(struct ctl *ctl, const struct owner *owner, const char *word)
{
	const char *equals = strchr(word, '=');
	struct settings unused;
	size_t index;
	int status;

	if (!equals)
		return ctl_error(EXIT_USAGE, "%s: expected KEY=VALUE", word);
	status = find_setting(word, (size_t)(equals - word), &index);
	if (status)
		return status;
	if (setting_parse(index, equals + 1, &unused))
		return ctl_error(EXIT_USAGE, "%s: expected %s", word, setting_takes(index));
	if (!setting_at(index, owner->level))
		return ctl_error(EXIT_USAGE, "%s: is global: name no device or folder",
		                 setting_key(index));
	if (setting_write(&ctl->store, owner, index, equals + 1))
		return ctl_store_error(ctl);
	return 0;
}

static int unset_setting(struct ctl *ctl, const struct owner *owner, const char *word)
{
	char text[CTL_OWNER];
	size_t index;
	int rc, status = find_setting(word, strlen(word), &index);

	if (status)
		return status;
	rc = setting_write(&ctl->store, owner, index, NULL);
	if (rc == ERR_NOT_FOUND)
		ctl_owner_text(ctl, owner, text);
	if (rc == ERR_NOT_FOUND)
		return ctl_error(EXIT_FAULT, "%s is not set for %s", word,
		                 owner->level == LEVEL_GLOBAL ? "all devices" : text);
	return rc ? ctl_store_error(ctl) : 0;
}

/* What is to be done to the settings of whom. */
struct change {
	struct owners owners;
	int first; /* the first word after the owners */
	int (*one)(struct ctl *ctl, const struct owner *owner, const char *word);
};

static int change_settings(struct ctl *ctl, struct change *change)
{
	int status = find_owners(ctl, change->first, &change->owners);

	if (status == 0 && change->first == ctl->word_count)
		status = ctl_error(EXIT_USAGE, "missing argument %s; see \"prebootctl settings set "
		                   "--help\"", change->one == set_setting ? "KEY=VALUE" : "KEY");
	for (size_t at = 0; status == 0 && at < change->owners.count; at++)
		for (int i = change->first; status == 0 && i < ctl->word_count; i++)
			status = change->one(ctl, &change->owners.list[at], ctl->words[i]);
	return status;
}

/* Prints what was set or removed: "settings of /site, pc1: set menu-mode=never". */
static void report_change(struct ctl *ctl, const struct change *change)
{
	char text[CTL_OWNER];
	size_t index;

	printf("settings of ");
	for (size_t at = 0; at < change->owners.count; at++) {
		const struct owner *owner = &change->owners.list[at];

		ctl_owner_text(ctl, owner, text);
		printf("%s%s", at ? ", " : "", owner->level == LEVEL_GLOBAL ? "all devices" : text);
	}
	printf(": %s ", change->one == set_setting ? "set" : "removed");
	for (int i = change->first; i < ctl->word_count; i++) {
		size_t length = strcspn(ctl->words[i], "=");

		/* What was given by a key of before has today's. */
		if (find_setting(ctl->words[i], length, &index) == 0)
			printf("%s%s%s", i > change->first ? ", " : "", setting_key(index),
			       ctl->words[i] + length);
	}
	puts("");
}

static bool names_files(const struct ctl *ctl, const struct change *change)
{
	size_t index;

	for (int i = change->first; i < ctl->word_count; i++)
		if (strcmp(ctl->words[i], "menu-mode=never") != 0 &&
		    find_setting(ctl->words[i], strcspn(ctl->words[i], "="), &index) == 0 &&
		    ctl_setting_names_files(setting_key(index)))
			return true;
	return false;
}

static int apply_change(struct ctl *ctl, int first,
                        int (*one)(struct ctl *ctl, const struct owner *owner, const char *word))
{
	struct change change = { .first = first, .one = one };
	int status = CTL_TRANSACTION(ctl, change_settings(ctl, &change));

	if (status == 0 && one == set_setting && names_files(ctl, &change))
		for (size_t at = 0; at < change.owners.count; at++)
			ctl_warn_settings(ctl, &change.owners.list[at]);
	if (status == 0 && ctl->json)
		status = show_settings(ctl, &change.owners);
	else if (status == 0)
		report_change(ctl, &change);
	free(change.owners.list);
	return status;
}

static int ctl_settings_set(struct ctl *ctl)
{
	int first = 0, index;

	while (first < ctl->word_count && !strchr(ctl->words[first], '='))
		first++;
	/* A key without a value may name a device, if one with a value follows. */
	for (int i = 0; first == ctl->word_count && i < first; i++) {
		index = setting_find(ctl->words[i]);
		if (index >= 0)
			return ctl_error(EXIT_USAGE, "%s: expected %s=VALUE, which is %s",
			                 ctl->words[i],
			                 ctl->words[i], setting_takes((size_t)index));
	}
	return apply_change(ctl, first, set_setting);
}

static int ctl_settings_unset(struct ctl *ctl)
{
	int first = 0;

	while (first < ctl->word_count && setting_find(ctl->words[first]) < 0)
		first++;
	/* Where none is a key, the last one was meant to be. */
	if (first == ctl->word_count && first > 1)
		first--;
	return apply_change(ctl, first, unset_setting);
}

/* --- the noun --------------------------------------------------------------- */

static const struct verb verbs[] = {
	{ .name = "show", .alias = "list", .run = ctl_settings_show, .min = 0, .max = NO_LIMIT,
	  .usage = "[DEVICE|FOLDER]...",
	  .help = "Show the settings that apply to a device, in a folder, or globally, and where "
	          "each value comes from. With --json an object, and an array for several." },
	{ .name = "set", .alias = "change", .run = ctl_settings_set, .min = 1, .max = NO_LIMIT,
	  .database = DB_CREATE, .usage = "[DEVICE|FOLDER]... KEY=VALUE...",
	  .help = "Set values for devices, for folders with all below them, or globally: for all "
	          "machines without a value of their own, unknown ones too. All are set or none.\n"
	          "menu-mode\tnever (default), always, hotkey\n"
	          "hot-key\tany of shift, ctrl and alt with \"+\" between them, ctrl+alt "
	          "(default); or a key: a character, enter, escape, space, tab, backspace\n"
	          "hot-key-wait\tmilliseconds to wait for it where the firmware does not report "
	          "which shift keys are down (3000)\n"
	          "menu-file\tthe menu (pxemenu.txt)\n"
	          "local-boot-bios\tdefault, return, int18, mbr\n"
	          "local-boot-uefi\tdefault, exit, entry, bootnext\n"
	          "answer-validity\tseconds after which the NBP asks again when the menu was shown "
	          "(60); 0: never\n"
	          "loader-bios, loader-uefi\tthe loaders of jobs without loaders of their own "
	          "(pxelinux.0, syslinux.efi)\n"
	          "loader-uefi-ia32, loader-uefi-arm64\tthe same for UEFI on other processors than "
	          "x64 (syslinux32.efi, grubnetaa64.efi)\n"
	          "attempts, deadline\tof jobs without their own, likewise (3, 4h)\n"
	          "job-by-mac\twhether a machine that reports no UUID gets jobs by its MAC alone "
	          "also where the device has a UUID: yes or no (no)\n"
	          "tftp-multicast\twhether UEFI machines ask for loader and menu by multicast TFTP, "
	          "RFC 2090: yes or no (no)\n"
	          "shared-macs\tMACs of docks and adapters, or their first bytes, with commas "
	          "between them, which identify no machine; global only\n"
	          "admit-unknown\twhether unknown machines become devices: yes or no (no); global "
	          "only\n"
	          "admit-limit\thow many of the devices that were made so there may be (10000); "
	          "global only\n"
	          "keep-jobs\thow long jobs that have ended are kept (366d); decisions still know "
	          "of them; global only\n"
	          "keep-events\thow long events and unknown machines are kept (90d); global only\n"
	          "keep-audit\thow long the audit trail is kept (366d); global only\n"
	          "tftp-root\tthe TFTP server's root as a folder of this host (none): files that "
	          "jobs, bundles and settings name are looked for there; a missing file is a "
	          "warning on standard error, and a problem to \"prebootctl check\"; global only\n"
	          "tftp-folder\tthe NBPs' folder in it, where they have one (none); global only" },
	{ .name = "unset", .alias = "revert", .run = ctl_settings_unset, .min = 1,
	  .max = NO_LIMIT, .usage = "[DEVICE|FOLDER]... KEY...",
	  .help = "Remove values; inherited ones apply." },
	{ .run = NULL },
};

const struct noun noun_settings = {
	.name = "settings", .about = "menu, hot key, local boot, loaders", .verbs = verbs,
};
