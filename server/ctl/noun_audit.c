/* SPDX-License-Identifier: BSD-2-Clause */
/* The audit trail: who changed what. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/noun.h"
#include "server/store/audit.h"
#include "server/store/groups.h"
#include "server/store/jobs.h"

#define RECORDS_SHOWN 100
#define RECORDS_SHOWN_MAX 1000000
#define SINCE_MAX (366 * 86400)
#define NOUNS_SIZE 512 /* the names of all nouns */

static const struct ctl_option opt_since = {
	"since", "TIME", "only what was changed since a day, as 2026-12-31, a time, as "
	"\"2026-12-31 18:00\", or in a time up to now, as 7d"
};
static const struct ctl_option opt_noun = {
	"noun", "NOUN", "only changes of such things: device, folder, group, bundle, ..."
};
static const struct ctl_option opt_user = { "user", "USER", "only changes that this user made" };
static const struct ctl_option opt_limit = { "limit", "N", "the last N changes (100)" };

/* --- who it is ---------------------------------------------------------------- */

void ctl_start_audit(struct ctl *ctl, const struct noun *noun, const struct verb *verb)
{
	const char *user = getenv("SUDO_USER"), *id = getenv("SUDO_UID");
	char name[64], text[64];
	struct audit_actor actor = { .user = name, .uid = getuid(), .verb = text };
	const struct passwd *entry;
	uint64_t number;

	/* Only root can have been called by sudo; anybody can set the variables, to anything. */
	if (getuid() == 0 && user && user[0] && text_ok(user) && id &&
	    text_parse_number(id, UINT32_MAX, &number) == 0) {
		snprintf(name, sizeof(name), "%s", user);
		actor.uid = (uint32_t)number;
	} else {
		entry = getpwuid(getuid());
		snprintf(name, sizeof(name), "%s", entry ? entry->pw_name : "?");
	}
	help_verb_name(noun, verb, text, sizeof(text));
	audit_start(&ctl->store, &actor);
}

/* --- list --------------------------------------------------------------------- */

/* Reads "2026-12-31", which is from its beginning, "2026-12-31 18:00", or "7d" before now. */
static int read_since(const char *text, int64_t *since)
{
	struct tm tm = { .tm_isdst = -1 };
	const char *end = strptime(text, "%Y-%m-%d", &tm);
	uint32_t seconds;
	int status;

	if (end && (*end == ' ' || *end == 'T'))
		end = strptime(end + 1, "%H:%M", &tm);
	if (end && *end == '\0') {
		*since = mktime(&tm);
		return 0;
	}
	status = ctl_seconds(text, "--since", SINCE_MAX, &seconds);
	*since = status ? 0 : time(NULL) - seconds;
	return status;
}

/* Writes what happened to the field, or to all of the thing. */
static void change_text(const struct audit_record *r, char *out, size_t size)
{
	const char *was = r->was ? r->was : "", *becomes = r->becomes ? r->becomes : "";
	bool part = strcmp(r->field, "mac") == 0 || strcmp(r->field, "member") == 0;

	if (!r->field[0] && !r->was)
		snprintf(out, size, "added%s%s", becomes[0] ? ": " : "", becomes);
	else if (!r->field[0] && !r->becomes)
		snprintf(out, size, "removed%s%s", was[0] ? ": " : "", was);
	else if (strcmp(r->noun, "settings") == 0 && !r->was)
		snprintf(out, size, "%s set: %s", r->field, becomes);
	else if (strcmp(r->noun, "settings") == 0 && !r->becomes)
		snprintf(out, size, "%s unset, was: %s", r->field, was);
	else if (part && !r->was)
		snprintf(out, size, "%s added: %s", r->field, becomes);
	else if (part && !r->becomes)
		snprintf(out, size, "%s removed: %s", r->field, was);
	else
		snprintf(out, size, "%s%s%s -> %s", r->field, r->field[0] ? ": " : "",
		         r->was ? was : "none", r->becomes ? becomes : "none");
}

static json_t *json_record(const struct audit_record *r)
{
	return json_pack("{s:o, s:s, s:I, s:s, s:s, s:s, s:o, s:o, s:o}", "time",
	                 ctl_json_time(r->time), "user", r->user, "uid", (json_int_t)r->uid,
	                 "verb", r->verb, "noun", r->noun, "name", r->name, "field",
	                 r->field[0] ? json_string(r->field) : json_null(), "old",
	                 r->was ? json_string(r->was) : json_null(), "new",
	                 r->becomes ? json_string(r->becomes) : json_null());
}

static int read_filter(struct ctl *ctl, struct audit_filter *filter)
{
	const struct noun *noun;
	char names[NOUNS_SIZE];
	int status = 0;

	filter->limit = RECORDS_SHOWN;
	filter->user = ctl_option(ctl, &opt_user);
	if (ctl_given(ctl, &opt_noun)) {
		noun = noun_find(ctl_option(ctl, &opt_noun));
		if (!noun) {
			noun_list_names(NULL, names, sizeof(names));
			return ctl_error(EXIT_USAGE, "--noun %s: expected one of %s",
			                 ctl_option(ctl, &opt_noun), names);
		}
		filter->noun = noun->name;
	}
	if (ctl_given(ctl, &opt_limit))
		status = ctl_number(ctl_option(ctl, &opt_limit), "--limit", RECORDS_SHOWN_MAX,
		                    &filter->limit);
	if (status == 0 && ctl_given(ctl, &opt_since))
		status = read_since(ctl_option(ctl, &opt_since), &filter->since);
	return status;
}

/* Says whether there is anything of this name now. Returns 0, ERR_NOT_FOUND or the ERR_ values. */
static int find_thing(struct store *store, const char *name)
{
	struct bundle_whole bundle;
	struct multicast_row session;
	struct device device;
	struct rule_row rule;
	struct job job;
	uint64_t id;
	int rc = name[0] == '/' ? folder_find(store, name, &id)
	                        : device_by_name(store, name, &device);

	if (rc == ERR_NOT_FOUND)
		rc = group_find(store, name, &id);
	if (rc == ERR_NOT_FOUND)
		rc = bundle_find(store, name, &bundle);
	if (rc == ERR_NOT_FOUND)
		rc = rule_find(store, name, &rule);
	if (rc == ERR_NOT_FOUND)
		rc = multicast_find(store, name, &session);
	if (rc == ERR_NOT_FOUND && text_parse_number(name, JOB_NUMBER_MAX, &id) == 0)
		rc = job_by_number(store, id, &job);
	return rc;
}

/* Refuses a name that nothing has, nor had when something was recorded. */
static int check_target(struct ctl *ctl, const char *name)
{
	bool known;
	int rc = audit_knows(&ctl->store, name, &known);

	if (rc == 0 && !known)
		rc = find_thing(&ctl->store, name);
	if (rc == ERR_NOT_FOUND || rc == ERR_MALFORMED)
		return ctl_error(EXIT_FAULT, "no device, folder, group, bundle, rule, session or "
		                 "job is named %s, and no change of one is recorded; "
		                 "\"prebootctl audit list\" lists all changes", name);
	return rc ? ctl_store_error(ctl) : 0;
}

/* Makes a JSON array of the names that are asked for, for the caller to free. */
static int read_names(struct ctl *ctl, char **names)
{
	json_t *array = json_array();
	int status = 0;

	for (int i = 0; status == 0 && i < ctl->word_count; i++) {
		const char *name = ctl->words[i];

		if (strncmp(name, "group:", 6) == 0)
			name += 6;
		status = check_target(ctl, name);
		json_array_append_new(array, json_string(name));
	}
	*names = status ? NULL : json_dumps(array, JSON_COMPACT);
	json_decref(array);
	return status;
}

static int list_records(struct ctl *ctl, const struct audit_filter *filter)
{
	struct table table = { .columns = 6 };
	struct audit_record record;
	json_t *array = json_array();
	struct store_rows *rows;
	int rc = audit_list(&ctl->store, filter, &rows);

	table_add(&table, "TIME", "USER", "COMMAND", "NOUN", "NAME", "CHANGE");
	while (store_next(rows, &rc)) {
		char when[24], change[4200];

		audit_row(rows, &record);
		ctl_time(record.time, when, sizeof(when));
		change_text(&record, change, sizeof(change));
		table_add(&table, when, record.user, record.verb, record.noun, record.name, change);
		json_array_append_new(array, json_record(&record));
	}
	return ctl_answer_list(ctl, rc, &table, array);
}

static int ctl_audit_list(struct ctl *ctl)
{
	struct audit_filter filter = { 0 };
	char *names = NULL;
	int status = read_filter(ctl, &filter);

	if (status == 0)
		status = read_names(ctl, &names);
	filter.names = names;
	if (status == 0)
		status = list_records(ctl, &filter);
	free(names);
	return status;
}

/* --- the noun ----------------------------------------------------------------- */

static const struct verb verbs[] = {
	{ .name = "list", .alias = "ls", .run = ctl_audit_list, .min = 0, .max = NO_LIMIT,
	  .options = OPTIONS(&opt_since, &opt_noun, &opt_user, &opt_limit),
	  .usage = "[TARGET]... [--since TIME] [--noun NOUN] [--user USER] [--limit N]",
	  .help = "List what administrators have changed, the newest last: when, who (under sudo, "
	          "who called it), by which command, and from what to what. TARGET is the name of "
	          "a device, folder, group, bundle, rule, session or job, also of one that was "
	          "removed. The jobs, assignments, memberships and settings of a device are among "
	          "its changes, and so is what happened to a thing before it was renamed. What "
	          "prebootd does by itself is in the event log." },
	{ .run = NULL },
};

const struct noun noun_audit = {
	.name = "audit", .about = "who changed what, when, from what to what", .verbs = verbs,
};
