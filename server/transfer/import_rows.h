/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_TRANSFER_IMPORT_ROWS_H
#define SERVER_TRANSFER_IMPORT_ROWS_H

#include "server/transfer/data.h"

/* An import under way: what its parts share. */

/* Where a value is: the steps from the top. */
struct place {
	const struct place *up; /* NULL: it is what @key at the top has */
	const char *key;        /* NULL: number @index of a list */
	size_t index;           /* with @key at the top: its row; PLACE_WHOLE: all of it */
};
#define PLACE_WHOLE SIZE_MAX

struct import_run {
	struct store *store;
	struct data_import *import;
	size_t at;       /* of the row at hand, in the text */
	bool has_uuids; /* the file has a list of UUIDs that are shared, ignored, allowed */
};

/* These keep an error, in import->errors, and return ERR_MALFORMED. */

/** @at: its place in the text */
int import_fail_at(struct import_run *run, size_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int import_fail(struct import_run *run, const struct place *place, const char *message);

/** Keeps a warning. */
void import_warn_at(struct import_run *run, size_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Parses the value at @at. NULL: it is not JSON, which has been kept. */
json_t *import_parse(struct import_run *run, size_t at);

/**
 * Puts a row of @table with its lists, or a table that is an object, in the
 * database. Returns 0, ERR_MALFORMED after keeping all that is wrong with
 * it, or the ERR_ values of store.h.
 */
int import_row(struct import_run *run, const struct data_table *table, json_t *row,
            const struct place *place);
int import_map(struct import_run *run, const struct data_table *table, json_t *map, int64_t around,
            const struct place *place);

#endif
