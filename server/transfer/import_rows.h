/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_TRANSFER_IMPORT_ROWS_H
#define SERVER_TRANSFER_IMPORT_ROWS_H

#include "server/transfer/data.h"

/* An import at work: what its parts share. */

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
	size_t at;       /* of the row at work, in the text */
	unsigned int errors, warnings;
	bool tells_uuids; /* the text says which UUIDs are shared, ignored, allowed */
};

/* These tell of an error and return ERR_MALFORMED. */

/** @at: its place in the text */
int put_fail_at(struct putting *w, size_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int put_fail(struct putting *w, const struct place *place, const char *message);

/** Tells of what is odd but not wrong; where it was told of much already, of no more. */
void put_warn_at(struct putting *w, size_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Tells how many errors more there were than have been told. */
void put_tell_rest(const struct putting *w);

/** Parses the value at @at. NULL: it is not JSON, which has been told. */
json_t *put_parse(struct putting *w, size_t at);

/**
 * Puts a row of @table with its lists, or a table that is an object, in the
 * database. Returns 0, ERR_MALFORMED after having told of all that is wrong with
 * it, or the ERR_ values of store.h.
 */
int put_row(struct putting *w, const struct data_table *table, json_t *row,
            const struct place *place);
int put_map(struct putting *w, const struct data_table *table, json_t *map, int64_t around,
            const struct place *place);

#endif
