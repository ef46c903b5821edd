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

struct putting {
	struct store *store;
	struct data_import *import;
	size_t at;       /* of the row at hand, in the text */
	unsigned int errors, warnings;
	bool tells_uuids; /* the text says which UUIDs are shared, ignored, allowed */
};

/* These report an error and return ERR_MALFORMED. */

/** @at: its place in the text */
int put_fail_at(struct putting *w, size_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int put_fail(struct putting *w, const struct place *place, const char *message);

/** Reports what may be wrong; after DATA_ERRORS_MAX of them nothing more. */
void put_warn_at(struct putting *w, size_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Reports how many errors there were that have not been reported. */
void put_tell_rest(const struct putting *w);

/** Parses the value at @at. NULL: it is not JSON, which has been reported. */
json_t *put_parse(struct putting *w, size_t at);

/**
 * Puts a row of @table with its lists, or a table that is an object, in the
 * database. Returns 0, ERR_MALFORMED after reporting all that is wrong with
 * it, or the ERR_ values of store.h.
 */
int put_row(struct putting *w, const struct data_table *table, json_t *row,
            const struct place *place);
int put_map(struct putting *w, const struct data_table *table, json_t *map, int64_t around,
            const struct place *place);

#endif
