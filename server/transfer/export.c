/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "server/transfer/data.h"

#define INDENT 2

/* --- rows ------------------------------------------------------------------ */

/* Appends to the list of @table: a row, a value, or a key and its value. Frees @row. */
static int append(const struct data_table *table, json_t *list, json_t *row)
{
	json_t *first = json_object_get(row, table->fields[0].key);
	int rc;

	switch (table->shape) {
	case DATA_VALUES: rc = json_array_append(list, first); break;
	case DATA_MAP:
		rc = json_object_set(list, json_string_value(first),
		                     json_object_get(row, table->fields[1].key));
		break;
	default: rc = json_array_append(list, row);
	}
	json_decref(row);
	return rc ? ERR_SPACE : 0;
}

/* @types, @around: of the statement's parameter, where it has one */
static json_t *read_list(struct store *store, const struct data_table *table, const char *types,
                         int64_t around, char message[DATA_MESSAGE])
{
	json_t *list = table->shape == DATA_MAP ? json_object() : json_array(), *row;
	sqlite3_stmt *rows;
	int rc = store_start(store, &rows, table->select, types, around);

	while (rc == 0 && (rc = store_step(store, rows)) == 1) {
		row = data_row(store, table, rows, message);
		rc = row ? append(table, list, row) : ERR_MALFORMED;
		if (rc)
			store_end(rows);
	}
	if (rc == 0)
		return list;
	json_decref(list);
	return NULL;
}

/* What people call a row: lists within rows have no word of their own. */
static const char *table_name(const struct data_table *table)
{
	return table->one ? table->one : table->key;
}

json_t *data_row(struct store *store, const struct data_table *table, sqlite3_stmt *rows,
                 char message[DATA_MESSAGE])
{
	const struct data_field *field = table->fields;
	int64_t id = sqlite3_column_int64(rows, 0);
	json_t *row = json_object(), *value;

	message[0] = '\0';
	for (int column = 1; field->key; field++, column++) {
		value = data_column(field, rows, column);
		if (!value || (json_is_null(value) && !field->optional &&
		               field->kind != DATA_TIME)) {
			snprintf(message, DATA_MESSAGE, "%s %lld: %s is %s", table_name(table),
			         (long long)id, field->key,
			         value ? "of something that is gone" : "damaged");
			goto failed;
		}
		json_object_set_new(row, field->key, value);
	}
	for (size_t i = 0; i < DATA_LISTS && table->lists[i]; i++) {
		value = read_list(store, table->lists[i], "i", id, message);
		if (!value)
			goto failed;
		json_object_set_new(row, table->lists[i]->key, value);
	}
	return row;
failed:
	json_decref(row);
	return NULL;
}

int data_read_paths(struct store *store)
{
	static const char make[] =
		"CREATE TEMP TABLE IF NOT EXISTS folder_path"
		" (id INTEGER PRIMARY KEY, path TEXT NOT NULL COLLATE NOCASE UNIQUE)";
	static const char forget[] = "DELETE FROM temp.folder_path";
	/* What is in a cycle is not reached from the top. */
	static const char fill[] =
		"WITH RECURSIVE walk (id, path) AS ("
		" SELECT id, '/' || name FROM folder WHERE parent IS NULL UNION ALL"
		" SELECT folder.id, path || '/' || name FROM folder JOIN walk ON parent = walk.id)"
		" INSERT INTO temp.folder_path (id, path) SELECT id, path FROM walk";
	int rc = store_run(store, make, "");

	if (rc == 0)
		rc = store_run(store, forget, "");
	return rc ? rc : store_run(store, fill, "");
}

/* --- writing --------------------------------------------------------------- */

static void put_indent(FILE *out, int depth)
{
	fprintf(out, "\n%*s", depth * INDENT, "");
}

/* Every scalar is on a line of its own, so that a change of one is a change of a line. */
static void put_json(FILE *out, json_t *value, int depth)
{
	const char *key, *before = "";
	json_t *inner;
	size_t i;

	if (json_is_object(value) && json_object_size(value)) {
		fputc('{', out);
		json_object_foreach(value, key, inner) {
			fputs(before, out);
			put_indent(out, depth + 1);
			fprintf(out, "\"%s\": ", key); /* the keys are plain */
			put_json(out, inner, depth + 1);
			before = ",";
		}
		put_indent(out, depth);
		fputc('}', out);
	} else if (json_is_array(value) && json_array_size(value)) {
		fputc('[', out);
		json_array_foreach(value, i, inner) {
			fputs(before, out);
			put_indent(out, depth + 1);
			put_json(out, inner, depth + 1);
			before = ",";
		}
		put_indent(out, depth);
		fputc(']', out);
	} else {
		json_dumpf(value, out, JSON_ENCODE_ANY);
	}
}

/* One row at a time: there may be a million. */
static int put_rows(struct store *store, const struct data_table *table, FILE *out,
                    struct data_counts *counts, uint64_t *count, char message[DATA_MESSAGE])
{
	sqlite3_stmt *rows;
	json_t *row;
	int rc = store_start(store, &rows, table->select, "");

	fprintf(out, ",\n  \"%s\": [", table->key);
	while (rc == 0 && (rc = store_step(store, rows)) == 1) {
		row = data_row(store, table, rows, message);
		if (!row) {
			store_end(rows);
			return message[0] ? ERR_MALFORMED : ERR_IO;
		}
		fputs((*count)++ ? "," : "", out);
		put_indent(out, 2);
		put_json(out, row, 2);
		if (json_object_get(row, "job") && json_is_null(json_object_get(row, "ended")))
			counts->open++;
		json_decref(row);
		rc = 0;
	}
	fputs(*count ? "\n  ]" : "]", out);
	return rc;
}

static int put_last_job(struct store *store, FILE *out)
{
	static const char sql[] =
		"SELECT ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'job'), 0)";
	int64_t last;
	int rc = store_one(store, store_take_number, &last, sql, "");

	if (rc == 0)
		fprintf(out, ",\n  \"last_job\": %lld", (long long)last);
	return rc;
}

static int put_all(struct store *store, FILE *out, struct data_counts *counts,
                   char message[DATA_MESSAGE])
{
	int rc = data_read_paths(store);

	fprintf(out, "{\n  \"format\": \"" DATA_FORMAT "\",\n  \"version\": %d", DATA_VERSION);
	for (size_t i = 0; rc == 0 && data_tables[i]; i++) {
		json_t *map;

		if (data_tables[i]->shape == DATA_ROWS) {
			rc = put_rows(store, data_tables[i], out, counts, &counts->rows[i],
			              message);
			continue;
		}
		map = read_list(store, data_tables[i], "", 0, message);
		if (!map)
			return message[0] ? ERR_MALFORMED : ERR_IO;
		fprintf(out, ",\n  \"%s\": ", data_tables[i]->key);
		put_json(out, map, 1);
		counts->rows[i] = json_object_size(map);
		json_decref(map);
	}
	if (rc == 0)
		rc = put_last_job(store, out);
	fputs("\n}\n", out);
	return rc;
}

int data_export(struct store *store, FILE *out, struct data_counts *counts,
                char message[DATA_MESSAGE])
{
	/* One transaction: all of it is as it was at one moment. */
	int rc = store_run(store, "BEGIN", "");

	memset(counts, 0, sizeof(*counts));
	message[0] = '\0';
	if (rc == 0)
		rc = put_all(store, out, counts, message);
	store_rollback(store);
	return rc;
}
