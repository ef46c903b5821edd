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
#include "server/ctl/noun.h"
#include "server/tool/output.h"

/* How errors are printed; ctl_error() is called where nobody knows the command line. */
static bool errors_as_json;

/* Prints {"error": {"message": ..., "status": ...}} as one line. */
static void print_json_error(int status, const char *message)
{
	char escaped[4096];
	json_t *error;

	output_escape(message, escaped, sizeof(escaped));
	error = json_pack("{s:{s:s, s:i}}", "error", "message", escaped, "status", status);
	json_dumpf(error, stderr, JSON_COMPACT);
	fputc('\n', stderr);
	json_decref(error);
}

int ctl_error(int status, const char *format, ...)
{
	char message[4096];
	va_list args;

	va_start(args, format);
	if (status && errors_as_json) {
		vsnprintf(message, sizeof(message), format, args);
		print_json_error(status, message);
	} else {
		output_vline("prebootctl", format, args);
	}
	va_end(args);
	return status;
}

/* What is printed while others wait for the database may wait for who reads it. */
static bool is_writing(void *context)
{
	const struct ctl *ctl = context;

	return store_is_writing(&ctl->store);
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

/* --- doing it -------------------------------------------------------------- */

static int run_verb(struct ctl *ctl, const struct noun *noun, const struct verb *verb)
{
	struct store_options store_options = { .create = verb->database == DB_CREATE,
		                               .trusting = true, .busy_timeout_ms = 5000 };
	int status = args_check(ctl, noun, verb);

	if (status)
		return status;
	if (verb->database != DB_NONE && store_open(&ctl->store, ctl->database, &store_options))
		return ctl_store_error(ctl);
	if (verb->database != DB_NONE)
		ctl_start_audit(ctl, noun, verb);
	status = verb->run(ctl);
	if (verb->database != DB_NONE)
		store_close(&ctl->store);
	if (output_flush())
		return ctl_error(EXIT_FAULT, "cannot write the output");
	return status;
}

/* Finds the verb of @noun that the words say, and takes them off. */
static int find_verb(struct ctl *ctl, const struct noun *noun, const struct verb **verb)
{
	const char *word = ctl->word_count > 1 ? ctl->words[1] : "list";
	int used = 1;

	*verb = noun_only_verb(noun);
	if (!*verb) {
		*verb = verb_find(noun, word);
		used = ctl->word_count > 1 ? 2 : 1;
	}
	if (!*verb)
		return noun_report_unknown(noun, word);
	ctl->words += used;
	ctl->word_count -= used;
	return 0;
}

/* Takes "help" off the words, first or in place of a verb: it is as --help. */
static void take_help(struct ctl *ctl)
{
	const struct noun *noun = ctl->word_count > 1 ? noun_find(ctl->words[0]) : NULL;

	if (ctl->word_count && strcmp(ctl->words[0], "help") == 0) {
		ctl->words++;
	} else if (noun && !noun_only_verb(noun) && strcmp(ctl->words[1], "help") == 0) {
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
	const struct noun *noun;
	int status;

	output_start(OUTPUT_STDOUT | OUTPUT_STDERR, is_writing, &ctl);
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		errors_as_json |= strcmp(argv[i], "-j") == 0 || strcmp(argv[i], "--json") == 0;
	status = args_parse(&ctl, argc, argv);
	if (status >= 0)
		return status;
	if (ctl.json)
		output_json();
	take_help(&ctl);
	if (ctl.word_count == 0) {
		help_all(ctl.help ? stdout : stderr);
		return ctl.help ? 0 : EXIT_USAGE;
	}
	noun = noun_find(ctl.words[0]);
	if (!noun)
		return noun_report_unknown(NULL, ctl.words[0]);
	if (ctl.help && ctl.word_count == 1) {
		help_noun(noun);
		return 0;
	}
	status = find_verb(&ctl, noun, &verb);
	if (status)
		return status;
	if (ctl.help) {
		help_verb(stdout, noun, verb);
		return 0;
	}
	return run_verb(&ctl, noun, verb);
}
