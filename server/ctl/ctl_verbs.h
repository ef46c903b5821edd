/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_CTL_CTL_VERBS_H
#define SERVER_CTL_CTL_VERBS_H

#include "server/ctl/ctl.h"

/* What can be typed: nouns, their verbs, and the options of each, as data. */

#define NO_LIMIT 1000000 /* words */

struct noun {
	const char *name;
	const char *about; /* one short line for --help; NULL: it is not for people */
};

struct verb {
	const char *noun;
	const char *name;  /* NULL: the noun is all there is to type */
	const char *alias; /* may be NULL */
	int (*run)(struct ctl *ctl); /* returns an exit status */
	int words_min, words_max;    /* that follow it */
	const enum ctl_option *options; /* up to an OPT_END; NULL: none */
	enum { DB_OPEN, DB_CREATE, DB_NONE } database; /* what it does with it */
	const char *help;
};

/** Returns the noun or verb at @index, from 0, or NULL behind the last. */
const struct noun *noun_at(size_t index);
const struct verb *verb_at(size_t index);

/** Finds the noun that @word names or, alone, begins; NULL if none or several. */
const char *noun_find(const char *word);
/** Finds the verb of @noun that @word names, alone begins, or is an alias of. NULL likewise. */
const struct verb *verb_find(const char *noun, const char *word);
/** Returns the one verb of a noun that takes none; NULL if it takes some. */
const struct verb *verb_of_noun(const char *noun);
/** Writes the names of a noun's verbs, or of all nouns if it is NULL. */
void names_list(const char *noun, char *out, size_t size);
/** Tells that @word is no verb of @noun, or no noun if that is NULL, or which it could be. */
int ctl_unknown_word(const char *noun, const char *word);
bool verb_takes(const struct verb *verb, enum ctl_option option);

/** Returns the option's name without the dashes. */
const char *option_name(enum ctl_option option);
/** Returns what its value is called, as in "FILE"; NULL: it takes none. */
const char *option_argument(enum ctl_option option);

/**
 * Takes the options of the command line, which may stand anywhere, and leaves the
 * words. Returns -1 to go on, else the status to exit with.
 */
int options_parse(struct ctl *ctl, int argc, char **argv);

/* --- the verbs; each returns an exit status -------------------------------- */

int ctl_device_add(struct ctl *ctl);
int ctl_device_change(struct ctl *ctl);
int ctl_device_list(struct ctl *ctl);
int ctl_device_show(struct ctl *ctl);
int ctl_device_remove(struct ctl *ctl);
int ctl_device_trace(struct ctl *ctl);
int ctl_explain(struct ctl *ctl);
int ctl_rule_test(struct ctl *ctl);
int ctl_rule_facts(struct ctl *ctl);
int ctl_job_assign(struct ctl *ctl);
int ctl_job_list(struct ctl *ctl);
int ctl_job_show(struct ctl *ctl);
int ctl_job_cancel(struct ctl *ctl);
int ctl_event_list(struct ctl *ctl);
int ctl_settings_show(struct ctl *ctl);
int ctl_settings_set(struct ctl *ctl);
int ctl_settings_unset(struct ctl *ctl);
int ctl_menu_check(struct ctl *ctl);
int ctl_menu_show(struct ctl *ctl);
int ctl_menu_passwd(struct ctl *ctl);
int ctl_device_import(struct ctl *ctl);
int ctl_export(struct ctl *ctl);
int ctl_import(struct ctl *ctl);
int ctl_check(struct ctl *ctl);
int ctl_backup(struct ctl *ctl);
int ctl_watch(struct ctl *ctl);
int ctl_stats(struct ctl *ctl);
int ctl_complete(struct ctl *ctl);
int ctl_device_move(struct ctl *ctl);
int ctl_device_rename(struct ctl *ctl);
int ctl_device_release(struct ctl *ctl);
int ctl_device_admit(struct ctl *ctl);
int ctl_folder_add(struct ctl *ctl);
int ctl_folder_list(struct ctl *ctl);
int ctl_folder_show(struct ctl *ctl);
int ctl_folder_move(struct ctl *ctl);
int ctl_folder_rename(struct ctl *ctl);
int ctl_folder_remove(struct ctl *ctl);
int ctl_group_add(struct ctl *ctl);
int ctl_group_list(struct ctl *ctl);
int ctl_group_show(struct ctl *ctl);
int ctl_group_rename(struct ctl *ctl);
int ctl_group_remove(struct ctl *ctl);
int ctl_group_join(struct ctl *ctl);
int ctl_group_leave(struct ctl *ctl);
int ctl_bundle_add(struct ctl *ctl);
int ctl_bundle_change(struct ctl *ctl);
int ctl_bundle_rename(struct ctl *ctl);
int ctl_bundle_list(struct ctl *ctl);
int ctl_bundle_show(struct ctl *ctl);
int ctl_bundle_remove(struct ctl *ctl);
int ctl_assignment_add(struct ctl *ctl);
int ctl_assignment_list(struct ctl *ctl);
int ctl_assignment_remove(struct ctl *ctl);
int ctl_rule_add(struct ctl *ctl);
int ctl_rule_change(struct ctl *ctl);
int ctl_rule_rename(struct ctl *ctl);
int ctl_rule_move(struct ctl *ctl);
int ctl_rule_list(struct ctl *ctl);
int ctl_rule_show(struct ctl *ctl);
int ctl_rule_enable(struct ctl *ctl);
int ctl_rule_disable(struct ctl *ctl);
int ctl_rule_remove(struct ctl *ctl);
int ctl_multicast_add(struct ctl *ctl);
int ctl_multicast_change(struct ctl *ctl);
int ctl_multicast_list(struct ctl *ctl);
int ctl_multicast_show(struct ctl *ctl);
int ctl_multicast_start(struct ctl *ctl);
int ctl_multicast_end(struct ctl *ctl);
int ctl_multicast_join(struct ctl *ctl);
int ctl_multicast_leave(struct ctl *ctl);
int ctl_multicast_remove(struct ctl *ctl);
int ctl_uuid_list(struct ctl *ctl);
int ctl_uuid_show(struct ctl *ctl);
int ctl_uuid_allow(struct ctl *ctl);
int ctl_uuid_ignore(struct ctl *ctl);
int ctl_uuid_forget(struct ctl *ctl);
int ctl_unknown_list(struct ctl *ctl);
int ctl_unknown_show(struct ctl *ctl);
int ctl_unknown_remove(struct ctl *ctl);
int ctl_job_retry(struct ctl *ctl);
int ctl_job_release(struct ctl *ctl);
int ctl_inventory(struct ctl *ctl);

#endif
