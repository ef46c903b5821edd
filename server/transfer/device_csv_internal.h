/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_TRANSFER_DEVICE_CSV_INTERNAL_H
#define SERVER_TRANSFER_DEVICE_CSV_INTERNAL_H

#include "server/store/devices.h"
#include "server/transfer/csv.h"
#include "server/transfer/data.h"
#include "server/transfer/device_csv.h"

/*
 * What the parts of an import share. All rows are read first, device_csv_read.c; then it is checked
 * what all devices will be known by, device_csv_identity.c; and if nothing is wrong they are
 * stored, device_csv_store.c. So devices can swap what they have, in whatever order their rows are.
 */

enum column {
	COLUMN_NAME, COLUMN_MAC, COLUMN_UUID, COLUMN_ISD, COLUMN_FOLDER, COLUMN_GROUP, COLUMN_COUNT,
};
extern const char *const csv_column_names[COLUMN_COUNT];

/* A device with its addresses. */
struct csv_device {
	struct device device;
	uint8_t macs[DEVICE_MACS_MAX][6];
	size_t mac_count;
};

/* One device, as a line of the file has it. */
struct csv_row {
	size_t line, column;         /* of its first field */
	struct csv_field fields[COLUMN_COUNT]; /* with text NULL where the field is empty */
	bool known;                  /* its device was there before */
	bool wrong;                  /* an error of it has been kept */
	bool macs_change, identity_changes; /* the MACs; anything that the device is known by */
	struct csv_device before, after;
	bool moves;                  /* to @folder, 0: to the top */
	uint64_t folder;
	json_t *groups;              /* by name their ids; NULL: they stay */
	json_t *changes;             /* what of it changes, as in csv->changes */
};

/* An import under way. */
struct csv_import {
	struct device_csv *csv;
	struct store *store;
	struct csv text;
	size_t places[COLUMN_COUNT]; /* which field is which column, from 1; 0: none */
	size_t width;                /* fields in the first line */
	struct csv_row *rows;
	size_t row_count;
	/* Places in @rows of a device, by "name NAME" in small letters, "id NUMBER", "mac MAC",
	 * "uuid UUID" or "isd UUID". */
	json_t *found;
};

/* --- device_csv_report.c: what is wrong, and what changes -------------------- */

/** Keeps an error. Those with the same @format are of one kind. */
void csv_add_error(struct csv_import *import, size_t line, size_t column, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/** Keeps the error that csv_next() found. */
void csv_add_syntax_error(struct csv_import *import);
/** Keeps an error of @what in @field. Those with the same @message are of one kind. */
void csv_add_field_error(struct csv_import *import, const struct csv_field *field,
                         const char *what, const char *message);
/** Keeps the first error that says that @what, a folder's path or a group's name, is missing. */
void csv_add_missing_error(struct csv_import *import, const struct csv_field *field,
                           const char *what, const char *message);
/** Keeps a warning of @field. */
void csv_add_warning(struct csv_import *import, const struct csv_field *field,
                     const char *format, ...) __attribute__((format(printf, 3, 4)));
/** Adds an object to csv->changes, if they are wanted. Takes over @fields, which may be NULL. */
void csv_add_change(struct csv_import *import, const char *change, const char *kind,
                    const char *name, json_t *fields);

/** Returns the row that has been kept under such a key in import->found; NULL: none. */
struct csv_row *csv_find_row(const struct csv_import *import, const char *kind, const char *text);
/** Keeps @row so. */
void csv_keep_row(struct csv_import *import, const struct csv_row *row, const char *kind,
                  const char *text);

/** Says whether a device has a MAC. */
bool csv_has_mac(const struct csv_device *device, const uint8_t mac[6]);

/* --- the three steps; each returns 0 or the ERR_ values of store.h ------------ */

/** Reads all rows, finds their devices, and finds or makes their folders and groups. */
int csv_read_rows(struct csv_import *import);
/** Checks that no two devices will be known by the same, whether they are in the file or not. */
int csv_check_identities(struct csv_import *import);
/** Stores all rows; there must be no error. Counts and describes what changes. */
int csv_store_rows(struct csv_import *import);

#endif
