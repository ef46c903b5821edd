/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_STORE_ROWS_H
#define SERVER_STORE_STORE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;

/*
 * Statements of SQL and the rows that they give: what all files of this folder stand on.
 *
 * Functions return 0 or
 *   ERR_AGAIN      another program holds the database; try again
 *   ERR_REFUSED    a constraint of the schema forbids it
 *   ERR_NOT_FOUND  no such row
 *   ERR_IO         all else: store->message says what
 */

#define STORE_STATEMENTS 128

/* Only an import of made-up numbers can have come so far. */
#define STORE_NUMBERS_SPENT "the numbers it gives are used up; \"prebootctl export\", lower " \
	"\"last_job\" and each \"job\" in that file, then \"prebootctl --database NEW import\""

#define STORE_DAMAGED_REMEDY \
	"stop prebootd, then put back a good copy, or save what can be read with " \
	"\"sqlite3 FILE .recover | sqlite3 NEWFILE\""

/* A statement that stays prepared, and the rows that it gives. */
struct store_rows {
	struct store *store;
	const char *sql;
	struct sqlite3_stmt *statement;
};

struct store {
	struct sqlite3 *db;
	char message[512]; /* for people: the last failure, naming file and remedy */
	const char *path;  /* the caller's */
	bool relaxed;      /* its commits do not wait for the disk */
	bool created;      /* by opening it: there was none */
	/* Who makes its changes, if they are recorded: see audit.h. */
	struct {
		bool wanted, ready; /* ready: the triggers are there */
		char user[64], verb[64];
		uint32_t uid;
		int64_t from;       /* the last record before the transaction that is open */
	} audit;
	struct store_rows prepared[STORE_STATEMENTS];
};

/* --- rows ------------------------------------------------------------------ */

/**
 * Goes to the next row, unless *@rc is an error. At the end and on an error there is none: then the
 * list has ended, and *@rc says why, 0 or an ERR_ value. For loops:
 *
 *	int rc = device_list(store, &rows);
 *
 *	while (store_next(rows, &rc)) {
 *		device_row(rows, &device);
 *		rc = what_may_fail(&device);
 *	}
 */
bool store_next(struct store_rows *rows, int *rc);

/** The same for those who need no loop: returns 1 where there is a row, 0 at the end, or ERR_. */
int store_step(struct store_rows *rows);

/** Ends a list before its last row; harmless where there is none, NULL. */
void store_end(struct store_rows *rows);

/* --- SQL, for this folder ---------------------------------------------------- */

/** Keeps in store->message what SQLite says of its result @code, and returns the ERR_ value. */
int store_failed(struct store *store, int code);

/** Runs statements without parameters, which are not kept. */
int store_execute(struct store *store, const char *sql);

/**
 * Starts @sql with its parameters bound; the statement stays prepared.
 * @rows: receives them; NULL on failure
 * @sql: must stay where it is for as long as @store is open
 * @types: a letter for each parameter: 'i' int64_t, 't' text, 'b' const void *
 *         and size_t, 'u' const uint8_t[16] of which all zeros mean NULL. The
 *         memory must stay until the statement has ended.
 */
int store_start(struct store *store, struct store_rows **rows, const char *sql,
                const char *types, ...);

/** Runs @sql, which has no rows to give, to its end. Parameters as above. */
int store_run(struct store *store, const char *sql, const char *types, ...);

/**
 * Runs @sql, and lets @take copy its first row to @out; further ones do not count.
 * Parameters as above. Returns ERR_NOT_FOUND where there is no row.
 */
int store_one(struct store *store, void (*take)(struct store_rows *row, void *out), void *out,
              const char *sql, const char *types, ...);

/** A @take for one number, an int64_t or uint64_t. */
void store_take_number(struct store_rows *row, void *number);

/** Returns how many rows the last statement inserted, changed or deleted. */
int store_changes(const struct store *store);
/** Returns the id of the row that was inserted last. */
uint64_t store_last_id(const struct store *store);

/* What a column of the row has; the first is 0. */
int64_t store_number(struct store_rows *row, int column);
bool store_is_null(struct store_rows *row, int column);
/** Returns a text, NULL if it is none; valid until the next row. */
const char *store_string(struct store_rows *row, int column);
/** Returns bytes, NULL if there are none; valid until the next row. */
const void *store_blob(struct store_rows *row, int column, size_t *length);
/** Copies a text to @out of @size bytes, cut to fit. */
void store_text(struct store_rows *row, int column, char *out, size_t size);
/** Copies exactly @size bytes to @out; zeros if there are more or fewer. */
void store_bytes(struct store_rows *row, int column, void *out, size_t size);

#endif
