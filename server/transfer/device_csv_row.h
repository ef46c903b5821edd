/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_TRANSFER_DEVICE_CSV_ROW_H
#define SERVER_TRANSFER_DEVICE_CSV_ROW_H

#include "server/store/devices.h"
#include "server/transfer/csv.h"
#include "server/transfer/data.h"
#include "server/transfer/device_csv.h"

/* What device_csv.c, which has the file, device_csv_row.c, which has a row, and
 * device_csv_places.c, which has its folder and groups, share. */

#define CSV_CLEARED "-"        /* what a field has that clears what the device has */
#define CSV_BLANKS  " \t\r\n,;" /* what is between the values of one field */

enum column {
	COLUMN_NAME, COLUMN_MAC, COLUMN_UUID, COLUMN_ISD, COLUMN_FOLDER, COLUMN_GROUP, COLUMN_COUNT,
};

/* A device with its addresses. */
struct csv_device {
	struct device device;
	uint8_t macs[DEVICE_MACS_MAX][6];
	size_t mac_count;
};

/* An import under way. */
struct csv_import {
	struct device_csv *csv;
	struct store *store;
	struct csv text;
	size_t places[COLUMN_COUNT]; /* which field is which column, from 1; 0: none */
	size_t width;                /* fields in the first line */
	json_t *lines;               /* by a device's id as text: the line that it is in */
	/* What was wrong. */
	struct csv_error {
		size_t number, line, column, count; /* the place where it was first */
		char *text;
	} *errors;
	size_t error_count;
	json_t *missing;             /* by what is missing, a path or a name: its place in @errors */
	/* The row at hand: */
	bool known;                  /* its device was there before */
	struct csv_device before, after;
	json_t *fields;              /* what of it changes */
};

/** Keeps an error, to be reported when all rows have been read. */
void csv_add_error(struct csv_import *import, size_t line, size_t column, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/** The same, of @what in @field. */
void csv_add_field_error(struct csv_import *import, const struct csv_field *field,
                         const char *what, const char *message);

/** The same, where @what, a folder's path or a group's name, is missing: many lines may name it. */
void csv_add_missing_error(struct csv_import *import, const struct csv_field *field,
                           const char *what, const char *message);

/** Adds an object to csv->changes, if that is wanted. @fields: becomes its; may be NULL */
void csv_add_change(struct csv_import *import, const char *change, const char *kind,
                    const char *name, json_t *fields);

/**
 * Adds or changes the device of the row at hand, in the transaction that is open. What is wrong is
 * kept as an error, and what is right is stored even so, so that later rows are checked against it:
 * with errors nothing is committed.
 * Returns 0 or the ERR_ values of store.h.
 */
int csv_put_row(struct csv_import *import);

/** Returns the field of a column; NULL if it is empty or there is no such column. */
struct csv_field *csv_field_of(struct csv_import *import, enum column column);

/** Says whether @field clears what the device has. */
bool csv_is_cleared(const struct csv_field *field);

/**
 * Checks @text, of @field, as exported data's value of that column is checked.
 * Returns 0 with @value, or ERR_MALFORMED after having kept an error.
 */
int csv_check_value(struct csv_import *import, enum column column,
                    const struct csv_field *field, const char *text, struct data_value *value);

/** Adds what a field of the row's device was and becomes to the changes, if they are wanted. */
void csv_add_field_change(struct csv_import *import, const char *key, const char *was,
                          const char *becomes);

/** Puts the device into the folder of its field, if it has one. Returns as csv_put_row(). */
int csv_put_folder(struct csv_import *import);

/** Makes the device a member of the groups of its field, and of no others. Likewise. */
int csv_put_groups(struct csv_import *import);

#endif
