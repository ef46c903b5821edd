/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/ctl/ctl_verbs.h"

#include <string.h>

#include "server/ctl/ctl_help.h"

/* In the order in which --help shows them. */
static const struct noun nouns[] = {
	{ "device", "the machines, and what they are known by" },
	{ "explain", "why a machine gets its work, or none" },
	{ "folder", "the tree they are in" },
	{ "group", "devices across folders" },
	{ "stranger", "machines that asked and are no devices" },
	{ "uuid", "UUIDs that several machines have" },
	{ "inventory", "what each machine last told of itself" },
	{ "bundle", "named work" },
	{ "assignment", "who is to get which bundle" },
	{ "rule", "which machines without an assignment get one" },
	{ "multicast", "sessions of machines that work together" },
	{ "work", "what machines are to do, and did" },
	{ "event", "what happened to them" },
	{ "watch", "what happens, as it does" },
	{ "stats", "how much of it" },
	{ "settings", "menu, hot key, local boot, loaders" },
	{ "menu", "menu files" },
	{ "export", "all data, as JSON" },
	{ "import", "the same, back" },
	{ "check", "is the database sound?" },
	{ "backup", "a copy of it, while prebootd runs" },
	{ "complete", NULL }, /* those without a text are the last */
};
#define NOUN_COUNT (sizeof(nouns) / sizeof(nouns[0]))

/* The options of a verb. */
#define OPTIONS(...) ((const enum ctl_option[]){ __VA_ARGS__, OPT_END })

/* Those that say what is to be done. */
#define BUNDLE_OPTIONS OPT_CONFIG, OPT_LOADER_BIOS, OPT_LOADER_UEFI, OPT_PREFIX, OPT_ATTEMPTS, \
	OPT_DEADLINE

static const struct verb verbs[] = {
	{ "device", "add", "new", ctl_device_add, 1, NO_LIMIT,
	  OPTIONS(OPT_MAC, OPT_UUID, OPT_ISD, OPT_FOLDER), DB_CREATE, help_device_add },
	{ "device", "change", "set", ctl_device_change, 1, 1,
	  OPTIONS(OPT_MAC, OPT_UUID, OPT_ISD), DB_OPEN, help_device_change },
	{ "device", "list", "ls", ctl_device_list, 0, 1, OPTIONS(OPT_GROUP, OPT_SEEN, OPT_CSV),
	  DB_OPEN, help_device_list },
	{ "device", "show", "info", ctl_device_show, 1, 1, NULL, DB_OPEN, help_device_show },
	{ "device", "remove", "delete", ctl_device_remove, 1, 1,
	  OPTIONS(OPT_FORCE), DB_OPEN, help_device_remove },
	{ "device", "trace", "boot", ctl_device_trace, 1, 1,
	  OPTIONS(OPT_BOOT), DB_OPEN, help_device_trace },
	{ "device", "move", "mv", ctl_device_move, 2, NO_LIMIT, NULL, DB_OPEN, help_device_move },
	{ "device", "rename", NULL, ctl_device_rename, 2, 2, NULL, DB_OPEN, help_device_rename },
	{ "device", "release", NULL, ctl_device_release, 1, 1, NULL, DB_OPEN, help_device_release },
	{ "device", "admit", NULL, ctl_device_admit, 1, 2, OPTIONS(OPT_FOLDER), DB_OPEN,
	  help_device_admit },

	{ "folder", "add", "new", ctl_folder_add, 1, NO_LIMIT, NULL, DB_CREATE, help_folder_add },
	{ "folder", "list", "ls", ctl_folder_list, 0, 1, NULL, DB_OPEN, help_folder_list },
	{ "folder", "show", "info", ctl_folder_show, 1, 1, NULL, DB_OPEN, help_folder_show },
	{ "folder", "move", "mv", ctl_folder_move, 2, 2, NULL, DB_OPEN, help_folder_move },
	{ "folder", "rename", NULL, ctl_folder_rename, 2, 2, NULL, DB_OPEN, help_folder_rename },
	{ "folder", "remove", "delete", ctl_folder_remove, 1, 1, OPTIONS(OPT_FORCE), DB_OPEN,
	  help_folder_remove },

	{ "group", "add", "new", ctl_group_add, 1, NO_LIMIT, NULL, DB_CREATE, help_group_add },
	{ "group", "list", "ls", ctl_group_list, 0, 0, NULL, DB_OPEN, help_group_list },
	{ "group", "show", "info", ctl_group_show, 1, 1, NULL, DB_OPEN, help_group_show },
	{ "group", "join", NULL, ctl_group_join, 2, NO_LIMIT, NULL, DB_OPEN, help_group_join },
	{ "group", "leave", NULL, ctl_group_leave, 2, NO_LIMIT, NULL, DB_OPEN, help_group_leave },
	{ "group", "rename", "mv", ctl_group_rename, 2, 2, NULL, DB_OPEN, help_group_rename },
	{ "group", "remove", "delete", ctl_group_remove, 1, 1, OPTIONS(OPT_FORCE), DB_OPEN,
	  help_group_remove },

	{ "stranger", "list", "ls", ctl_unknown_list, 0, 0, OPTIONS(OPT_LIMIT), DB_OPEN,
	  help_unknown_list },
	{ "stranger", "show", "info", ctl_unknown_show, 1, 1, NULL, DB_OPEN, help_unknown_show },
	{ "stranger", "remove", "delete", ctl_unknown_remove, 0, 1, OPTIONS(OPT_ALL), DB_OPEN,
	  help_unknown_remove },

	{ "uuid", "list", "ls", ctl_uuid_list, 0, 0, NULL, DB_OPEN, help_uuid_list },
	{ "uuid", "show", "info", ctl_uuid_show, 1, 1, NULL, DB_OPEN, help_uuid_show },
	{ "uuid", "allow", NULL, ctl_uuid_allow, 1, NO_LIMIT, NULL, DB_CREATE, help_uuid_allow },
	{ "uuid", "ignore", NULL, ctl_uuid_ignore, 1, NO_LIMIT, NULL, DB_CREATE, help_uuid_ignore },
	{ "uuid", "forget", "remove", ctl_uuid_forget, 1, NO_LIMIT, NULL, DB_OPEN,
	  help_uuid_forget },

	{ "inventory", NULL, NULL, ctl_inventory, 0, 1, OPTIONS(OPT_GROUP, OPT_SEEN), DB_OPEN,
	  help_inventory },

	{ "bundle", "add", "new", ctl_bundle_add, 1, NO_LIMIT, OPTIONS(OPT_KIND, OPT_COMPLETES, BUNDLE_OPTIONS),
	  DB_CREATE, help_bundle_add },
	{ "bundle", "change", "set", ctl_bundle_change, 1, NO_LIMIT,
	  OPTIONS(OPT_KIND, OPT_COMPLETES, OPT_UNSET, BUNDLE_OPTIONS), DB_OPEN, help_bundle_change },
	{ "bundle", "list", "ls", ctl_bundle_list, 0, 0, NULL, DB_OPEN, help_bundle_list },
	{ "bundle", "show", "info", ctl_bundle_show, 1, 1, NULL, DB_OPEN, help_bundle_show },
	{ "bundle", "rename", "mv", ctl_bundle_rename, 2, 2, NULL, DB_OPEN, help_bundle_rename },
	{ "bundle", "remove", "delete", ctl_bundle_remove, 1, 1, NULL, DB_OPEN,
	  help_bundle_remove },

	{ "assignment", "add", "new", ctl_assignment_add, 1, NO_LIMIT,
	  OPTIONS(OPT_TO, OPT_ONCE, OPT_ALWAYS, OPT_UNTIL), DB_OPEN, help_assignment_add },
	{ "assignment", "list", "ls", ctl_assignment_list, 0, 1, OPTIONS(OPT_TO), DB_OPEN,
	  help_assignment_list },
	{ "assignment", "remove", "delete", ctl_assignment_remove, 1, 1, OPTIONS(OPT_TO), DB_OPEN,
	  help_assignment_remove },

	{ "rule", "add", "new", ctl_rule_add, 1, NO_LIMIT,
	  OPTIONS(OPT_BUNDLE, OPT_FOR, OPT_FILTER, OPT_REPEAT, OPT_NO_REPEAT, OPT_DISABLED,
	          OPT_BEFORE, OPT_AFTER), DB_OPEN, help_rule_add },
	{ "rule", "change", "set", ctl_rule_change, 1, NO_LIMIT,
	  OPTIONS(OPT_BUNDLE, OPT_FOR, OPT_FILTER, OPT_REPEAT, OPT_NO_REPEAT), DB_OPEN,
	  help_rule_change },
	{ "rule", "move", "mv", ctl_rule_move, 1, 2, OPTIONS(OPT_BEFORE, OPT_AFTER), DB_OPEN,
	  help_rule_move },
	{ "rule", "list", "ls", ctl_rule_list, 0, 0, NULL, DB_OPEN, help_rule_list },
	{ "rule", "show", "info", ctl_rule_show, 1, 1, NULL, DB_OPEN, help_rule_show },
	{ "rule", "enable", "on", ctl_rule_enable, 1, 1, NULL, DB_OPEN, help_rule_enable },
	{ "rule", "disable", "off", ctl_rule_disable, 1, 1, NULL, DB_OPEN, help_rule_disable },
	{ "rule", "rename", NULL, ctl_rule_rename, 2, 2, NULL, DB_OPEN, help_rule_rename },
	{ "rule", "remove", "delete", ctl_rule_remove, 1, 1, NULL, DB_OPEN, help_rule_remove },

	{ "multicast", "add", "new", ctl_multicast_add, 1, NO_LIMIT,
	  OPTIONS(OPT_BUNDLE, OPT_CLIENTS, OPT_WAIT), DB_OPEN, help_multicast_add },
	{ "multicast", "change", "set", ctl_multicast_change, 1, 1,
	  OPTIONS(OPT_BUNDLE, OPT_CLIENTS, OPT_WAIT), DB_OPEN, help_multicast_change },
	{ "multicast", "list", "ls", ctl_multicast_list, 0, 0, NULL, DB_OPEN,
	  help_multicast_list },
	{ "multicast", "show", "info", ctl_multicast_show, 1, 1, NULL, DB_OPEN,
	  help_multicast_show },
	{ "multicast", "join", NULL, ctl_multicast_join, 2, NO_LIMIT, NULL, DB_OPEN,
	  help_multicast_join },
	{ "multicast", "leave", NULL, ctl_multicast_leave, 2, NO_LIMIT, NULL, DB_OPEN,
	  help_multicast_leave },
	{ "multicast", "start", NULL, ctl_multicast_start, 1, 1, NULL, DB_OPEN,
	  help_multicast_start },
	{ "multicast", "end", "stop", ctl_multicast_end, 1, 1, NULL, DB_OPEN, help_multicast_end },
	{ "multicast", "remove", "delete", ctl_multicast_remove, 1, 1, OPTIONS(OPT_FORCE), DB_OPEN,
	  help_multicast_remove },

	{ "explain", NULL, NULL, ctl_explain, 1, 1, OPTIONS(OPT_ADDRESS), DB_OPEN, help_explain },

	{ "work", "assign", "add", ctl_job_assign, 1, NO_LIMIT,
	  OPTIONS(OPT_BUNDLE, OPT_REPLACE, OPT_UNSET, BUNDLE_OPTIONS), DB_OPEN, help_job_assign },
	{ "work", "list", "ls", ctl_job_list, 0, 1, OPTIONS(OPT_OPEN), DB_OPEN, help_job_list },
	{ "work", "show", "info", ctl_job_show, 1, 1, NULL, DB_OPEN, help_job_show },
	{ "work", "cancel", "remove", ctl_job_cancel, 1, 1, NULL, DB_OPEN, help_job_cancel },
	{ "work", "retry", "again", ctl_job_retry, 1, 1, OPTIONS(OPT_FORCE), DB_OPEN,
	  help_job_retry },
	{ "work", "release", "free", ctl_job_release, 1, 1, NULL, DB_OPEN, help_job_release },

	{ "rule", "test", "try", ctl_rule_test, 1, 2, OPTIONS(OPT_ADDRESS), DB_OPEN,
	  help_rule_test },
	{ "rule", "facts", NULL, ctl_rule_facts, 0, 0, NULL, DB_NONE, help_rule_facts },

	{ "event", "list", "ls", ctl_event_list, 0, 1, OPTIONS(OPT_LIMIT), DB_OPEN,
	  help_event_list },

	{ "settings", "show", "list", ctl_settings_show, 0, 1, NULL, DB_OPEN, help_settings_show },
	{ "settings", "set", "change", ctl_settings_set, 1, NO_LIMIT, NULL, DB_CREATE,
	  help_settings_set },
	{ "settings", "unset", "revert", ctl_settings_unset, 1, NO_LIMIT, NULL, DB_OPEN,
	  help_settings_unset },

	{ "menu", "check", "lint", ctl_menu_check, 1, NO_LIMIT, NULL, DB_NONE, help_menu_check },
	{ "menu", "show", "draw", ctl_menu_show, 1, 1, OPTIONS(OPT_SECTION, OPT_FIRMWARE), DB_NONE,
	  help_menu_show },
	{ "menu", "passwd", "password", ctl_menu_passwd, 0, 0,
	  OPTIONS(OPT_STDIN, OPT_ITERATIONS), DB_NONE, help_menu_passwd },

	{ "device", "import", "load", ctl_device_import, 1, 1,
	  OPTIONS(OPT_CREATE_FOLDERS, OPT_CREATE_GROUPS, OPT_DRY_RUN), DB_CREATE,
	  help_device_import },
	{ "watch", NULL, NULL, ctl_watch, 0, 1, OPTIONS(OPT_LIMIT), DB_OPEN, help_watch },
	{ "stats", NULL, NULL, ctl_stats, 0, 0, OPTIONS(OPT_PROMETHEUS), DB_OPEN, help_stats },
	{ "export", NULL, NULL, ctl_export, 0, 1, NULL, DB_OPEN, help_export },
	{ "import", NULL, NULL, ctl_import, 1, 1, OPTIONS(OPT_REPLACE, OPT_DRY_RUN), DB_CREATE, help_import },
	{ "check", NULL, NULL, ctl_check, 0, 0, NULL, DB_OPEN, help_check },
	{ "backup", NULL, NULL, ctl_backup, 1, 1, OPTIONS(OPT_FORCE), DB_OPEN, help_backup },
	{ "complete", NULL, NULL, ctl_complete, 0, NO_LIMIT, NULL, DB_NONE, help_complete },
};
#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

const struct noun *noun_at(size_t index)
{
	return index < NOUN_COUNT ? &nouns[index] : NULL;
}

const struct verb *verb_at(size_t index)
{
	return index < VERB_COUNT ? &verbs[index] : NULL;
}

bool verb_takes(const struct verb *verb, enum ctl_option option)
{
	for (const enum ctl_option *o = verb->options; o && *o != OPT_END; o++)
		if (*o == option)
			return true;
	return false;
}

/* Says how well @word fits: 2 in full, 1 as the beginning, 0 not. */
static int fit(const char *word, const char *name)
{
	if (strcmp(word, name) == 0)
		return 2;
	return word[0] && strncmp(word, name, strlen(word)) == 0;
}

const char *noun_find(const char *word)
{
	const char *found = NULL;
	size_t fitting = 0;

	for (size_t i = 0; i < NOUN_COUNT; i++) {
		int how = fit(word, nouns[i].name);

		if (how == 2)
			return nouns[i].name;
		if (how == 0 || !nouns[i].about)
			continue;
		found = nouns[i].name;
		fitting++;
	}
	return fitting == 1 ? found : NULL;
}

const struct verb *verb_of_noun(const char *noun)
{
	for (size_t i = 0; i < VERB_COUNT; i++)
		if (!verbs[i].name && strcmp(verbs[i].noun, noun) == 0)
			return &verbs[i];
	return NULL;
}

const struct verb *verb_find(const char *noun, const char *word)
{
	const struct verb *found = NULL;
	size_t fitting = 0;

	for (size_t i = 0; i < VERB_COUNT; i++) {
		int how;

		if (!verbs[i].name || strcmp(verbs[i].noun, noun) != 0)
			continue;
		how = fit(word, verbs[i].name);
		if (how == 2 || (verbs[i].alias && strcmp(word, verbs[i].alias) == 0))
			return &verbs[i];
		if (how == 0)
			continue;
		found = &verbs[i];
		fitting++;
	}
	return fitting == 1 ? found : NULL;
}
