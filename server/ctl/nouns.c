/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of the nouns, and finding what a word names, begins, or was meant to be. */
#include <stdio.h>
#include <string.h>

#include "server/ctl/noun.h"
#include "server/tool/nearest.h"

#define NAMES_SIZE 512

#define NOUN_ADDRESS(name) &noun_##name,
static const struct noun *const nouns[] = { NOUNS(NOUN_ADDRESS) };
#define NOUN_COUNT (sizeof(nouns) / sizeof(nouns[0]))

const struct noun *noun_at(size_t index)
{
	return index < NOUN_COUNT ? nouns[index] : NULL;
}

const struct verb *noun_only_verb(const struct noun *noun)
{
	return noun->verbs[0].name ? NULL : &noun->verbs[0];
}

const struct ctl_option *verb_option(const struct verb *verb, const char *name)
{
	for (const struct ctl_option *const *o = verb->options; o && *o; o++)
		if (strcmp((*o)->name, name) == 0)
			return *o;
	return NULL;
}

/* --- finding ------------------------------------------------------------------ */

/* How well a word fits a name. */
enum fit { FIT_NOT, FIT_BEGINS, FIT_IS };

static enum fit fit_of(const char *word, const char *name, const char *alias)
{
	if (strcmp(word, name) == 0 || (alias && strcmp(word, alias) == 0))
		return FIT_IS;
	return word[0] && strncmp(word, name, strlen(word)) == 0 ? FIT_BEGINS : FIT_NOT;
}

const struct noun *noun_find(const char *word)
{
	const struct noun *found = NULL, *by_alias = NULL;
	size_t fitting = 0;

	for (size_t i = 0; i < NOUN_COUNT; i++) {
		enum fit fit = fit_of(word, nouns[i]->name, nouns[i]->alias);

		if (fit == FIT_IS)
			return nouns[i];
		if (nouns[i]->alias && fit_of(word, nouns[i]->alias, NULL) == FIT_BEGINS)
			by_alias = nouns[i];
		if (fit == FIT_NOT || !nouns[i]->about)
			continue;
		found = nouns[i];
		fitting++;
	}
	/* No two aliases begin alike. */
	if (fitting == 0)
		return by_alias;
	return fitting == 1 ? found : NULL;
}

const struct verb *verb_find(const struct noun *noun, const char *word)
{
	const struct verb *found = NULL;
	size_t fitting = 0;

	for (const struct verb *verb = noun->verbs; verb->run && verb->name; verb++) {
		enum fit fit = fit_of(word, verb->name, verb->alias);

		if (fit == FIT_IS)
			return verb;
		if (fit == FIT_NOT)
			continue;
		found = verb;
		fitting++;
	}
	return fitting == 1 ? found : NULL;
}

/* --- what to say of words that are no names, or not only one ------------------ */

/* Returns the name at @index of a noun's verbs; of the nouns if @data is NULL. */
static const char *name_at(const void *data, size_t index)
{
	const struct noun *noun = data;

	if (!noun)
		return index >= NOUN_COUNT ? NULL : nouns[index]->about ? nouns[index]->name : "";
	return noun->verbs[index].run ? noun->verbs[index].name : NULL;
}

void noun_list_names(const struct noun *noun, char *out, size_t size)
{
	const char *name;
	size_t length = 0;

	out[0] = '\0';
	for (size_t i = 0; (name = name_at(noun, i)) != NULL && length < size; i++)
		if (name[0])
			length += (size_t)snprintf(out + length, size - length, "%s%s",
			                           length ? ", " : "", name);
}

/* Writes the names that @word begins, as "leave or list". Returns how many they are. */
static size_t list_fitting(const struct noun *noun, const char *word, char *out, size_t size)
{
	const char *name, *last = NULL;
	size_t count = 0, length = 0;

	out[0] = '\0';
	for (size_t i = 0; (name = name_at(noun, i)) != NULL && length < size; i++) {
		if (!name[0] || strncmp(name, word, strlen(word)) != 0)
			continue;
		if (last)
			length += (size_t)snprintf(out + length, size - length, "%s%s",
			                           count > 1 ? ", " : "", last);
		last = name;
		count++;
	}
	if (last && length < size)
		snprintf(out + length, size - length, "%s%s", count > 1 ? " or " : "", last);
	return count;
}

int noun_report_unknown(const struct noun *noun, const char *word)
{
	char names[NAMES_SIZE];
	const char *meant;

	if (word[0] && list_fitting(noun, word, names, sizeof(names)) > 1)
		return ctl_error(EXIT_USAGE, "\"%s\" could be %s", word, names);
	meant = nearest_name(word, name_at, noun);
	noun_list_names(noun, names, sizeof(names));
	return ctl_error(EXIT_USAGE, "unknown command \"%s%s%s\"%s%s%s; expected one of %s",
	                 noun ? noun->name : "", noun ? " " : "", word,
	                 meant ? "; did you mean " : "", meant ? meant : "", meant ? "?" : "",
	                 names);
}
