/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/store/devices.h"
#include "server/store/folders.h"
#include "server/store/jobs.h"
#include "server/store/uuids.h"
#include "server/transfer/import_rows.h"
#include "server/transfer/scan.h"

/* Where in the text things are; 0: nowhere. */
struct sections {
	size_t tables[DATA_TABLES_MAX];
	const char *names[DATA_TABLES_MAX]; /* what the text calls them */
	size_t format, version, last_job;
};

/* --- the whole ------------------------------------------------------------- */

/* Reports the first place that is not JSON, or not one object. @at: where it was seen */
static int not_json(struct import_run *run, size_t at)
{
	json_t *whole = import_parse(run, 0);

	if (!whole)
		return ERR_MALFORMED;
	json_decref(whole);
	return import_fail_at(run, at, "expected one object, as \"prebootctl export\" writes, and "
	                   "nothing after it");
}

static bool is_key(const char *name, const char *key, size_t length)
{
	return strlen(name) == length && memcmp(name, key, length) == 0;
}

/* Returns where to keep the place of what @key names; NULL if it names nothing. */
static size_t *section_of(struct sections *sections, const char *key, size_t length)
{
	const struct {
		const char *key;
		size_t *at;
	} scalars[] = { { "format", &sections->format }, { "version", &sections->version },
		        { "last_job", &sections->last_job },
		        { "last_lease", &sections->last_job } };

	for (size_t i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++)
		if (is_key(scalars[i].key, key, length))
			return scalars[i].at;
	for (size_t i = 0; data_tables[i]; i++) {
		const char *const names[] = { data_tables[i]->key, data_tables[i]->old_key };

		for (size_t j = 0; j < 2; j++) {
			if (!names[j] || !is_key(names[j], key, length))
				continue;
			sections->names[i] = names[j];
			return &sections->tables[i];
		}
	}
	return NULL;
}

/* Finds what there is at the top, in whatever order. */
static int find_sections(struct import_run *run, struct sections *sections)
{
	const char *text = run->import->text;
	size_t length = run->import->length, at = scan_blanks(text, length, 0), key;
	bool first = true;
	int rc;

	if (at == length || text[at] != '{')
		return not_json(run, at);
	for (; (rc = scan_next(text, length, &at, first, &key)) == 1; first = false) {
		const char *end = memchr(text + key + 1, '"', length - key - 1);
		size_t size = (size_t)(end - text) - key - 1, *section;

		section = section_of(sections, text + key + 1, size);
		if (!section)
			return import_fail_at(run, key, "%.*s: there is no such key here",
			                   size < 64 ? (int)size : 64, text + key + 1);
		if (*section)
			return import_fail_at(run, key, "%.*s: is here a second time", (int)size,
			                   text + key + 1);
		*section = at;
	}
	if (rc < 0 || scan_blanks(text, length, at) != length)
		return not_json(run, at);
	return 0;
}

static int check_format(struct import_run *run, const struct sections *sections)
{
	json_t *format = sections->format ? import_parse(run, sections->format) : NULL;
	json_t *version = sections->version ? import_parse(run, sections->version) : NULL;
	const char *name = json_string_value(format);
	json_int_t number = json_integer_value(version);
	int rc = 0;

	if (!name || strcmp(name, DATA_FORMAT) != 0)
		rc = import_fail_at(run, sections->format,
		                    "format: expected \"" DATA_FORMAT "\", as in "
		                    "what \"prebootctl export\" writes");
	else if (number < 1)
		rc = import_fail_at(run, sections->version,
		                    "version: expected a number from 1 to %d", DATA_VERSION);
	else if (number > DATA_VERSION)
		rc = import_fail_at(run, sections->version,
		                    "version: %lld is newer than this program, "
		                    "which knows up to %d; use the newer program",
		                    (long long)number, DATA_VERSION);
	json_decref(format);
	json_decref(version);
	return rc;
}

/* --- its parts ------------------------------------------------------------- */

/*
 * A device may have a UUID that is shared, as that is found out later, and it is for the
 * administrator to say whose it is. One that is ignored never identifies a machine: a
 * device that has nothing else is refused, and so is one where only the database ignores the UUID.
 */
static int check_ignored(struct import_run *run, json_t *row, const struct place *place,
                           const uint8_t uuid[16])
{
	struct place inner = { .up = place, .key = "uuid" };
	bool others = json_array_size(json_object_get(row, "macs")) ||
	              json_is_string(json_object_get(row, "isd"));
	struct uuid_record word;
	int rc = uuid_find(run->store, uuid, &word);

	if (rc || word.state != UUID_IGNORED)
		return rc;
	if (others && run->has_uuids) {
		import_warn_at(run, run->at,
		               "warning: device %s: its UUID is ignored, so it is known by "
		               "the rest alone",
		               json_string_value(json_object_get(row, "name")));
		return 0;
	}
	return import_fail(run, &inner,
	                   run->has_uuids
	                           ? "\"uuids\" says that it is ignored, so it identifies nobody; "
	                             "give the device "
	                             "a MAC, or, if it is one machine's, take it out there"
	                           : "is ignored here, so it identifies nobody; leave it out and "
	                             "give a MAC, or, if "
	                             "it is one machine's, \"prebootctl uuid allow\" it first");
}

/* Tools that read UUIDs, and firmware that reports them, do not agree on the order of the bytes. */
static int check_uuid(struct import_run *run, json_t *row, const struct place *place)
{
	const char *text = json_string_value(json_object_get(row, "uuid"));
	const char *name = json_string_value(json_object_get(row, "name"));
	uint8_t uuid[16], swapped[16];
	struct device other;
	int rc;

	if (strcmp(place->key, "devices") != 0 || !text || text_parse_uuid(text, uuid))
		return 0;
	rc = check_ignored(run, row, place, uuid);
	if (rc)
		return rc;
	device_uuid_swap(uuid, swapped);
	if (memcmp(uuid, swapped, sizeof(uuid)) == 0)
		return 0;
	rc = device_by_uuid(run->store, swapped, &other);
	if (rc == 0)
		import_warn_at(run, run->at,
		               "warning: device %s: %s is the UUID of device %s in the other "
		               "byte order",
		               name, text, other.name);
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

/* Takes one row at a time: there may be a million. */
static int import_section(struct import_run *run, size_t table, const char *name, size_t at)
{
	struct place place = { .key = name };
	const char *text = run->import->text;
	bool first = true;
	int rc;

	if (text[at] != '[')
		return import_fail_at(run, at, "%s: expected a list", place.key);
	for (; (rc = scan_next(text, run->import->length, &at, first, NULL)) == 1; first = false) {
		json_t *row = import_parse(run, at);

		if (!row)
			return ERR_MALFORMED;
		run->at = at;
		rc = import_row(run, data_tables[table], row, &place);
		if (rc == 0)
			rc = check_uuid(run, row, &place);
		if (rc == 0 && data_tables[table]->table == TABLE_JOB &&
		    !json_is_string(json_object_get(row, "ended")))
			run->import->counts.open++;
		json_decref(row);
		if (rc && rc != ERR_MALFORMED)
			return rc;
		place.index++;
	}
	run->import->counts.rows[table] = place.index;
	if (rc < 0)
		return import_fail_at(run, at, "%s: not JSON: expected \",\" or \"]\"", place.key);
	return run->import->errors.errors ? ERR_MALFORMED : 0;
}

static int import_table(struct import_run *run, size_t table, const char *name, size_t at)
{
	struct place place = { .key = name, .index = PLACE_WHOLE };
	json_t *map;
	int rc;

	if (data_tables[table]->shape == DATA_ROWS)
		return import_section(run, table, name, at);
	map = import_parse(run, at);
	if (!map)
		return ERR_MALFORMED;
	run->at = at;
	rc = import_map(run, data_tables[table], map, 0, &place);
	run->import->counts.rows[table] = json_object_size(map);
	json_decref(map);
	return rc;
}

/* Job numbers that machines know, here or where the data come from, are not given again. */
static int import_last_job(struct import_run *run, size_t at)
{
	json_t *value = import_parse(run, at);
	json_int_t last = json_integer_value(value);
	bool right = json_is_integer(value) && last >= 0 && last <= JOB_NUMBER_MAX;

	json_decref(value);
	if (!right)
		return import_fail_at(
			run, at,
			"last_job: expected a number from 0 to %lld, that of the "
			"last job there ever was; if that is not known, the highest in "
			"\"jobs\"",
			(long long)JOB_NUMBER_MAX);
	return job_raise_last_number(run->store, (uint64_t)last);
}

/* --- the database ---------------------------------------------------------- */

/* A file of an older program says nothing of UUIDs: what is known of them stays. */
static int begin_uuids(struct import_run *run, const char *key)
{
	bool uuids = strcmp(key, "uuids") == 0;

	run->has_uuids |= uuids;
	if (!run->import->replace || !(uuids || strcmp(key, "sightings") == 0))
		return 0;
	return whole_clear_uuids(run->store, !uuids);
}

static int import_all(struct import_run *run, const struct sections *sections)
{
	int rc = run->import->replace ? whole_clear(run->store) : whole_is_empty(run->store);

	if (rc == 0)
		rc = folder_write_paths(run->store);
	for (size_t i = 0; rc == 0 && data_tables[i]; i++)
		if (sections->tables[i])
			rc = begin_uuids(run, data_tables[i]->key);
	for (size_t i = 0; rc == 0 && data_tables[i]; i++)
		if (sections->tables[i])
			rc = import_table(run, i, sections->names[i], sections->tables[i]);
	if (rc == 0 && sections->last_job)
		rc = import_last_job(run, sections->last_job);
	if (rc == 0)
		rc = whole_finish(run->store);
	return rc || run->import->dry_run ? rc : store_commit(run->store);
}

int data_import(struct store *store, struct data_import *import)
{
	struct import_run run = { .store = store, .import = import };
	struct sections sections = { .format = 0 };
	int rc;

	import->errors.max = DATA_ERRORS_MAX;
	memset(&import->counts, 0, sizeof(import->counts));
	rc = find_sections(&run, &sections);
	if (rc == 0)
		rc = check_format(&run, &sections);
	/* All that is put in is looked up first. */
	if (rc == 0)
		rc = whole_begin(store);
	if (rc == 0)
		rc = import_all(&run, &sections);
	whole_end(store);
	import_errors_sort(&import->errors);
	return rc;
}
