/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/ctl/ctl_complete.h"

#include <stdio.h>
#include <string.h>

#define NAME_MAX_SIZE 64

static bool is(const char *word, const char *option)
{
	size_t length = strcspn(word, "=");

	return strlen(option) == length && memcmp(word, option, length) == 0;
}

/* Says what the value of an option, "--name" or "--name=value", is called; NULL: it takes none. */
static const char *argument_of(const char *word)
{
	if (is(word, "-d") || is(word, "--database"))
		return "FILE";
	for (int i = OPT_END + 1; i < OPT_COUNT; i++)
		if (strncmp(word, "--", 2) == 0 && is(word + 2, option_name((enum ctl_option)i)))
			return option_argument((enum ctl_option)i);
	return NULL;
}

static void offer_options(const struct completion *c)
{
	static const char *const common[] = { "--database", "--json", "--help" };
	char name[NAME_MAX_SIZE];

	for (int i = OPT_END + 1; i < OPT_COUNT; i++) {
		snprintf(name, sizeof(name), "--%s", option_name((enum ctl_option)i));
		if (c->verb && verb_takes(c->verb, (enum ctl_option)i))
			complete_offer(c, name, "");
	}
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		complete_offer(c, common[i], "");
}

static void offer_nouns(const struct completion *c)
{
	const struct noun *noun;

	for (size_t i = 0; (noun = noun_at(i)) != NULL; i++)
		if (noun->about)
			complete_offer(c, noun->name, "");
}

static void offer_verbs(const struct completion *c, const char *noun)
{
	const struct verb *verb;

	for (size_t i = 0; (verb = verb_at(i)) != NULL; i++)
		if (verb->name && strcmp(verb->noun, noun) == 0)
			complete_offer(c, verb->name, "");
}

/* What the words before the one under way are. */
struct line {
	const char *noun;     /* NULL: none yet */
	const char *argument; /* the last is an option that takes this; NULL: it is not */
	int given;            /* words behind the verb */
};

/* Takes one word. Returns whether it is one that can be. */
static bool take_word(struct completion *c, struct line *line, const char *word,
                      const char *before)
{
	if (line->argument) {
		line->argument = NULL;
		if (is(before, "-d") || is(before, "--database"))
			c->database = word;
	} else if (word[0] == '-') {
		line->argument = strchr(word, '=') ? NULL : argument_of(word);
		if (is(word, "--database") && strchr(word, '='))
			c->database = strchr(word, '=') + 1;
	} else if (!line->noun) {
		line->noun = noun_find(word);
		c->verb = line->noun ? verb_of_noun(line->noun) : NULL;
		return line->noun;
	} else if (!c->verb) {
		c->verb = verb_find(line->noun, word);
		return c->verb;
	} else if (line->given++ == 0) {
		c->first = word;
	}
	return true;
}

int ctl_complete(struct ctl *ctl)
{
	static const struct verb none = { .noun = "", .help = "" };
	struct completion c = { .database = ctl->database, .begun = "" };
	struct line line = { .given = 0 };
	const char *before = "";
	int last = ctl->word_count - 1;

	for (int i = 0; i < last; i++) {
		if (!take_word(&c, &line, ctl->words[i], before))
			return 0;
		before = ctl->words[i];
	}
	if (last >= 0)
		c.begun = ctl->words[last];
	if (!line.argument && c.begun[0] == '-' && strchr(c.begun, '=')) {
		line.argument = argument_of(c.begun);
		c.begun = strchr(c.begun, '=') + 1;
	}
	if (line.argument) {
		c.verb = c.verb ? c.verb : &none;
		complete_argument(&c, line.argument, false);
	} else if (c.begun[0] == '-') {
		offer_options(&c);
	} else if (!line.noun) {
		offer_nouns(&c);
	} else if (!c.verb) {
		offer_verbs(&c, line.noun);
	} else {
		complete_words(&c, line.given);
	}
	return 0;
}
