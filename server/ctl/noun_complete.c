/* SPDX-License-Identifier: BSD-2-Clause */
/* What may stand next on the command line, for the shell. */
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "server/ctl/noun.h"
#include "server/model/settings.h"
#include "server/store/names.h"

#define WORD_SIZE 64

struct completion {
	const char *database;
	const char *begun;        /* the word under way, maybe empty */
	const struct noun *noun;  /* NULL: not known yet */
	const struct verb *verb;  /* NULL: not known yet */
	const char *first;        /* the first word after the verb; NULL: none before this one */
};

/* Offers @word with @suffix, if it begins with what has been typed. */
static void offer_word(const struct completion *c, const char *word, const char *suffix)
{
	if (strncmp(word, c->begun, strlen(c->begun)) == 0)
		printf("%s%s\n", word, suffix);
}

/* --- names in the database ------------------------------------------------- */

static void offer_name(void *data, const char *name)
{
	offer_word(data, name, "");
}

static void offer_names(const struct completion *c, const char *what)
{
	store_list_names(c->database, what, c->begun, offer_name, (void *)c);
}

/* --- what a word stands for ------------------------------------------------ */

/* Offers the keys of settings, or once one has been typed its values. */
static void offer_settings(const struct completion *c, const char *suffix)
{
	const char *key, *value;
	char word[WORD_SIZE];

	for (size_t i = 0; (key = setting_key(i)) != NULL; i++) {
		if (!strchr(c->begun, '='))
			offer_word(c, key, suffix);
		for (size_t at = 0; suffix[0] && (value = setting_word(i, at)) != NULL; at++) {
			snprintf(word, sizeof(word), "%s=%s", key, value);
			if (strchr(c->begun, '='))
				offer_word(c, word, "");
		}
	}
}

struct key_offer {
	const struct completion *completion;
	const char *suffix;
};

static void add_detail_key(void *data, const char *detail)
{
	const struct key_offer *offered = data;
	char key[WORD_SIZE];

	snprintf(key, sizeof(key), "%.*s", (int)strcspn(detail, "="), detail);
	offer_word(offered->completion, key, offered->suffix);
}

/* Offers the keys of the details of the bundle that has been named. */
static void offer_details(const struct completion *c, const char *suffix)
{
	store_list_details(c->database, c->first, add_detail_key, &(struct key_offer){ c, suffix });
}

static void offer_keys(const struct completion *c, const char *suffix)
{
	if (c->noun == &noun_settings)
		offer_settings(c, suffix);
	else if (c->noun == &noun_bundle && c->first)
		offer_details(c, suffix);
}

/* @named: a NAME is that of a thing that is there, as the first is, and one of several */
static void offer_for(const struct completion *c, const char *word, bool named)
{
	static const struct {
		const char *word, *what;
	} kinds[] = {
		{ "DEVICE", "device" }, { "FOLDER", "folder" }, { "PATH", "folder" },
		{ "GROUP", "group" }, { "BUNDLE", "bundle" }, { "RULE", "rule" },
		{ "JOB", "job" }, { "TARGET", "device" }, { "TARGET", "folder" },
		{ "TARGET", "target group" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].word, word) == 0)
			offer_names(c, kinds[i].what);
	/* The name of what there is, unless it is that of what is to be. */
	if (strcmp(word, "NAME") == 0 && named && strcmp(c->verb->name, "add") != 0)
		offer_names(c, c->noun->name);
	if (strcmp(word, "KEY=VALUE") == 0)
		offer_keys(c, "=");
	if (strcmp(word, "KEY") == 0)
		offer_keys(c, "");
	if (strcmp(word, "FILE") == 0)
		puts("@files");
	if (word[0] >= 'a' && word[0] <= 'z')
		offer_word(c, word, "");
}

/*
 * Offers what @words of a usage stand for, "DEVICE|JOB". @named: as offer_for() has it
 */
static void complete_argument(const struct completion *c, const char *words, bool named)
{
	char word[WORD_SIZE];

	for (size_t length; *words; words += length + (words[length] == '|')) {
		length = strcspn(words, "|");
		snprintf(word, sizeof(word), "%.*s", (int)length, words);
		offer_for(c, word, named);
	}
}

/* Offers what may stand in place of the word after @given others that follow the verb. */
static void complete_words(const struct completion *c, int given)
{
	struct place places[USAGE_PLACES_MAX];
	size_t count = usage_places(c->verb, places);
	uint32_t next = usage_next(places, count, given);
	bool target = false;

	/* In "TARGET... FOLDER" the folders are among the targets, and offered once. */
	for (size_t p = 0; p < count; p++) {
		if (next >> p & 1 && !(target && strcmp(places[p].words, "FOLDER") == 0))
			complete_argument(c, places[p].words, given == 0 || places[p].repeated);
		target |= next >> p & 1 && strcmp(places[p].words, "TARGET") == 0;
	}
}

/* --- the command line --------------------------------------------------------- */

#define NAME_MAX_SIZE 64

static bool is_option(const char *word, const char *option)
{
	size_t length = strcspn(word, "=");

	return strlen(option) == length && memcmp(word, option, length) == 0;
}

/* Says what the value of an option, "--name" or "--name=value", is called; NULL: it takes none. */
static const char *argument_of(const struct completion *c, const char *word)
{
	const struct ctl_option *option;
	char name[NAME_MAX_SIZE];

	if (is_option(word, "-d") || is_option(word, "--database"))
		return "FILE";
	if (strncmp(word, "--", 2) != 0 || !c->verb)
		return NULL;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	option = verb_option(c->verb, name);
	return option ? option->value : NULL;
}

static void offer_options(const struct completion *c)
{
	static const char *const common[] = { "--database", "--json", "--help" };
	char name[NAME_MAX_SIZE];

	for (const struct ctl_option *const *o = c->verb ? c->verb->options : NULL; o && *o; o++) {
		snprintf(name, sizeof(name), "--%s", (*o)->name);
		offer_word(c, name, "");
	}
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		offer_word(c, common[i], "");
}

static void offer_nouns(const struct completion *c)
{
	const struct noun *noun;

	for (size_t i = 0; (noun = noun_at(i)) != NULL; i++)
		if (noun->about)
			offer_word(c, noun->name, "");
}

static void offer_verbs(const struct completion *c)
{
	for (const struct verb *verb = c->noun->verbs; verb->run && verb->name; verb++)
		offer_word(c, verb->name, "");
}

/* What the words before the one under way are. */
struct line {
	const char *argument; /* the last is an option that takes this; NULL: it is not */
	int given;            /* words after the verb */
	bool help;            /* it began with "help" */
};

/* Takes one word. Returns whether it is one that can be. */
static bool read_word(struct completion *c, struct line *line, const char *word,
                      const char *before)
{
	if (line->argument) {
		line->argument = NULL;
		if (is_option(before, "-d") || is_option(before, "--database"))
			c->database = word;
	} else if (word[0] == '-') {
		line->argument = strchr(word, '=') ? NULL : argument_of(c, word);
		if (is_option(word, "--database") && strchr(word, '='))
			c->database = strchr(word, '=') + 1;
	} else if (!c->noun && !line->help && strcmp(word, "help") == 0) {
		line->help = true;
	} else if (!c->noun) {
		c->noun = noun_find(word);
		c->verb = c->noun ? noun_only_verb(c->noun) : NULL;
		return c->noun;
	} else if (!c->verb) {
		c->verb = verb_find(c->noun, word);
		return c->verb;
	} else if (line->given++ == 0) {
		c->first = word;
	}
	return true;
}

static int ctl_complete(struct ctl *ctl)
{
	struct completion c = { .database = ctl->database, .begun = "" };
	struct line line = { .given = 0 };
	const char *before = "";
	int last = ctl->word_count - 1;

	for (int i = 0; i < last; i++) {
		if (!read_word(&c, &line, ctl->words[i], before))
			return 0;
		before = ctl->words[i];
	}
	if (last >= 0)
		c.begun = ctl->words[last];
	if (!line.argument && c.begun[0] == '-' && strchr(c.begun, '=')) {
		line.argument = argument_of(&c, c.begun);
		c.begun = strchr(c.begun, '=') + 1;
	}
	if (line.argument) {
		complete_argument(&c, line.argument, false);
	} else if (c.begun[0] == '-') {
		offer_options(&c);
	} else if (!c.noun) {
		offer_nouns(&c);
	} else if (!c.verb) {
		offer_verbs(&c);
	} else if (!line.help) {
		complete_words(&c, line.given);
	}
	return 0;
}

/* --- the noun --------------------------------------------------------------- */

static const struct verb verbs[] = {
	{ .run = ctl_complete, .min = 0, .max = NO_LIMIT, .database = DB_NONE,
	  .usage = "-- WORD...",
	  .help = "Print what may stand in place of the last word, for a shell's completion; see "
	          "prebootctl.bash and _prebootctl." },
	{ .run = NULL },
};

const struct noun noun_complete = { .name = "complete", .verbs = verbs };
