/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_STORE_H
#define SERVER_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/store/store_rows.h"

/*
 * The store: one SQLite file, shared by prebootd and prebootctl. What is in it
 * is the business of devices.h, jobs.h and so on. Nothing outside of this folder knows SQL.
 * Functions return 0 or the ERR_ values of store_rows.h.
 */

#define STORE_DEFAULT "/var/lib/openpreboot/openpreboot.db"

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
 * Writes of it as much as is possible without waiting. Returns 0, ERR_AGAIN where another program
 * is at that, or ERR_IO: the log cannot be read.
 */
int store_write_log(struct store *store);
/** Has store_close() leave the log as it is. */
void store_keep_log(struct store *store);
/** Says whether the file that is open has another name now, or none. */
bool store_is_moved(const struct store *store);

#endif
