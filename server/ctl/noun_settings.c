/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
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

/* --- show ------------------------------------------------------------------ */

static int show_settings(struct ctl *ctl, const struct owner *owner)
{
	struct table table = { .columns = 3 };
	struct owner from;
	json_t *object = json_object();
	char value[SETTING_TEXT], level[CTL_OWNER];
	int rc = 0;

	table_add(&table, "SETTING", "VALUE", "FROM");
	for (size_t i = 0; rc == 0 && setting_key(i); i++) {
		rc = setting_read(&ctl->store, owner, i, value, &from);
		if (rc)
			break;
		level_text(ctl, &from, level, sizeof(level));
		table_add(&table, setting_key(i), value, level);
		json_object_set_new(object, setting_key(i),
		                    json_pack("{s:s, s:s}", "value", value, "from", level));
	}
	return ctl_answer_list(ctl, rc, &table, object);
}

/* Finds what settings are for: a device, a folder, or "/" for global. */
static int find_settings_owner(struct ctl *ctl, const char *word, struct owner *owner)
{
	int status = ctl_find_owner(ctl, word, owner);

	if (status == 0 && owner->level == LEVEL_GROUP)
		status = ctl_error(EXIT_USAGE, "%s: groups have no settings; set them for a "
		                   "folder, a device, or / for all", word);
	return status;
}

static int ctl_settings_show(struct ctl *ctl)
{
	struct owner owner = { LEVEL_GLOBAL, 0 };
	int status = ctl->word_count ? find_settings_owner(ctl, ctl->words[0], &owner) : 0;

	return status ? status : show_settings(ctl, &owner);
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
		return ctl_error(EXIT_USAGE, "unknown setting \"%.*s\"%s%s%s; see \"prebootctl settings "
		                 "show\"", (int)length, word, meant ? "; did you mean " : "",
		                 meant ? meant : "", meant ? "?" : "");
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
		return ctl_error(EXIT_USAGE, "%s: is global: name no device or folder", setting_key(index));
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
	struct owner owner;
	int first; /* the first word after the owner, if there is one */
	int (*one)(struct ctl *ctl, const struct owner *owner, const char *word);
};

static int change_settings(struct ctl *ctl, struct change *change)
{
	int status = change->first ? find_settings_owner(ctl, ctl->words[0], &change->owner) : 0;

	if (status == 0 && change->first == ctl->word_count)
		status = ctl_error(EXIT_USAGE, "missing argument %s; see \"prebootctl settings set "
		                   "--help\"", change->one == set_setting ? "KEY=VALUE" : "KEY");
	for (int i = change->first; status == 0 && i < ctl->word_count; i++)
		status = change->one(ctl, &change->owner, ctl->words[i]);
	return status;
}

/* Prints what was set or removed: "settings of /site: set menu-mode=never". */
static void report_change(struct ctl *ctl, const struct change *change)
{
	char text[CTL_OWNER];

	ctl_owner_text(ctl, &change->owner, text);
	printf("settings of %s: %s ", change->owner.level == LEVEL_GLOBAL ? "all devices" : text,
	       change->one == set_setting ? "set" : "removed");
	for (int i = change->first; i < ctl->word_count; i++)
		printf("%s%s", i > change->first ? ", " : "", ctl->words[i]);
	puts("");
}

static int apply_change(struct ctl *ctl, int first,
                      int (*one)(struct ctl *ctl, const struct owner *owner,
                                 const char *word))
{
	struct change change = { { LEVEL_GLOBAL, 0 }, first, one };
	int status = CTL_TRANSACTION(ctl, change_settings(ctl, &change));

	if (status == 0 && one == set_setting)
		ctl_warn_settings(ctl, &change.owner);
	if (status)
		return status;
	if (ctl->json)
		return show_settings(ctl, &change.owner);
	report_change(ctl, &change);
	return 0;
}

static int ctl_settings_set(struct ctl *ctl)
{
	const char *first = ctl->words[0];
	int index = setting_find(first);

	if (strchr(first, '='))
		return apply_change(ctl, 0, set_setting);
	/* A key without a value, unless it names a device and one with a value follows. */
	if (index >= 0 && (ctl->word_count == 1 || !strchr(ctl->words[1], '=')))
		return ctl_error(EXIT_USAGE, "%s: expected %s=VALUE, which is %s", first, first,
		                 setting_takes((size_t)index));
	return apply_change(ctl, 1, set_setting);
}

static int ctl_settings_unset(struct ctl *ctl)
{
	return apply_change(ctl, setting_find(ctl->words[0]) >= 0 ? 0 : 1, unset_setting);
}

/* --- the noun --------------------------------------------------------------- */

static const struct verb verbs[] = {
	{ .name = "show", .alias = "list", .run = ctl_settings_show, .min = 0, .max = 1,
	  .usage = "[DEVICE|FOLDER]",
	  .help = "Show the settings that apply to a device, in a folder, or globally, and where "
	          "each value comes from." },
	{ .name = "set", .alias = "change", .run = ctl_settings_set, .min = 1, .max = NO_LIMIT,
	  .database = DB_CREATE, .usage = "[DEVICE|FOLDER] KEY=VALUE...",
	  .help = "Set values for a device, for a folder with all below it, or globally: for all "
	          "machines without a value of their own, unknown ones too. All are set or none.\n"
	          "menu-mode\tnever (default), always, hotkey\n"
	          "hot-key\tany of shift, ctrl and alt with \"+\" between them, ctrl+alt (default); "
	          "or a key: a character, enter, escape, space, tab, backspace\n"
	          "hot-key-wait\tmilliseconds to wait for it where the firmware does not report which "
	          "shift keys are down (3000)\n"
	          "menu-file\tthe menu (pxemenu.txt)\n"
	          "local-boot-bios\tdefault, return, int18, mbr\n"
	          "local-boot-uefi\tdefault, exit, entry, bootnext\n"
	          "answer-validity\tseconds after which the NBP asks again when the menu was shown "
	          "(60); 0: never\n"
	          "loader-bios, loader-uefi\tthe loaders of jobs without loaders of their own "
	          "(pxelinux.0, syslinux.efi)\n"
	          "attempts, deadline\tof jobs without their own, likewise (3, 4h)\n"
	          "job-by-mac\twhether a machine that reports no UUID gets jobs by its MAC alone also "
	          "where the device has a UUID: yes or no (no)\n"
	          "shared-macs\tMACs of docks and adapters, or their first bytes, with commas between "
	          "them, which identify no machine; global only\n"
	          "admit-unknown\twhether unknown machines become devices: yes or no (no); global only\n"
	          "admit-limit\thow many of the devices that were made so there may be (10000); "
	          "global only\n"
	          "keep-jobs\thow long jobs that have ended are kept (366d); decisions still know of "
	          "them; global only\n"
	          "keep-events\thow long events and unknown machines are kept (90d); global only\n"
	          "keep-audit\thow long the audit trail is kept (366d); global only\n"
	          "tftp-root\tthe TFTP server's root as a folder of this host (none): files that "
	          "jobs, bundles and settings name are looked for there; a missing file is a warning "
	          "on standard error, and a problem to \"prebootctl check\"; global only\n"
	          "tftp-folder\tthe NBPs' folder in it, where they have one (none); global only" },
	{ .name = "unset", .alias = "revert", .run = ctl_settings_unset, .min = 1,
	  .max = NO_LIMIT, .usage = "[DEVICE|FOLDER] KEY...",
	  .help = "Remove values; inherited ones apply." },
	{ .run = NULL },
};

const struct noun noun_settings = {
	.name = "settings", .about = "menu, hot key, local boot, loaders", .verbs = verbs,
};
