/* SPDX-License-Identifier: BSD-2-Clause */
/* The administrator's tool: what is to happen to which machines, and what did. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nbp/proto/error.h"
#include "server/ctl/ctl_help.h"
#include "server/ctl/ctl_verbs.h"
#include "server/tool/output.h"

int ctl_error(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	output_vline("prebootctl", format, args);
	va_end(args);
	return status;
}

/* What is printed while others wait for the database may wait for who reads it. */
static bool is_writing(void *context)
{
	const struct ctl *ctl = context;

	return ctl->store.db && sqlite3_txn_state(ctl->store.db, NULL) == SQLITE_TXN_WRITE;
}

/*
 * Writes who may use the database, if it is one that this user may not read and write: "root",
 * "root or as user openpreboot".
 */
static bool who_may(const char *path, char *out, size_t size)
{
	char folder[PATH_MAX];
	struct stat status;
	const struct passwd *owner;

	snprintf(folder, sizeof(folder), "%s", path);
	if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) == 0 || errno != EACCES)
		return false;
	/* What is in a folder that is closed, too, belongs to the folder's owner. */
	if ((stat(path, &status) && stat(dirname(folder), &status)) || status.st_uid == geteuid())
		return false;
	owner = getpwuid(status.st_uid);
	snprintf(out, size, "root%s%s", owner && status.st_uid ? " or as user " : "",
	         owner && status.st_uid ? owner->pw_name : "");
	return true;
}

int ctl_store_error(struct ctl *ctl)
{
	char who[128];

	if (who_may(ctl->database, who, sizeof(who)))
		return ctl_error(EXIT_FAULT, "%s: this user may not use it; run prebootctl as %s, "
		                 "as in \"sudo prebootctl ...\"", ctl->database, who);
	return ctl_error(EXIT_FAULT, "%s", ctl->store.message);
}

/* --- what can be typed ----------------------------------------------------- */

static int help_all(FILE *out)
{
	const struct noun *noun;
	char names[512];

	fprintf(out, "%s\n", help_usage);
	for (size_t i = 0; (noun = noun_at(i)) != NULL && noun->about; i++) {
		fprintf(out, "  %-11s  %s\n", noun->name, noun->about);
		names_list(noun->name, names, sizeof(names));
		if (names[0])
			fprintf(out, "  %-11s  %s\n", "", names);
	}
	fprintf(out, "\n%s", help_options);
	return out == stdout ? 0 : EXIT_USAGE;
}

static int help_noun(const char *noun)
{
	const struct verb *verb;

	for (size_t i = 0; (verb = verb_at(i)) != NULL; i++)
		if (strcmp(verb->noun, noun) == 0)
			puts(verb->help);
	return 0;
}

/* --- doing it -------------------------------------------------------------- */

/* Writes "device add", or "check" for a noun without verbs. */
static void verb_text(const struct verb *verb, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", verb->noun, verb->name ? " " : "",
	         verb->name ? verb->name : "");
}

/* Checks that what stands on the command line is for @verb. */
static int check_words(struct ctl *ctl, const struct verb *verb)
{
	char text[64];
	int status = 0;

	verb_text(verb, text, sizeof(text));
	for (int i = OPT_END + 1; i < OPT_COUNT; i++)
		if (ctl->option[i] && !verb_takes(verb, (enum ctl_option)i))
			return ctl_error(EXIT_USAGE, "--%s is not for \"%s\"; try \"prebootctl %s "
			                 "--help\"", option_name((enum ctl_option)i), text, text);
	if (ctl->word_count < verb->words_min)
		status = ctl_error(EXIT_USAGE, "%s: something is missing", text);
	else if (ctl->word_count > verb->words_max)
		status = ctl_error(EXIT_USAGE, "%s: unexpected argument",
		                   ctl->words[verb->words_max]);
	if (status)
		fprintf(stderr, "%s\n", verb->help);
	return status;
}

static int run(struct ctl *ctl, const struct verb *verb)
{
	struct store_options store_options = { .create = verb->database == DB_CREATE,
		                               .trusting = true, .busy_timeout_ms = 5000 };
	int status = check_words(ctl, verb);

	if (status)
		return status;
	if (verb->database != DB_NONE && store_open(&ctl->store, ctl->database, &store_options))
		return ctl_store_error(ctl);
	status = verb->run(ctl);
	if (verb->database != DB_NONE)
		store_close(&ctl->store);
	if (output_flush())
		return ctl_error(EXIT_FAULT, "cannot write the output");
	return status;
}

/* Finds the verb of @noun that the words say, and takes them off. */
static int take_verb(struct ctl *ctl, const char *noun, const struct verb **verb)
{
	const char *word = ctl->word_count > 1 ? ctl->words[1] : "list";
	int used = 1;

	*verb = verb_of_noun(noun);
	if (!*verb) {
		*verb = verb_find(noun, word);
		used = ctl->word_count > 1 ? 2 : 1;
	}
	if (!*verb)
		return ctl_unknown_word(noun, word);
	ctl->words += used;
	ctl->word_count -= used;
	return 0;
}

/* Takes "help" off the words, first or in place of a verb: it is as --help. */
static void take_help(struct ctl *ctl)
{
	const char *noun = ctl->word_count > 1 ? noun_find(ctl->words[0]) : NULL;

	if (ctl->word_count && strcmp(ctl->words[0], "help") == 0) {
		ctl->words++;
	} else if (noun && !verb_of_noun(noun) && strcmp(ctl->words[1], "help") == 0) {
		ctl->words[1] = ctl->words[0];
		ctl->words++;
	} else {
		return;
	}
	ctl->word_count--;
	ctl->help = true;
}

int main(int argc, char **argv)
{
	static struct ctl ctl;
	const struct verb *verb;
	const char *noun;
	int status;

	output_start(OUTPUT_STDOUT | OUTPUT_STDERR, is_writing, &ctl);
	status = options_parse(&ctl, argc, argv);
	if (status >= 0)
		return status;
	if (ctl.json)
		output_json();
	take_help(&ctl);
	if (ctl.word_count == 0)
		return help_all(ctl.help ? stdout : stderr);
	noun = noun_find(ctl.words[0]);
	if (!noun)
		return ctl_unknown_word(NULL, ctl.words[0]);
	if (ctl.help && ctl.word_count == 1)
		return help_noun(noun);
	status = take_verb(&ctl, noun, &verb);
	if (status)
		return status;
	if (ctl.help) {
		puts(verb->help);
		return 0;
	}
	return run(&ctl, verb);
}
