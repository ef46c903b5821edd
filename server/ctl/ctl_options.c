/* SPDX-License-Identifier: BSD-2-Clause */
#include <getopt.h>
#include <stdio.h>

#include "server/ctl/ctl_verbs.h"

static const struct {
	const char *name;
	const char *argument; /* NULL: none */
} table[OPT_COUNT] = {
	[OPT_MAC] = { "mac", "MAC" },
	[OPT_UUID] = { "uuid", "UUID" },
	[OPT_ISD] = { "isd", "GUID" },
	[OPT_ADDRESS] = { "address", "A" },
	[OPT_CONFIG] = { "config", "FILE" },
	[OPT_LOADER_BIOS] = { "loader-bios", "FILE" },
	[OPT_LOADER_UEFI] = { "loader-uefi", "FILE" },
	[OPT_PREFIX] = { "prefix", "PATH" },
	[OPT_ATTEMPTS] = { "attempts", "N" },
	[OPT_DEADLINE] = { "deadline", "TIME" },
	[OPT_COMPLETES] = { "completes", "agent|handover|next-boot" },
	[OPT_REPLACE] = { "replace", NULL },
	[OPT_FORCE] = { "force", NULL },
	[OPT_OPEN] = { "open", NULL },
	[OPT_LIMIT] = { "limit", "N" },
	[OPT_BOOT] = { "boot", "N" },
	[OPT_SECTION] = { "section", "NAME" },
	[OPT_FIRMWARE] = { "firmware", "bios|uefi" },
	[OPT_STDIN] = { "stdin", NULL },
	[OPT_ITERATIONS] = { "iterations", "N" },
	[OPT_CREATE_FOLDERS] = { "create-folders", NULL },
	[OPT_CREATE_GROUPS] = { "create-groups", NULL },
	[OPT_DRY_RUN] = { "dry-run", NULL },
	[OPT_CSV] = { "csv", NULL },
	[OPT_PROMETHEUS] = { "prometheus", NULL },
	[OPT_FOLDER] = { "folder", "FOLDER" },
	[OPT_GROUP] = { "group", "GROUP" },
	[OPT_SEEN] = { "seen", NULL },
	[OPT_BUNDLE] = { "bundle", "BUNDLE" },
	[OPT_KIND] = { "kind", "KIND" },
	[OPT_UNSET] = { "unset", "KEY" },
	[OPT_TO] = { "to", "TARGET" },
	[OPT_ONCE] = { "once", NULL },
	[OPT_ALWAYS] = { "always", NULL },
	[OPT_UNTIL] = { "until", "DATE" },
	[OPT_FOR] = { "for", "known|unknown|both" },
	[OPT_FILTER] = { "filter", "FILTER" },
	[OPT_REPEAT] = { "repeat", NULL },
	[OPT_NO_REPEAT] = { "no-repeat", NULL },
	[OPT_DISABLED] = { "disabled", NULL },
	[OPT_BEFORE] = { "before", "RULE" },
	[OPT_AFTER] = { "after", "RULE" },
	[OPT_CLIENTS] = { "clients", "N" },
	[OPT_WAIT] = { "wait", "TIME" },
	[OPT_ALL] = { "all", NULL },
};

/* Those of all verbs have letters; the others are told apart by what is added here. */
#define FIRST_VALUE 256
static const struct option common[] = {
	{ "database", required_argument, NULL, 'd' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
};
#define COMMON_COUNT (sizeof(common) / sizeof(common[0]))

const char *option_name(enum ctl_option option)
{
	return table[option].name;
}

const char *option_argument(enum ctl_option option)
{
	return table[option].argument;
}

/* Takes an option that belongs to some verb. */
static int take(struct ctl *ctl, int option, const char *value)
{
	ctl->option[option] = value ? value : "";
	if (option != OPT_MAC)
		return -1;
	if (ctl->mac_count == DEVICE_MACS_MAX)
		return ctl_error(EXIT_USAGE, "at most %d --mac", DEVICE_MACS_MAX);
	ctl->macs[ctl->mac_count++] = value;
	return -1;
}

/* Fills @out, which has room for all and an end. */
static void collect(struct option *out)
{
	for (size_t i = 0; i < COMMON_COUNT; i++)
		*out++ = common[i];
	for (int i = OPT_END + 1; i < OPT_COUNT; i++)
		*out++ = (struct option){ table[i].name,
			table[i].argument ? required_argument : no_argument, NULL,
			FIRST_VALUE + i };
	*out = (struct option){ NULL, 0, NULL, 0 };
}

int options_parse(struct ctl *ctl, int argc, char **argv)
{
	struct option all[COMMON_COUNT + OPT_COUNT];
	int option, status = -1;

	collect(all);
	ctl->database = STORE_DEFAULT;
	while (status < 0 && (option = getopt_long(argc, argv, "d:jhV", all, NULL)) != -1) {
		switch (option) {
		case 'd': ctl->database = optarg; break;
		case 'j': ctl->json = true; break;
		case 'h': ctl->help = true; break;
		case 'V': puts("prebootctl " VERSION); return 0;
		case '?': return ctl_error(EXIT_USAGE, "try \"prebootctl --help\"");
		default: status = take(ctl, option - FIRST_VALUE, optarg);
		}
	}
	ctl->words = argv + optind;
	ctl->word_count = argc - optind;
	return status;
}
