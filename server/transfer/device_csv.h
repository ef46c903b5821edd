/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_TRANSFER_DEVICE_CSV_H
#define SERVER_TRANSFER_DEVICE_CSV_H

#include <jansson.h>
#include <stdio.h>

#include "server/model/device.h"
#include "server/store/store.h"
#include "server/transfer/import_errors.h"

/*
 * Devices as comma-separated values: a first line that names the columns, then one device a line.
 * A line whose name is a device's changes that device; so does one without a name, whose MAC, UUID
 * or device id is a device's. In it, an empty field leaves what the device has, and "-" clears it.
 */

/* What an import is given, and what it counts. */
struct device_csv {
	struct store *store;
	bool create_folders; /* folders that are missing are made */
	bool create_groups;  /* likewise groups */
	bool dry_run;        /* everything is checked and counted, and nothing is kept */
	/*
	 * NULL, or a list that receives an object for each change: "change" is "add" or "change";
	 * "device", "folder" or "group" has the name of what is added or changed; "fields" has, for
	 * each field of a device that changes, a pair of texts: what it was and what it becomes.
	 */
	json_t *changes;
	size_t added, changed, unchanged; /* devices */
	size_t folders, groups;           /* made */
	struct import_errors errors;      /* to be freed by the caller */
	const char *message;              /* NULL, or what is wrong with the text as a whole */
};

/**
 * Adds and changes devices as @text says, @length bytes and a NUL, which are overwritten. All of it
 * is done, in one transaction, or with errors nothing. What counts is what all devices have in the
 * end: two devices of the file may swap their MACs.
 * Returns 0, ERR_MALFORMED with csv->message or with csv->errors, or the ERR_ values of store.h.
 */
int device_csv_import(struct device_csv *csv, char *text, size_t length);

/** Writes the names of the columns to @out. */
void device_csv_head(FILE *out);
/** Writes a device as a line. Returns 0 or the ERR_ values of store.h. */
int device_csv_row(struct store *store, const struct device *device, FILE *out);

#endif
