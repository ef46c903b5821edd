/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/transfer/check.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/store/admission.h"
#include "server/transfer/data.h"

/* --- values of rows --------------------------------------------------------- */

#define PROBLEM_SIZE 512

/* What to do about a wrong value, by the table's key; the last is for all others. */
static const struct {
	const char *table, *remedy;
} remedies[] = {
	{ "settings", "set it anew with \"prebootctl settings set\", or remove it with "
	              "\"prebootctl settings unset\"" },
	{ "folders", "\"prebootctl folder rename\" gives it another name" },
	{ "groups", "\"prebootctl group rename\" gives it another name" },
	{ "devices", "say anew what it is known by with \"prebootctl device change\", or remove "
	             "and add it" },
	{ "uuids", "say anew what it is with \"prebootctl uuid\", or forget it with \"prebootctl "
	           "uuid forget\"" },
	{ "sightings", "forget its UUID with \"prebootctl uuid forget\"" },
	{ "bundles", "correct it with \"prebootctl bundle change\"" },
	{ "rules", "correct it with \"prebootctl rule change\"" },
	{ "jobs", "if it is open, cancel it with \"prebootctl job cancel\" and assign it anew" },
	{ NULL, "remove it and make it anew" },
};

static const char *remedy_for(const char *table)
{
	size_t i = 0;

	while (remedies[i].table && strcmp(remedies[i].table, table) != 0)
		i++;
	return remedies[i].remedy;
}

/* One table's rows; @where: what people call the row around, with what follows it. */
struct rows_check {
	const struct check *check;
	const struct data_table *table;
	const char *where;
	const char *remedy;
};

static void report_problem(const struct rows_check *c, const char *what, const char *message)
{
	char problem[PROBLEM_SIZE];

	snprintf(problem, sizeof(problem), "%s%s%s%s", c->where, what, what[0] ? ": " : "",
	         message);
	c->check->found(c->check->data, problem, c->remedy);
}

static void check_field(const struct rows_check *c, const struct data_field *field,
                        const json_t *json, const char *setting, const char *name)
{
	struct data_value value;
	char message[DATA_MESSAGE];

	if (data_check(field, json, setting, &value, message))
		report_problem(c, name, message);
	else if (field->kind == DATA_KEY && !setting_at((size_t)setting_find(setting),
	                                                c->table->level))
		report_problem(c, name, DATA_NOT_HERE);
}

static void check_map(const struct rows_check *c, json_t *map)
{
	const char *key;
	json_t *value;

	json_object_foreach(map, key, value) {
		json_t *text = json_string(key);

		check_field(c, &c->table->fields[0], text, key, key);
		check_field(c, &c->table->fields[1], value, key, key);
		json_decref(text);
	}
}

static void check_object(const struct rows_check *c, json_t *row);

static void check_list(const struct rows_check *c, json_t *list)
{
	json_t *value;
	size_t i;

	if (c->table->shape == DATA_MAP)
		check_map(c, list);
	json_array_foreach(list, i, value) {
		if (c->table->shape == DATA_VALUES)
			check_field(c, &c->table->fields[0], value, NULL, c->table->fields[0].key);
		else
			check_object(c, value);
	}
}

static void check_object(const struct rows_check *c, json_t *row)
{
	const char *wrong;

	for (const struct data_field *field = c->table->fields; field->key; field++)
		check_field(c, field, json_object_get(row, field->key), NULL, field->key);
	for (size_t i = 0; i < DATA_LISTS && c->table->lists[i]; i++) {
		struct rows_check inner = *c;

		inner.table = c->table->lists[i];
		check_list(&inner, json_object_get(row, inner.table->key));
	}
	wrong = c->table->whole ? c->table->whole(row) : NULL;
	if (wrong)
		report_problem(c, "", wrong);
}

/* Names a row by its first value: its name, path or number. */
static void name_row(const struct data_table *table, const json_t *row, char *out, size_t size)
{
	const json_t *first = json_object_get(row, table->fields[0].key);

	if (json_is_string(first))
		snprintf(out, size, "%s %s: ", table->one, json_string_value(first));
	else
		snprintf(out, size, "%s %lld: ", table->one, (long long)json_integer_value(first));
}

static int check_table(const struct check *check, const struct data_table *table)
{
	struct rows_check c = { check, table, "", remedy_for(table->key) };
	char name[PROBLEM_SIZE], message[DATA_MESSAGE];
	struct store_rows *rows;
	json_t *row;
	int rc = table_list(check->store, table->table, 0, &rows);

	while (store_next(rows, &rc)) {
		row = data_row(check->store, table, rows, message);
		if (!row && !message[0]) {
			store_end(rows);
			return ERR_IO;
		}
		if (!row) {
			report_problem(&c, "", message);
			continue;
		}
		name_row(table, row, name, sizeof(name));
		c.where = table->shape == DATA_MAP ? "global settings: " : name;
		if (table->shape == DATA_MAP) {
			json_t *text = json_object_get(row, "key");
			const char *key = json_string_value(text);

			check_field(&c, &table->fields[0], text, key, key);
			check_field(&c, &table->fields[1], json_object_get(row, "value"), key, key);
		} else {
			check_object(&c, row);
		}
		json_decref(row);
		c.where = "";
	}
	return rc;
}

static int check_rows(const struct check *check)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && data_tables[i]; i++)
		rc = check_table(check, data_tables[i]);
	return rc;
}

/* --- unknown machines ------------------------------------------------------ */

static void report_unknown(const struct check *check, const struct unknown *unknown,
                           const char *note)
{
	char problem[REASON_SIZE + 100], remedy[400], key[40];

	text_format(problem, sizeof(problem), "unknown machine %pM, UUID %pU: %s", unknown->mac,
	            unknown->uuid, note);
	if (device_uuid_ok(unknown->uuid))
		text_format(key, sizeof(key), "%pU", unknown->uuid);
	else
		text_format(key, sizeof(key), "%pM", unknown->mac);
	text_format(remedy, sizeof(remedy), "see which machine it is with \"prebootctl unknown "
	            "show %s\"; if it is another one, \"prebootctl device admit %s\"; if it is the "
	            "device, say so with \"prebootctl device change\"; or forget it with "
	            "\"prebootctl unknown remove %s\"", key, key, key);
	check->found(check->data, problem, remedy);
}

/* Shared UUIDs are reported by themselves. */
static int check_unknowns(const struct check *check)
{
	struct unknown unknown;
	struct store_rows *rows;
	int rc = unknown_list(check->store, &rows);

	while (store_next(rows, &rc)) {
		char note[REASON_SIZE];
		struct uuid_record word;

		unknown_row(rows, &unknown);
		rc = uuid_find(check->store, unknown.uuid, &word);
		if (rc == 0)
			rc = admission_note(check->store, &unknown, note);
		if (rc || !note[0] || word.state == UUID_SHARED || word.state == UUID_IGNORED)
			continue;
		report_unknown(check, &unknown, note);
	}
	return rc;
}

/* --- devices that no machine can be ----------------------------------------- */

static void report_nobody(const struct check *check, const char *name)
{
	char problem[200], remedy[300];

	text_format(problem, sizeof(problem), "device %s is known by nothing but what shared-macs "
	            "names, so no machine is it", name);
	text_format(remedy, sizeof(remedy),
	            "give it what it is known by: \"prebootctl device "
	            "change %s --uuid UUID\"; or take the MAC out of the setting shared-macs",
	            name);
	check->found(check->data, problem, remedy);
}

static int check_shared_macs(const struct check *check)
{
	char name[NAME_SIZE] = "", last[NAME_SIZE] = "";
	bool all = false; /* MACs of the last device are shared ones */
	uint8_t mac[6];
	struct store_rows *rows;
	int rc = device_list_mac_only(check->store, &rows);

	while (store_next(rows, &rc)) {
		bool shared;

		device_mac_row(rows, name, mac);
		rc = setting_is_shared_mac(check->store, mac, &shared);
		if (strcmp(name, last) != 0) {
			if (all)
				report_nobody(check, last);
			all = true;
		}
		all = all && shared;
		memcpy(last, name, sizeof(last));
	}
	if (rc == 0 && all)
		report_nobody(check, last);
	return rc;
}

/* --- all ------------------------------------------------------------------- */

static void check_mode(const struct check *check)
{
	struct stat status;

	if (stat(check->store->path, &status) == 0 && status.st_mode & S_IROTH)
		check->found(check->data, "everybody on this host can read the database, and "
		             "details may hold secrets", "take that away with \"chmod o-rwx\"");
}

int check_all(const struct check *check)
{
	int rc;

	check_mode(check);
	rc = store_schema_faults(check->store, check->found, check->data);
	if (rc == 0)
		rc = store_row_faults(check->store, check->found, check->data);
	if (rc == 0)
		rc = check_unknowns(check);
	if (rc == 0)
		rc = check_shared_macs(check);
	return rc ? rc : check_rows(check);
}
