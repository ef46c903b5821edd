/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/ctl/ctl_complete.h"

#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "server/store/bundles.h"
#include "server/store/settings.h"

#define WORD_SIZE 64
#define PLACES_MAX 16

void complete_offer(const struct completion *c, const char *word, const char *suffix)
{
	if (strncmp(word, c->begun, strlen(c->begun)) == 0)
		printf("%s%s\n", word, suffix);
}

/* --- names in the database ------------------------------------------------- */

/*
 * What a word in a verb's usage stands for; ?1 is what has been typed of it. The
 * shell waits, so the database is only read, and not checked as a whole.
 */
static const struct {
	const char *word, *sql;
} names[] = {
	{ "device", "SELECT name FROM device WHERE name >= ?1 ORDER BY name LIMIT 500" },
	{ "group", "SELECT name FROM device_group ORDER BY name" },
	{ "bundle", "SELECT name FROM bundle ORDER BY name" },
	{ "rule", "SELECT name FROM rule ORDER BY name" },
	{ "multicast", "SELECT name FROM multicast ORDER BY name" },
	{ "lease", "SELECT lease FROM work WHERE state IN ('pending', 'offered', 'begun')"
	           " ORDER BY lease DESC LIMIT 500" },
	{ "folder",
	  "WITH RECURSIVE walk (id, path) AS ("
	  " SELECT id, '/' || name FROM folder WHERE parent IS NULL UNION ALL"
	  " SELECT folder.id, path || '/' || name FROM folder JOIN walk ON parent = walk.id)"
	  " SELECT path FROM walk ORDER BY path" },
	{ "target group", "SELECT 'group:' || name FROM device_group ORDER BY name" },
};

static void offer_names(const struct completion *c, const char *what)
{
	sqlite3_stmt *rows = NULL;
	sqlite3 *db = NULL;
	size_t i = 0;

	while (i < sizeof(names) / sizeof(names[0]) && strcmp(names[i].word, what) != 0)
		i++;
	if (i == sizeof(names) / sizeof(names[0]))
		return;
	/* Without a database, or with one of another version, there are no names. */
	if (sqlite3_open_v2(c->database, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, names[i].sql, -1, &rows, NULL) == SQLITE_OK) {
		sqlite3_bind_text(rows, 1, c->begun, -1, SQLITE_STATIC);
		while (sqlite3_step(rows) == SQLITE_ROW)
			complete_offer(c, (const char *)sqlite3_column_text(rows, 0), "");
	}
	sqlite3_finalize(rows);
	sqlite3_close(db);
}

/* --- what a word stands for ------------------------------------------------ */

/* Offers the keys of settings, or once one has been typed its values. */
static void offer_settings(const struct completion *c, const char *suffix)
{
	const char *key, *value;
	char word[WORD_SIZE];

	for (size_t i = 0; (key = setting_key(i)) != NULL; i++) {
		if (!strchr(c->begun, '='))
			complete_offer(c, key, suffix);
		for (size_t at = 0; suffix[0] && (value = setting_word(i, at)) != NULL; at++) {
			snprintf(word, sizeof(word), "%s=%s", key, value);
			if (strchr(c->begun, '='))
				complete_offer(c, word, "");
		}
	}
}

/* Offers the keys of the details of the bundle that has been named. */
static void offer_details(const struct completion *c, const char *suffix)
{
	static const char sql[] = "SELECT details FROM bundle WHERE name = ?1";
	sqlite3_stmt *row = NULL;
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(c->database, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &row, NULL) == SQLITE_OK &&
	    sqlite3_bind_text(row, 1, c->first, -1, SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_step(row) == SQLITE_ROW) {
		const char *text = sqlite3_column_blob(row, 0);
		int size = sqlite3_column_bytes(row, 0);
		char key[WORD_SIZE];

		for (int at = 0; at < size; at += (int)strnlen(text + at, (size_t)(size - at)) + 1) {
			snprintf(key, sizeof(key), "%.*s", size - at, text + at);
			key[strcspn(key, "=")] = '\0';
			complete_offer(c, key, suffix);
		}
	}
	sqlite3_finalize(row);
	sqlite3_close(db);
}

static void offer_keys(const struct completion *c, const char *suffix)
{
	if (strcmp(c->verb->noun, "settings") == 0)
		offer_settings(c, suffix);
	else if (strcmp(c->verb->noun, "bundle") == 0 && c->first)
		offer_details(c, suffix);
}

/* @first: it is the first word behind the verb */
static void offer_for(const struct completion *c, const char *word, bool first)
{
	static const struct {
		const char *word, *what;
	} kinds[] = {
		{ "DEVICE", "device" }, { "FOLDER", "folder" }, { "PATH", "folder" },
		{ "GROUP", "group" }, { "BUNDLE", "bundle" }, { "RULE", "rule" },
		{ "LEASE", "lease" }, { "TARGET", "device" }, { "TARGET", "folder" },
		{ "TARGET", "target group" },
	};
	const char *verb = c->verb->name ? c->verb->name : "";

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].word, word) == 0)
			offer_names(c, kinds[i].what);
	/* The name of what there is, unless it is that of what is to be. */
	if (strcmp(word, "NAME") == 0 && first && strcmp(verb, "add") != 0)
		offer_names(c, c->verb->noun);
	if (strcmp(word, "KEY=VALUE") == 0)
		offer_keys(c, "=");
	if (strcmp(word, "KEY") == 0)
		offer_keys(c, "");
	if (strcmp(word, "FILE") == 0)
		puts("@files");
	for (int i = 0; strcmp(word, "KIND") == 0 && bundle_kind_name((enum bundle_kind)i); i++)
		complete_offer(c, bundle_kind_name((enum bundle_kind)i), "");
	if (word[0] >= 'a' && word[0] <= 'z')
		complete_offer(c, word, "");
}

void complete_argument(const struct completion *c, const char *words, bool first)
{
	char word[WORD_SIZE];

	for (size_t length; *words; words += length + (words[length] == '|')) {
		length = strcspn(words, "|");
		snprintf(word, sizeof(word), "%.*s", (int)length, words);
		offer_for(c, word, first);
	}
}

/* --- a verb's usage -------------------------------------------------------- */

struct place {
	char words[WORD_SIZE]; /* without brackets */
	bool optional, repeated;
};

/* Skips an option in a usage, "[--boot N]" or "--config FILE". Returns what follows it. */
static const char *skip_option(const char *at)
{
	size_t length = strcspn(at, " \n");

	if (memchr(at, ']', length))
		return at + length;
	if (at[0] == '[') {
		at += strcspn(at, "]\n");
		return at + strcspn(at, " \n");
	}
	at += length + strspn(at + length, " ");
	return at + strcspn(at, " \n");
}

/* Reads the words that follow the verb in its usage, which is the first line of its help. */
static size_t read_usage(const struct verb *verb, struct place places[PLACES_MAX])
{
	const char *at = verb->help;
	size_t count = 0, length;

	for (int skip = verb->name ? 3 : 2; skip; skip--) {
		at += strcspn(at, " \n");
		at += strspn(at, " ");
	}
	for (; *at && *at != '\n' && *at != '|' && count < PLACES_MAX; at += strspn(at, " ")) {
		size_t open = strspn(at, "[");

		if (at[open] == '-') {
			at = skip_option(at);
			continue;
		}
		length = strcspn(at + open, " ].\n");
		places[count].optional = open > 0;
		snprintf(places[count].words, WORD_SIZE, "%.*s", (int)length, at + open);
		length = strcspn(at, " \n");
		places[count++].repeated = length > 3 && memcmp(at + length - 3, "...", 3) == 0;
		at += length;
	}
	return count;
}

/* A bit of @next for each place that may be next. */
void complete_words(const struct completion *c, int given)
{
	struct place places[PLACES_MAX];
	size_t count = read_usage(c->verb, places);
	uint32_t next = 1;

	for (int i = 0; i <= given; i++) {
		uint32_t after = 0;

		for (size_t p = 0; p < count; p++)
			if (next >> p & 1 && places[p].optional)
				next |= 1u << (p + 1);
		for (size_t p = 0; i < given && p < count; p++)
			if (next >> p & 1)
				after |= 1u << (p + 1) | (places[p].repeated ? 1u << p : 0);
		if (i < given)
			next = after;
	}
	for (size_t p = 0; p < count; p++)
		if (next >> p & 1)
			complete_argument(c, places[p].words, given == 0);
}
