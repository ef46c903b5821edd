/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "server/store/folders.h"
#include "server/store/jobs.h"
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

static json_t *read_list(struct store *store, const struct data_table *table, int64_t around,
                         char message[DATA_MESSAGE])
{
	json_t *list = table->shape == DATA_MAP ? json_object() : json_array(), *row;
	struct store_rows *rows;
	int rc = table_list(store, table->table, around, &rows);

	while (store_next(rows, &rc)) {
		row = data_row(store, table, rows, message);
		rc = row ? append(table, list, row) : ERR_MALFORMED;
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

json_t *data_row(struct store *store, const struct data_table *table, struct store_rows *rows,
                 char message[DATA_MESSAGE])
{
	const struct data_field *field = table->fields;
	int64_t id = store_number(rows, 0);
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
		value = read_list(store, table->lists[i], id, message);
		if (!value)
			goto failed;
		json_object_set_new(row, table->lists[i]->key, value);
	}
	return row;
failed:
	json_decref(row);
	return NULL;
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
	struct store_rows *rows;
	json_t *row;
	int rc = table_list(store, table->table, 0, &rows);

	fprintf(out, ",\n  \"%s\": [", table->key);
	while (store_next(rows, &rc)) {
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
	}
	fputs(*count ? "\n  ]" : "]", out);
	return rc;
}

static int put_last_job(struct store *store, FILE *out)
{
	uint64_t last;
	int rc = job_last_number(store, &last);

	if (rc == 0)
		fprintf(out, ",\n  \"last_job\": %" PRIu64, last);
	return rc;
}

static int put_all(struct store *store, FILE *out, struct data_counts *counts,
                   char message[DATA_MESSAGE])
{
	int rc = folder_write_paths(store);

	fprintf(out, "{\n  \"format\": \"" DATA_FORMAT "\",\n  \"version\": %d", DATA_VERSION);
	for (size_t i = 0; rc == 0 && data_tables[i]; i++) {
		json_t *map;

		if (data_tables[i]->shape == DATA_ROWS) {
			rc = put_rows(store, data_tables[i], out, counts, &counts->rows[i],
			              message);
			continue;
		}
		map = read_list(store, data_tables[i], 0, message);
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
	int rc = store_begin_reading(store);

	memset(counts, 0, sizeof(*counts));
	message[0] = '\0';
	if (rc == 0)
		rc = put_all(store, out, counts, message);
	store_rollback(store);
	return rc;
}
