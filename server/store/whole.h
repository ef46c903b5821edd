/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_WHOLE_H
#define SERVER_STORE_WHOLE_H

#include "server/store/store.h"

/*
 * The database as a whole: every row of what an administrator made, for exporting, importing and
 * checking it. What the columns mean is said by those who do.
 *
 * Functions return 0 or the ERR_ values of store.h.
 */

enum store_table {
	TABLE_GLOBAL_SETTING, TABLE_FOLDER_SETTING, TABLE_DEVICE_SETTING, TABLE_FOLDER, TABLE_GROUP,
	TABLE_MAC, TABLE_MEMBER, TABLE_CARD, TABLE_DEVICE, TABLE_UUID, TABLE_WITNESS, TABLE_BUNDLE,
	TABLE_ASSIGNMENT, TABLE_RULE, TABLE_SESSION_MEMBER, TABLE_SESSION, TABLE_OFFER, TABLE_JOB,
};

/**
 * Starts a list of the rows of a table: the row's id, 0 if it has none, then each field. What it
 * refers to is given by name; folders need folder_write_paths() before.
 * @around: the id of what the rows belong to; of no effect if they stand for themselves
 */
int table_list(struct store *store, enum store_table table, int64_t around,
               struct store_rows **rows);

/**
 * Starts to insert a row: bind each field, from parameter 2, then take one store_step(). A path is
 * two parameters: the parent's id and the name; so are an owner and a source: word and id. What is
 * referred to is given by its id.
 * @around: as above
 */
int table_insert(struct store *store, enum store_table table, int64_t around,
                 struct store_rows **rows);

/* Bind a parameter of a statement that has been started, by its number; a copy is taken. */
int store_bind_number(struct store_rows *rows, int parameter, int64_t value);
int store_bind_text(struct store_rows *rows, int parameter, const char *text);
int store_bind_bytes(struct store_rows *rows, int parameter, const void *bytes, size_t length);
int store_bind_null(struct store_rows *rows, int parameter);

/** Finds the id of what has a name: a folder by its path, group, device, bundle, rule, session. */
int table_find(struct store *store, enum store_table table, const char *name, int64_t *id);

/** Begins the transaction of an import, in which rows may refer to what is not there yet. */
int whole_begin(struct store *store);
/** Says ERR_REFUSED if there are data that an import would mix with. */
int whole_is_empty(struct store *store);
/**
 * Removes all rows of these tables. Devices that are inserted again by the same name get the ids
 * that they had, so that events and last requests stay theirs.
 */
int whole_clear(struct store *store);
/** Removes what is known of UUIDs, or only what they came with. */
int whole_clear_uuids(struct store *store, bool only_sightings);
/** Removes what belongs to devices that were not inserted again. */
int whole_finish(struct store *store);
/** Ends what whole_begin() began; what was not committed is given up. */
void whole_end(struct store *store);

#endif
