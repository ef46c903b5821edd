/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_STORE_H
#define SERVER_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

/*
 * The store: one SQLite file, shared by prebootd and prebootctl. What is in it
 * is the business of devices.h, work.h and events.h.
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

struct store {
	sqlite3 *db;
	char message[512]; /* for people: the last failure, naming file and remedy */
	const char *path;  /* the caller's */
	bool relaxed;      /* its commits do not wait for the disk */
	bool created;      /* by opening it: there was none */
	struct {
		const char *sql;
		sqlite3_stmt *statement;
	} prepared[STORE_STATEMENTS];
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

/**
 * Starts @sql with its parameters bound; the statement stays prepared.
 * @sql: must stay where it is for as long as @store is open
 * @types: a letter for each parameter: 'i' int64_t, 't' text, 'b' const void *
 *         and size_t, 'u' const uint8_t[16] of which all zeros mean NULL. The
 *         memory must stay until the statement has ended.
 */
int store_start(struct store *store, sqlite3_stmt **statement, const char *sql,
                const char *types, ...);

/**
 * Goes to the next row. Returns 1 where there is one; 0 at the end or an ERR_
 * value, and then the statement has ended.
 */
int store_step(struct store *store, sqlite3_stmt *statement);

/** Ends a statement before its last row. */
void store_end(sqlite3_stmt *statement);

/** Runs @sql, which has no rows to give, to its end. Parameters as above. */
int store_run(struct store *store, const char *sql, const char *types, ...);

/**
 * Runs @sql, and lets @take copy its first row to @out; further ones do not count.
 * Parameters as above. Returns ERR_NOT_FOUND where there is no row.
 */
int store_one(struct store *store, void (*take)(sqlite3_stmt *row, void *out), void *out,
              const char *sql, const char *types, ...);

/** A @take for one number, an int64_t or uint64_t. */
void store_take_number(sqlite3_stmt *row, void *number);

/** Copies a text column to @out of @size bytes, cut to fit. */
void store_text(sqlite3_stmt *statement, int column, char *out, size_t size);

/** Copies a column of exactly @size bytes to @out; zeros if it is not such a one. */
void store_bytes(sqlite3_stmt *statement, int column, void *out, size_t size);

#endif
