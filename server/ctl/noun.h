/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_CTL_NOUN_H
#define SERVER_CTL_NOUN_H

#include "server/ctl/ctl.h"

/*
 * What can be typed, as data: nouns, their verbs, and the options of each. A noun is one table in
 * one file, noun_NAME.c, with the functions of its verbs; a second file, as noun_device_show.c, has
 * what is a subject of its own, and calls nothing of the first. What several nouns need is in
 * ctl_*.c, which call no noun.
 *
 * To add a verb: write its function in the noun's file, as "static int ctl_job_pause(struct ctl
 * *ctl)", which returns an exit status, and add an entry to the verbs[] of that file.
 * To add an option: define a struct ctl_option in the file of the verbs that take it, put it into
 * their .options, and read it with ctl_option(ctl, &opt_NAME). Options of the same name may differ
 * in what they say, and not in whether they take a value.
 * To add a noun: write a file that defines "const struct noun noun_NAME", and add NAME to NOUNS.
 * --help, the shells' completion, the manual page and "did you mean" all come from these tables.
 */

/* In the order in which --help lists them. */
#define NOUNS(X) \
	X(device) X(explain) X(folder) X(group) X(unknown) X(uuid) X(inventory) X(bundle) \
	X(assignment) X(rule) X(multicast) X(job) X(event) X(audit) X(watch) X(stats) X(settings) \
	X(menu) X(export) X(import) X(check) X(backup) X(complete) X(manual)

#define NO_LIMIT 1000000 /* words */

/* The options of a verb, as in .options = OPTIONS(&opt_force, &opt_all). */
#define OPTIONS(...) ((const struct ctl_option *const[]){ __VA_ARGS__, NULL })

struct verb {
	const char *name;            /* NULL: the noun is all there is to type */
	const char *alias;           /* another name, which no text lists; may be NULL */
	int (*run)(struct ctl *ctl); /* returns an exit status; NULL ends a noun's verbs */
	int min, max;                /* how many words may follow it */
	const struct ctl_option *const *options; /* up to a NULL; NULL: none */
	enum { DB_OPEN, DB_CREATE, DB_NONE } database; /* what is to be done with it before */
	/*
	 * What follows the verb, as in "NAME [DEVICE]... [--force]"; NULL: nothing. Completion
	 * offers what its words stand for: see noun_complete.c.
	 */
	const char *usage;
	/*
	 * What it does. Lines are filled when it is printed; a line break begins a paragraph, a
	 * line that begins with a space stays as it is, and one with a tab is a term and what it
	 * means.
	 */
	const char *help;
};

struct noun {
	const char *name;
	const char *alias; /* another name, which no text lists; may be NULL */
	const char *about; /* one short line for --help; NULL: it is not for people */
	const struct verb *verbs;
};

#define DECLARE_NOUN(name) extern const struct noun noun_##name;
NOUNS(DECLARE_NOUN)
#undef DECLARE_NOUN

/** Returns the noun at @index, from 0, or NULL past the last. */
const struct noun *noun_at(size_t index);
/** Returns the noun that @word names or, alone, begins, or an alias does; NULL: none or several. */
const struct noun *noun_find(const char *word);
/** Returns the one verb of a noun that has no name; NULL if its verbs have names. */
const struct verb *noun_only_verb(const struct noun *noun);
/** Returns the verb of @noun that @word names, alone begins, or is an alias of; NULL likewise. */
const struct verb *verb_find(const struct noun *noun, const char *word);
/** Returns the verb's option of that name (without dashes), or NULL. */
const struct ctl_option *verb_option(const struct verb *verb, const char *name);
/** Writes the names of a noun's verbs, or of all nouns if it is NULL: "add, list". */
void noun_list_names(const struct noun *noun, char *out, size_t size);
/** Reports that @word is no verb of @noun, or no noun if that is NULL. Returns EXIT_USAGE. */
int noun_report_unknown(const struct noun *noun, const char *word);

/**
 * Has all changes that @verb makes recorded in the audit trail, as made by the user who called it.
 */
void ctl_start_audit(struct ctl *ctl, const struct noun *noun, const struct verb *verb);

/* --- ctl_args.c --------------------------------------------------------------- */

/**
 * Reads the options of the command line, which may stand anywhere, and leaves the words.
 * Returns -1 to go on, else the status to exit with.
 */
int args_parse(struct ctl *ctl, int argc, char **argv);
/** Checks that the options and words are for @verb. Returns 0, or EXIT_USAGE after saying why. */
int args_check(struct ctl *ctl, const struct noun *noun, const struct verb *verb);

/* --- ctl_usage.c -------------------------------------------------------------- */

#define USAGE_WORD 96
#define USAGE_PLACES_MAX 16

/* A place for a word that follows a verb; options have none. */
struct place {
	char words[USAGE_WORD]; /* what may stand there, without brackets: "DEVICE|JOB" */
	bool optional, repeated;
};

/** Reads what may follow a verb. Returns the number of places, at most USAGE_PLACES_MAX. */
size_t usage_places(const struct verb *verb, struct place places[USAGE_PLACES_MAX]);
/** Returns a bit for each of @places that the word after @given others may be at. */
uint32_t usage_next(const struct place *places, size_t count, int given);

/* --- ctl_help.c --------------------------------------------------------------- */

/** Prints what prebootctl can do, all that a noun can, or what a verb does. */
void help_all(FILE *out);
void help_noun(const struct noun *noun);
void help_verb(FILE *out, const struct noun *noun, const struct verb *verb);
/** Prints how a verb is written: "prebootctl device show DEVICE". */
void help_usage(FILE *out, const struct noun *noun, const struct verb *verb);
/** Prints the COMMANDS of the manual page, in man(7)'s format. */
void help_manual(void);
/** Writes "device add", or "check" for a noun whose verb has no name. */
void help_verb_name(const struct noun *noun, const struct verb *verb, char *out, size_t size);

#endif
