/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_CTL_CTL_COMPLETE_H
#define SERVER_CTL_CTL_COMPLETE_H

#include "server/ctl/ctl_verbs.h"

/*
 * What may stand next on the command line, for the shell: a line each; "@files"
 * stands for names of files, which the shell knows better.
 */

struct completion {
	const char *database;
	const char *begun;        /* the word under way, maybe empty */
	const struct verb *verb;  /* NULL: not known yet */
	const char *first;        /* the first word behind the verb; NULL: none before this one */
};

/** Offers @word with @suffix, if it begins with what has been typed. */
void complete_offer(const struct completion *c, const char *word, const char *suffix);

/**
 * Offers what @words of a usage stand for, "DEVICE|LEASE".
 * @first: it is the first word behind the verb
 */
void complete_argument(const struct completion *c, const char *words, bool first);

/** Offers what the verb's usage has behind @given words. */
void complete_words(const struct completion *c, int given);

#endif
