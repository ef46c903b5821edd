/* SPDX-License-Identifier: BSD-2-Clause */
/* The administrator's tool: what is to happen to which machines, and what did. */
#include <stdio.h>
#include <string.h>

#include "server/ctl/noun.h"
#include "server/tool/output.h"

/* What is printed while others wait for the database may wait for who reads it. */
static bool is_writing(void *context)
{
	const struct ctl *ctl = context;

	return store_is_writing(&ctl->store);
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
static void shift_help(struct ctl *ctl)
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
	status = args_parse(&ctl, argc, argv);
	if (status >= 0)
		return status;
	if (ctl.json)
		output_json();
	shift_help(&ctl);
	if (ctl.word_count == 0 && ctl.json && !ctl.help)
		return ctl_error(EXIT_USAGE, "missing argument NOUN; try \"prebootctl --help\"");
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
