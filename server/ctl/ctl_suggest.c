/* SPDX-License-Identifier: BSD-2-Clause */
/* What to say of words that are no nouns or verbs, or not only one. */
#include <stdio.h>
#include <string.h>

#include "server/ctl/ctl_verbs.h"

#define NAMES_SIZE 512
#define WORD_MAX 24 /* characters; no name is longer */

/* Returns the name at @index of the nouns, or of verbs: "", not one of @noun; NULL: the end. */
static const char *name_at(const char *noun, size_t index)
{
	const struct noun *n;
	const struct verb *v;

	if (!noun) {
		n = noun_at(index);
		return n ? n->about ? n->name : "" : NULL;
	}
	v = verb_at(index);
	return v ? v->name && strcmp(v->noun, noun) == 0 ? v->name : "" : NULL;
}

void names_list(const char *noun, char *out, size_t size)
{
	const char *name;
	size_t length = 0;

	out[0] = '\0';
	for (size_t i = 0; (name = name_at(noun, i)) != NULL && length < size; i++)
		if (name[0])
			length += (size_t)snprintf(out + length, size - length, "%s%s",
			                           length ? ", " : "", name);
}

/* Writes those that @word begins, as "leave or list". Returns how many they are. */
static size_t list_fitting(const char *noun, const char *word, char *out, size_t size)
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

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Counts the letters to add, drop, change or swap with the next one to make @b of @a. */
static size_t distance(const char *a, const char *b)
{
	size_t d[WORD_MAX + 1][WORD_MAX + 1], m = strlen(a), n = strlen(b);

	if (m > WORD_MAX || n > WORD_MAX)
		return WORD_MAX;
	for (size_t i = 0; i <= m; i++) {
		for (size_t j = 0; j <= n; j++) {
			if (i == 0 || j == 0) {
				d[i][j] = i + j;
				continue;
			}
			d[i][j] = least(d[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
			                least(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[m][n];
}

/* Returns the one name that is nearest to @word, if it is near: "devcie". */
static const char *near_name(const char *noun, const char *word)
{
	size_t nearest = strlen(word) < 5 ? 1 : 2;
	const char *name, *found = NULL;

	for (size_t i = 0; (name = name_at(noun, i)) != NULL; i++) {
		size_t far = name[0] ? distance(word, name) : WORD_MAX;

		if (far > nearest)
			continue;
		found = far == nearest && found ? NULL : name;
		nearest = far;
	}
	return found;
}

int ctl_unknown_word(const char *noun, const char *word)
{
	char names[NAMES_SIZE];
	const char *meant;

	if (word[0] && list_fitting(noun, word, names, sizeof(names)) > 1)
		return ctl_error(EXIT_USAGE, "\"%s\" could be %s", word, names);
	meant = near_name(noun, word);
	names_list(noun, names, sizeof(names));
	return ctl_error(EXIT_USAGE, "%s%s%s: no such %s;%s%s%s expected one of %s",
	                 noun ? noun : "", noun ? " " : "", word, noun ? "verb" : "thing",
	                 meant ? " did you mean " : "", meant ? meant : "", meant ? "?" : "",
	                 names);
}
