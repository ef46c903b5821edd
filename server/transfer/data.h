/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_TRANSFER_DATA_H
#define SERVER_TRANSFER_DATA_H

#include <jansson.h>

#include "server/model/job.h"
#include "server/store/settings.h"
#include "server/store/whole.h"
#include "server/transfer/import_errors.h"

/*
 * The administrator's data as JSON. Tables of fields say how rows become
 * objects and objects rows, so that export, import and check agree. What is
 * referred to is referred to by name or path; numbers stay in the database, but
 * for jobs', which machines know.
 */

#define DATA_FORMAT  "openpreboot"
#define DATA_VERSION 4 /* 2: there are sightings, called "witnesses" then; 3: "jobs", "job" and
                          "last_job" are what was called "work", "lease", "last_lease"; 4:
                          "sightings", "bound_uuid" and "bound_mac" are what was called
                          "witnesses", "claim_uuid", "claim_mac". Old keys are still read. */
#define DATA_FIELDS  24 /* with room for the end after the last */
#define DATA_LISTS   4
#define DATA_MESSAGE 256

enum data_kind {
	DATA_NAME,    /* of a device */
	DATA_LABEL,   /* of a group, bundle, rule, session */
	DATA_PATH,    /* of a folder itself: its parent and its name */
	DATA_FILE,
	DATA_LOADER,  /* a file, "*", or "" */
	DATA_TEXT,
	DATA_WORD,
	DATA_FILTER,
	DATA_NUMBER,
	DATA_BOOL,
	DATA_TIME,    /* ISO 8601, UTC; null: 0 */
	DATA_GUID,
	DATA_UUID,    /* any, also one that identifies nobody */
	DATA_MAC,
	DATA_SEEN_MAC, /* a MAC as a machine reported it, also one that no card has */
	DATA_NONCE,
	DATA_DETAILS, /* an object of texts */
	DATA_KEY,     /* of a setting */
	DATA_VALUE,   /* of the setting before it */
	/* references, as text */
	DATA_FOLDER, DATA_GROUP, DATA_BUNDLE, DATA_DEVICE,
	DATA_OWNER,   /* "/", "/PATH", "group:NAME" or a device's name: level and owner */
	DATA_SOURCE,  /* "hand", "rule NAME", "multicast NAME", "assignment BUNDLE to OWNER", or
	               * the first word alone where the thing is gone */
};

struct data_field {
	const char *key;
	enum data_kind kind;
	bool optional;            /* may be absent, null, or "" with texts */
	bool now;                 /* of DATA_TIME: where it is absent, it is now */
	int64_t min, max;         /* of DATA_NUMBER */
	const char *const *words; /* of DATA_WORD, NULL after the last */
	const char *old_key;      /* NULL, or what older files call it */
	bool newer;               /* older files do not have it: where it is absent, it is NULL */
};

enum data_shape {
	DATA_ROWS,   /* a list of objects */
	DATA_VALUES, /* a list of the one field's values */
	DATA_MAP,    /* an object of the two fields: DATA_KEY, DATA_VALUE */
};

struct data_table {
	const char *key;
	const char *old_key;     /* likewise */
	const char *one, *many;  /* what people call a row, and several */
	enum data_shape shape;
	enum level level; /* of settings */
	enum store_table table;
	struct data_field fields[DATA_FIELDS];
	const struct data_table *lists[DATA_LISTS];
	/** Checks what concerns several fields. Returns NULL or what is wrong. */
	const char *(*whole)(const json_t *row);
};

/* In the order in which they can be put into an empty database; NULL after the last. */
extern const struct data_table *const data_tables[];
#define DATA_NOT_HERE "this setting cannot be set here; it is global"

/* A checked value, as it is bound to a statement. */
struct data_value {
	enum { DATA_NULL, DATA_INTEGER, DATA_STRING, DATA_BYTES } type;
	int64_t number;
	const char *text; /* the JSON value's */
	uint8_t bytes[DETAILS_SIZE];
	size_t length;
};

/**
 * Checks @json, NULL if absent, as the verbs check their arguments, but for what
 * it refers to.
 * @setting: the text of the DATA_KEY before a DATA_VALUE
 * @message: receives what is expected, or what is wrong
 * Returns 0 or ERR_MALFORMED.
 */
int data_check(const struct data_field *field, const json_t *json, const char *setting,
               struct data_value *value, char message[DATA_MESSAGE]);

/** Returns column @column as JSON, or NULL where it is no such value. */
json_t *data_column(const struct data_field *field, struct store_rows *row, int column);

/**
 * Returns the row that @rows is at, with its lists, as JSON.
 * NULL after a failure of the store, or where something is no such value: then
 * @message is not empty.
 */
json_t *data_row(struct store *store, const struct data_table *table, struct store_rows *rows,
                 char message[DATA_MESSAGE]);

/* How many rows of each of data_tables[] there were. */
#define DATA_TABLES_MAX 16
struct data_counts {
	uint64_t rows[DATA_TABLES_MAX];
	uint64_t open; /* jobs that machines will be offered */
};

#define DATA_COUNTS_SIZE 512
/** Writes "1 folder, 3 devices, 2 jobs": all tables. */
void data_counts_text(const struct data_counts *counts, char out[DATA_COUNTS_SIZE]);

/**
 * Writes all data to @out. Returns 0, ERR_MALFORMED with @message (something in
 * the database cannot be written) or the ERR_ values of store.h.
 */
int data_export(struct store *store, FILE *out, struct data_counts *counts,
                char message[DATA_MESSAGE]);

#define DATA_ERRORS_MAX 20 /* kept; the import ends after a table with errors */

struct data_import {
	const char *text;
	size_t length;
	bool replace;       /* all that is there */
	bool dry_run;       /* everything is checked and counted, and nothing is kept */
	struct import_errors errors; /* to be freed by the caller; "PATH: what" */
	struct data_counts counts;
};

/**
 * Puts all of @import->text into the database, or nothing.
 * Returns 0, ERR_MALFORMED with import->errors, ERR_REFUSED (there are data
 * already, and they are not to be replaced) or the ERR_ values of store.h.
 */
int data_import(struct store *store, struct data_import *import);

#endif
