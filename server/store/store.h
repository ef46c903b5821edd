/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_STORE_H
#define SERVER_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;

/*
 * The store: one SQLite file, shared by prebootd and prebootctl. What is in it
 * is the business of devices.h, jobs.h and so on. Nothing outside of this folder knows SQL.
 *
 * Functions return 0 or
 *   ERR_AGAIN      another program holds the database; try again
 *   ERR_REFUSED    a constraint of the schema forbids it
 *   ERR_NOT_FOUND  no such row
 *   ERR_IO         all else: store->message says what
 */

#define STORE_DEFAULT "/var/lib/openpreboot/openpreboot.db"
#define STORE_APPLICATION_ID 0x4f504254 /* "OPBT", at offset 68 of the file */
#define STORE_VERSION 5                 /* user_version, at offset 60 */
#define STORE_STATEMENTS 128
/* Only an import of made-up numbers can have come so far. */
#define STORE_NUMBERS_SPENT "the numbers it gives are used up; \"prebootctl export\", lower " \
	"\"last_job\" and each \"job\" in that file, then \"prebootctl --database NEW import\""

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

struct store_options {
	bool create;          /* a missing or empty file becomes a new database */
	bool again;           /* this process has the file open already: see store_open() */
	bool trusting;        /* a large file is not gone through: prebootd does that */
	bool relaxed;         /* commits survive a kill, but the last ones not a power cut */
	int busy_timeout_ms;  /* how long to wait for another program's transaction */
	int cache_kib;        /* pages to keep in memory; 0: 2,000 KiB, SQLite's own */
};

/**
 * Opens the database at @path, which must outlive @store. A process that opens
 * it a second time must say so, as then the file must not be looked into: POSIX
 * drops all of a process's locks on a file, SQLite's too, when the process
 * closes any descriptor of it (sqlite.org/howtocorrupt.html 2.2). A file that is not a
 * sound database of ours, or one of a newer version, is refused without a byte
 * written to it. One of an older version is brought up to this one, in one
 * transaction.
 * Returns 0, ERR_NOT_FOUND (no such file, and not to be created), ERR_MALFORMED
 * (not ours, or damaged), ERR_VERSION (newer), ERR_AGAIN or ERR_IO; store->message
 * explains. On failure nothing needs closing.
 */
int store_open(struct store *store, const char *path, const struct store_options *options);

/** Closes @store; harmless on one that is not open. */
void store_close(struct store *store);

/**
 * Says whether the transactions that are begun from now on are @relaxed: their commits do not wait
 * for the disk. They survive a kill; a power cut takes back the last ones, but never one that is
 * older than one which did wait, as they are all in one log. Not within a transaction.
 */
int store_relax(struct store *store, bool relaxed);

/** Starts a transaction that may write; nobody else can until its end. */
int store_begin(struct store *store);
/** Ends it. When 0 is returned, all of it is on the disk, unless @store is relaxed; else none. */
int store_commit(struct store *store);
/** Gives it up; harmless where there is none. */
void store_rollback(struct store *store);

/** Starts a transaction that only reads: all that is read until its end is of one state. */
int store_begin_reading(struct store *store);
/** Says whether a transaction has been started and not ended. */
bool store_in_transaction(const struct store *store);
/** Says whether one is open that has written, or may. */
bool store_is_writing(const struct store *store);

/** Sets how long to wait for another program's transaction, in milliseconds. */
void store_wait(struct store *store, int milliseconds);

/** Reads a number that changes whenever another program has written. */
int store_data_version(struct store *store, int64_t *version);

#define STORE_SECRET_SIZE 32

/** Reads what prebootd signs with. ERR_NOT_FOUND: there is nothing yet. */
int store_read_secret(struct store *store, uint8_t secret[STORE_SECRET_SIZE]);
/** Stores it, once. */
int store_write_secret(struct store *store, const uint8_t secret[STORE_SECRET_SIZE]);

/* --- the file and its log ---------------------------------------------------- */

/** Writes what is in the log into the database, and empties the log where nobody reads it. */
void store_empty_log(struct store *store);
/**
 * Writes of it as much as is possible without waiting. Returns 0, ERR_AGAIN where another program is at
 * that, or ERR_IO: the log cannot be read.
 */
int store_write_log(struct store *store);
/** Has store_close() leave the log as it is. */
void store_keep_log(struct store *store);
/** Says whether the file that is open has another name now, or none. */
bool store_is_moved(const struct store *store);

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
