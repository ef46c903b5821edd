/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line: its options, and whether all of it is for the verb. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/ctl/noun.h"
#include "server/tool/nearest.h"

/* The options of all verbs have letters; the others are numbered from here on. */
#define FIRST_VALUE 256
#define NAMES_MAX 64 /* how many options there may be, of all verbs */

static const struct option common[] = {
	{ "database", required_argument, NULL, 'd' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
};
#define COMMON_COUNT (sizeof(common) / sizeof(common[0]))

const char *ctl_option(const struct ctl *ctl, const struct ctl_option *option)
{
	for (size_t i = ctl->given_count; i > 0; i--)
		if (strcmp(ctl->given[i - 1].name, option->name) == 0)
			return ctl->given[i - 1].value;
	return NULL;
}

const char *ctl_option_at(const struct ctl *ctl, const struct ctl_option *option, size_t index)
{
	for (size_t i = 0; i < ctl->given_count; i++)
		if (strcmp(ctl->given[i].name, option->name) == 0 && index-- == 0)
			return ctl->given[i].value;
	return NULL;
}

/* --- reading ------------------------------------------------------------------ */

/* Returns the name at @index of all options, for "did you mean". */
static const char *long_name_at(const void *data, size_t index)
{
	const struct option *all = data;

	return all[index].name;
}

/* Reports what getopt_long() could not read. @word: what stands there; @code: what it returned */
static int report_bad_option(const struct option *all, const char *word, int code)
{
	char name[64];
	const char *meant;

	if (code == ':')
		return ctl_error(EXIT_USAGE, "%s: missing value; try \"prebootctl --help\"", word);
	if (strncmp(word, "--", 2) != 0)
		return ctl_error(EXIT_USAGE, "unknown option \"-%c\"; try \"prebootctl --help\"",
		                 optopt);
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	if (optopt)
		return ctl_error(EXIT_USAGE, "--%s takes no value", name);
	meant = nearest_name(name, long_name_at, all);
	return ctl_error(EXIT_USAGE, "unknown option \"--%s\"%s%s%s; try \"prebootctl --help\"",
	                 name, meant ? "; did you mean --" : "", meant ? meant : "",
	                 meant ? "?" : "");
}

static void add_name(struct option *all, size_t *count, const struct ctl_option *option)
{
	for (size_t i = 0; i < *count; i++)
		if (strcmp(all[i].name, option->name) == 0)
			return;
	if (*count == COMMON_COUNT + NAMES_MAX)
		return;
	all[*count] = (struct option){ option->name, option->value ? required_argument
	                                                           : no_argument, NULL,
		                       FIRST_VALUE + (int)*count };
	(*count)++;
}

/* Fills @all with the options of all verbs, each name once, up to one without a name. */
static void collect_options(struct option all[COMMON_COUNT + NAMES_MAX + 1])
{
	const struct noun *noun;
	size_t count = COMMON_COUNT;

	memcpy(all, common, sizeof(common));
	for (size_t i = 0; (noun = noun_at(i)) != NULL; i++)
		for (const struct verb *verb = noun->verbs; verb->run; verb++)
			for (const struct ctl_option *const *o = verb->options; o && *o; o++)
				add_name(all, &count, *o);
	all[count] = (struct option){ NULL, 0, NULL, 0 };
}

/* Keeps an option that belongs to some verb. */
static int keep_option(struct ctl *ctl, const char *name, const char *value)
{
	if (ctl->given_count == CTL_GIVEN_MAX)
		return ctl_error(EXIT_USAGE, "--%s: more than %d options", name, CTL_GIVEN_MAX);
	ctl->given[ctl->given_count++] = (struct ctl_given){ name, value ? value : "" };
	return -1;
}

/* Says whether JSON is wanted, also where another option is wrong. */
static bool wants_json(int argc, char **argv, const struct option *all)
{
	/* getopt_long() moves words, so an option at the end would find a value the second time. */
	char **copy = calloc((size_t)argc + 1, sizeof(*copy));
	bool json = false;
	int option;

	if (!copy)
		return false;
	memcpy(copy, argv, (size_t)argc * sizeof(*copy));
	while ((option = getopt_long(argc, copy, ":d:jhV", all, NULL)) != -1)
		json |= option == 'j';
	free(copy);
	optind = 0; /* The GNU C library begins anew then. */
	return json;
}

int args_parse(struct ctl *ctl, int argc, char **argv)
{
	static struct option all[COMMON_COUNT + NAMES_MAX + 1];
	int option, status = -1;

	collect_options(all);
	if (wants_json(argc, argv, all))
		ctl_errors_as_json();
	ctl->database = STORE_DEFAULT;
	while (status < 0 && (option = getopt_long(argc, argv, ":d:jhV", all, NULL)) != -1) {
		switch (option) {
		case 'd': ctl->database = optarg; break;
		case 'j': ctl->json = true; break;
		case 'h': ctl->help = true; break;
		case 'V': puts("prebootctl " VERSION); return 0;
		case ':':
		case '?': return report_bad_option(all, argv[optind - 1], option);
		default: status = keep_option(ctl, all[option - FIRST_VALUE].name, optarg);
		}
	}
	ctl->words = argv + optind;
	ctl->word_count = argc - optind;
	return status;
}

/* --- checking ----------------------------------------------------------------- */

/* Reports the first word that the verb needs and that is not there. */
static int report_missing(const struct ctl *ctl, const struct verb *verb, const char *text)
{
	struct place places[USAGE_PLACES_MAX];
	size_t count = usage_places(verb, places);
	int given = ctl->word_count;

	for (size_t i = 0; i < count; i++)
		if (!places[i].optional && given-- == 0)
			return ctl_error(EXIT_USAGE, "%s: missing argument %s", text,
			                 places[i].words);
	return ctl_error(EXIT_USAGE, "%s: missing argument", text);
}

int args_check(struct ctl *ctl, const struct noun *noun, const struct verb *verb)
{
	char text[64];
	int status = 0;

	help_verb_name(noun, verb, text, sizeof(text));
	for (size_t i = 0; i < ctl->given_count; i++)
		if (!verb_option(verb, ctl->given[i].name))
			return ctl_error(EXIT_USAGE, "--%s is not for \"%s\"; try \"prebootctl %s "
			                 "--help\"", ctl->given[i].name, text, text);
	if (ctl->word_count < verb->min)
		status = report_missing(ctl, verb, text);
	else if (ctl->word_count > verb->max)
		status = ctl_error(EXIT_USAGE, "%s: unexpected argument", ctl->words[verb->max]);
	if (status && !ctl->json)
		help_usage(stderr, noun, verb);
	return status;
}
