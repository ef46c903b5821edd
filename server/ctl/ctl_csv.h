/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_CTL_CTL_CSV_H
#define SERVER_CTL_CTL_CSV_H

#include "server/ctl/ctl.h"
#include "server/transfer/csv.h"
#include "server/transfer/data.h"

/* Devices from a file of comma-separated values: what its parts share. */

enum column {
	COLUMN_NAME, COLUMN_MAC, COLUMN_UUID, COLUMN_ISD, COLUMN_FOLDER, COLUMN_GROUP, COLUMN_COUNT,
};

/* By the names in the first line; what is checked is each value in such a field. */
extern const struct data_field csv_columns[COLUMN_COUNT];

struct adding {
	struct ctl *ctl;
	struct csv csv;
	const char *file;
	size_t places[COLUMN_COUNT]; /* which field is which column, from 1; 0: none */
	size_t width;                /* fields in the first line */
	size_t errors, rows, folders;
	/* The line each device came from, by its id from the first one on. */
	uint64_t first_id;
	size_t *lines;
	size_t line_count;
	/* the row at hand: */
	struct device device;
	uint8_t macs[DEVICE_MACS_MAX][6];
	size_t mac_count;
};

/** Tells of an error, and counts it. */
void csv_tell(struct adding *a, size_t line, size_t column, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/** The same, of @what in a field. */
void csv_tell_field(struct adding *a, const struct csv_field *field, const char *what,
                    const char *message);

/**
 * Adds the device of the row at hand, in the transaction that is open. What is
 * wrong with it is told, and what is right added even so, so that later rows are
 * checked against it: with errors nothing is committed.
 * Returns 0 or the ERR_ values of store.h.
 */
int csv_take_row(struct adding *a);

#endif
