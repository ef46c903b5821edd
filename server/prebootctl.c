/* SPDX-License-Identifier: BSD-2-Clause */
/* The administrator's tool: devices, their work, what happened to them. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "ctl_help.h"
#include "error.h"

struct verb {
	const char *noun, *name, *alias;
	int (*run)(struct ctl *ctl);
	int words_min, words_max;
	unsigned int options;
	enum { OPEN, CREATE, NONE } store; /* what it does with the database */
	const char *const *help;
};

#define NO_LIMIT 1000000

static const struct verb verbs[] = {
	{ "device", "add", "new", ctl_device_add, 1, NO_LIMIT,
	  CTL_MAC | CTL_UUID | CTL_ISD, CREATE, &help_device_add },
	{ "device", "change", "set", ctl_device_change, 1, 1, CTL_MAC | CTL_UUID | CTL_ISD, OPEN,
	  &help_device_change },
	{ "device", "list", "ls", ctl_device_list, 0, 0, 0, OPEN, &help_device_list },
	{ "device", "show", "info", ctl_device_show, 1, 1, 0, OPEN, &help_device_show },
	{ "device", "remove", "delete", ctl_device_remove, 1, 1, CTL_FORCE, OPEN,
	  &help_device_remove },
	{ "device", "trace", "boot", ctl_device_trace, 1, 1, CTL_BOOT, OPEN,
	  &help_device_trace },
	{ "work", "assign", "add", ctl_work_assign, 1, NO_LIMIT,
	  CTL_CONFIG | CTL_LOADER_BIOS | CTL_LOADER_UEFI | CTL_PREFIX | CTL_ATTEMPTS |
	  CTL_DEADLINE | CTL_REPLACE, OPEN, &help_work_assign },
	{ "work", "list", "ls", ctl_work_list, 0, 1, CTL_OPEN, OPEN, &help_work_list },
	{ "work", "show", "info", ctl_work_show, 1, 1, 0, OPEN, &help_work_show },
	{ "work", "cancel", "remove", ctl_work_cancel, 1, 1, 0, OPEN, &help_work_cancel },
	{ "event", "list", "ls", ctl_event_list, 0, 1, CTL_LIMIT, OPEN, &help_event_list },
	{ "settings", "show", "list", ctl_settings_show, 0, 1, 0, OPEN, &help_settings_show },
	{ "settings", "set", "change", ctl_settings_set, 1, NO_LIMIT, 0, CREATE,
	  &help_settings_set },
	{ "settings", "unset", "revert", ctl_settings_unset, 1, NO_LIMIT, 0, OPEN,
	  &help_settings_unset },
	{ "menu", "check", "lint", ctl_menu_check, 1, NO_LIMIT, 0, NONE, &help_menu_check },
	{ "menu", "show", "draw", ctl_menu_show, 1, 1, CTL_SECTION | CTL_FIRMWARE, NONE,
	  &help_menu_show },
	{ "menu", "passwd", "password", ctl_menu_passwd, 0, 0, CTL_STDIN | CTL_ITERATIONS, NONE,
	  &help_menu_passwd },
};
#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

static const struct option options[] = {
	{ "database", required_argument, NULL, 'd' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ "mac", required_argument, NULL, CTL_MAC << 8 },
	{ "uuid", required_argument, NULL, CTL_UUID << 8 },
	{ "config", required_argument, NULL, CTL_CONFIG << 8 },
	{ "loader-bios", required_argument, NULL, CTL_LOADER_BIOS << 8 },
	{ "loader-uefi", required_argument, NULL, CTL_LOADER_UEFI << 8 },
	{ "prefix", required_argument, NULL, CTL_PREFIX << 8 },
	{ "attempts", required_argument, NULL, CTL_ATTEMPTS << 8 },
	{ "deadline", required_argument, NULL, CTL_DEADLINE << 8 },
	{ "replace", no_argument, NULL, CTL_REPLACE << 8 },
	{ "force", no_argument, NULL, CTL_FORCE << 8 },
	{ "open", no_argument, NULL, CTL_OPEN << 8 },
	{ "limit", required_argument, NULL, CTL_LIMIT << 8 },
	{ "isd", required_argument, NULL, CTL_ISD << 8 },
	{ "boot", required_argument, NULL, CTL_BOOT << 8 },
	{ "section", required_argument, NULL, CTL_SECTION << 8 },
	{ "firmware", required_argument, NULL, CTL_FIRMWARE << 8 },
	{ "stdin", no_argument, NULL, CTL_STDIN << 8 },
	{ "iterations", required_argument, NULL, CTL_ITERATIONS << 8 },
	{ NULL, 0, NULL, 0 },
};

int ctl_error(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("prebootctl: ", stderr);
	vfprintf(stderr, format, args);
	fputs("\n", stderr);
	va_end(args);
	return status;
}

int ctl_store_error(struct ctl *ctl)
{
	return ctl_error(EXIT_FAULT, "%s", ctl->store.message);
}

/* Takes an option that belongs to some verb. */
static int take_option(struct ctl *ctl, int bit, const char *value)
{
	ctl->given |= (unsigned int)bit;
	switch (bit) {
	case CTL_MAC:
		if (ctl->mac_count == DEVICE_MACS_MAX)
			return ctl_error(EXIT_USAGE, "at most %d --mac", DEVICE_MACS_MAX);
		ctl->macs[ctl->mac_count++] = value;
		break;
	case CTL_UUID: ctl->uuid = value; break;
	case CTL_CONFIG: ctl->config = value; break;
	case CTL_LOADER_BIOS: ctl->loader_bios = value; break;
	case CTL_LOADER_UEFI: ctl->loader_uefi = value; break;
	case CTL_PREFIX: ctl->prefix = value; break;
	case CTL_ATTEMPTS: ctl->attempts = value; break;
	case CTL_DEADLINE: ctl->deadline = value; break;
	case CTL_LIMIT: ctl->limit = value; break;
	case CTL_ISD: ctl->isd = value; break;
	case CTL_BOOT: ctl->boot = value; break;
	case CTL_SECTION: ctl->section = value; break;
	case CTL_FIRMWARE: ctl->firmware = value; break;
	case CTL_ITERATIONS: ctl->iterations = value; break;
	}
	return -1;
}

/* Returns -1 to go on, else the status to exit with. Options may stand anywhere. */
static int parse_options(struct ctl *ctl, int argc, char **argv)
{
	int option, status = -1;

	ctl->database = STORE_DEFAULT;
	while (status < 0 && (option = getopt_long(argc, argv, "d:jhV", options, NULL)) != -1) {
		switch (option) {
		case 'd': ctl->database = optarg; break;
		case 'j': ctl->json = true; break;
		case 'h': ctl->help = true; break;
		case 'V': puts("prebootctl " VERSION); return 0;
		case '?': return ctl_error(EXIT_USAGE, "try \"prebootctl --help\"");
		default: status = take_option(ctl, option >> 8, optarg);
		}
	}
	ctl->words = argv + optind;
	ctl->word_count = argc - optind;
	return status;
}

/* Says how well @word fits: 2 in full, 1 as the beginning, 0 not. */
static int fit(const char *word, const char *name)
{
	if (strcmp(word, name) == 0)
		return 2;
	return word[0] && strncmp(word, name, strlen(word)) == 0;
}

/* Finds the noun that @word begins; NULL if none or several. */
static const char *find_noun(const char *word)
{
	const char *found = NULL;

	for (size_t i = 0; i < VERB_COUNT; i++) {
		if (!fit(word, verbs[i].noun) || (found && strcmp(found, verbs[i].noun) == 0))
			continue;
		if (found)
			return NULL;
		found = verbs[i].noun;
	}
	return found;
}

/* Finds the verb of @noun that @word begins or that it is an alias of. */
static const struct verb *find_verb(const char *noun, const char *word)
{
	const struct verb *found = NULL;

	for (size_t i = 0; i < VERB_COUNT; i++) {
		int how;

		if (strcmp(verbs[i].noun, noun) != 0)
			continue;
		how = fit(word, verbs[i].name);
		if (how == 2 || strcmp(word, verbs[i].alias) == 0)
			return &verbs[i];
		if (how == 0)
			continue;
		if (found)
			return NULL;
		found = &verbs[i];
	}
	return found;
}

static int unknown_noun(const char *word)
{
	char list[128] = "";
	const char *last = "";

	for (size_t i = 0; i < VERB_COUNT; i++) {
		if (strcmp(verbs[i].noun, last) == 0)
			continue;
		last = verbs[i].noun;
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
		         list[0] ? ", " : "", last);
	}
	return ctl_error(EXIT_USAGE, "%s: no such thing, or not only one; expected one of %s", word,
	                 list);
}

static int unknown_verb(const char *noun, const char *word)
{
	char list[128] = "";

	for (size_t i = 0; i < VERB_COUNT; i++)
		if (strcmp(verbs[i].noun, noun) == 0)
			snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
			         list[0] ? ", " : "", verbs[i].name);
	return ctl_error(EXIT_USAGE, "%s %s: no such verb, or not only one; expected one of %s",
	                 noun, word, list);
}

/* Checks that what stands on the command line is for @verb. */
static int check_words(struct ctl *ctl, const struct verb *verb)
{
	unsigned int foreign = ctl->given & ~verb->options;

	for (const struct option *o = options; o->name; o++)
		if (o->val >> 8 & (int)foreign)
			return ctl_error(EXIT_USAGE, "--%s is not for \"%s %s\"; try \"prebootctl "
			                 "%s %s --help\"", o->name, verb->noun, verb->name,
			                 verb->noun, verb->name);
	if (ctl->word_count < verb->words_min)
		return ctl_error(EXIT_USAGE, "%s %s: something is missing\n%s", verb->noun,
		                 verb->name, *verb->help);
	if (ctl->word_count > verb->words_max)
		return ctl_error(EXIT_USAGE, "%s: unexpected argument\n%s",
		                 ctl->words[verb->words_max], *verb->help);
	return 0;
}

static int run(struct ctl *ctl, const struct verb *verb)
{
	struct store_options store_options = { .create = verb->store == CREATE,
		                               .busy_timeout_ms = 5000 };
	int status = check_words(ctl, verb);

	if (status)
		return status;
	if (verb->store != NONE && store_open(&ctl->store, ctl->database, &store_options))
		return ctl_store_error(ctl);
	status = verb->run(ctl);
	if (verb->store != NONE)
		store_close(&ctl->store);
	if (fflush(stdout) || ferror(stdout))
		return ctl_error(EXIT_FAULT, "cannot write the output");
	return status;
}

int main(int argc, char **argv)
{
	static struct ctl ctl;
	const struct verb *verb;
	const char *noun;
	int status = parse_options(&ctl, argc, argv);

	if (status >= 0)
		return status;
	if (ctl.word_count == 0) {
		fputs(help_all, ctl.help ? stdout : stderr);
		return ctl.help ? 0 : EXIT_USAGE;
	}
	noun = find_noun(ctl.words[0]);
	if (!noun)
		return unknown_noun(ctl.words[0]);
	if (ctl.word_count == 1 && ctl.help) {
		for (size_t i = 0; i < VERB_COUNT; i++)
			if (strcmp(verbs[i].noun, noun) == 0)
				puts(*verbs[i].help);
		return 0;
	}
	verb = find_verb(noun, ctl.word_count > 1 ? ctl.words[1] : "list");
	if (!verb)
		return unknown_verb(noun, ctl.word_count > 1 ? ctl.words[1] : "list");
	if (ctl.help) {
		puts(*verb->help);
		return 0;
	}
	ctl.words += ctl.word_count > 1 ? 2 : 1;
	ctl.word_count -= ctl.word_count > 1 ? 2 : 1;
	return run(&ctl, verb);
}
