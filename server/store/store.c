/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/store.h"

#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "nbp/proto/error.h"
#include "server/store/audit.h"
#include "server/store/audit_triggers.h"
#include "server/store/store_file.h"
#include "server/store/store_schema.h"
#include "server/store/store_upgrade.h"
#include "server/store/store_where.h"

/*
 * The settings of one connection. WAL lets readers and one writer work side by
 * side. FULL makes a commit wait for the disk: a job that was offered to a machine
 * must survive a power cut, or it would be offered again.
 */
static int configure(struct store *store, const struct store_options *options)
{
	char cache[48];
	int rc;

	sqlite3_extended_result_codes(store->db, 1);
	sqlite3_busy_timeout(store->db, options->busy_timeout_ms);
	if ((rc = store_execute(store, "PRAGMA trusted_schema=OFF; PRAGMA foreign_keys=ON")) != 0 ||
	    (rc = store_execute(store, "PRAGMA journal_mode=WAL")) != 0)
		return rc;
	snprintf(cache, sizeof(cache), "PRAGMA cache_size=-%d", options->cache_kib);
	if (options->cache_kib && (rc = store_execute(store, cache)) != 0)
		return rc;
	store->relaxed = !options->relaxed; /* neither of them, so far */
	return store_relax(store, options->relaxed);
}

/* Brings an older database up to this program's version. */
static int upgrade(struct store *store)
{
	int64_t version;
	int code, rc = store_one(store, store_take_number, &version, "PRAGMA user_version", "");

	if (rc || version >= STORE_VERSION)
		return rc;
	code = store_upgrade(store->db);
	if (code == SQLITE_OK)
		return 0;
	rc = store_failed(store, code);
	store_rollback(store);
	return rc;
}

int store_open(struct store *store, const char *path, const struct store_options *options)
{
	int rc = 0, code;

	memset(store, 0, sizeof(*store));
	store->path = path;
	if (!options->again)
		rc = store_where_check(path, store->message, sizeof(store->message));
	if (rc == 0 && !options->again)
		rc = (options->trusting ? store_file_glance : store_file_check)(
			path, store->message, sizeof(store->message));
	if (rc == ERR_NOT_FOUND && options->create) {
		rc = store_file_create(path, store->message, sizeof(store->message));
		store->created = rc == 0;
	}
	if (rc)
		return rc;
	/* Only one thread uses it at a time, so SQLite need not lock it at each step. */
	code = sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
	                       NULL);
	if (code != SQLITE_OK) {
		rc = store_failed(store, code);
		goto close;
	}
	rc = configure(store, options);
	if (rc == 0 && !options->again)
		rc = upgrade(store);
	/* SQLite opens what it cannot write read-only, and would fail much later. */
	if (rc == 0 && options->create && sqlite3_db_readonly(store->db, "main"))
		rc = store_failed(store, SQLITE_READONLY);
	if (rc)
		goto close;
	return 0;
close:
	store_close(store);
	return rc;
}

void store_close(struct store *store)
{
	for (size_t i = 0; i < STORE_STATEMENTS; i++)
		sqlite3_finalize(store->prepared[i].statement);
	sqlite3_close(store->db);
	memset(store->prepared, 0, sizeof(store->prepared));
	store->db = NULL;
}

int store_relax(struct store *store, bool relaxed)
{
	int rc = 0;

	/* Not a prepared statement: it takes effect when it is compiled. */
	if (store->relaxed != relaxed)
		rc = store_execute(store, relaxed ? "PRAGMA synchronous=NORMAL"
		                            : "PRAGMA synchronous=FULL");
	if (rc == 0)
		store->relaxed = relaxed;
	return rc;
}

int store_begin(struct store *store)
{
	int rc = store->audit.wanted ? audit_add_triggers(store) : 0;

	if (rc == 0)
		rc = store_run(store, "BEGIN IMMEDIATE", "");
	if (rc == 0 && store->audit.wanted)
		rc = audit_begin(store);
	return rc;
}

int store_commit(struct store *store)
{
	int rc = store->audit.wanted ? audit_settle(store) : 0;

	if (rc == 0)
		rc = store_run(store, "COMMIT", "");
	if (rc)
		store_rollback(store);
	return rc;
}

void store_rollback(struct store *store)
{
	/* Some failures have rolled back already; then there is nothing to do. */
	if (!sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

int store_begin_reading(struct store *store)
{
	return store_run(store, "BEGIN", "");
}

bool store_in_transaction(const struct store *store)
{
	return !sqlite3_get_autocommit(store->db);
}

bool store_is_writing(const struct store *store)
{
	return store->db && sqlite3_txn_state(store->db, NULL) == SQLITE_TXN_WRITE;
}

void store_wait(struct store *store, int milliseconds)
{
	sqlite3_busy_timeout(store->db, milliseconds);
}

/* --- the file and its log --------------------------------------------------- */

void store_empty_log(struct store *store)
{
	sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

int store_write_log(struct store *store)
{
	int code = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
	                                     NULL);

	return code == SQLITE_OK ? 0
	     : code == SQLITE_BUSY || code == SQLITE_LOCKED ? ERR_AGAIN : ERR_IO;
}

void store_keep_log(struct store *store)
{
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

bool store_is_moved(const struct store *store)
{
	int moved = 0;

	/* SQLite compares the inode. */
	sqlite3_file_control(store->db, NULL, SQLITE_FCNTL_HAS_MOVED, &moved);
	return moved != 0;
}

/* --- what is of no table of an administrator ---------------------------------- */

int store_data_version(struct store *store, int64_t *version)
{
	return store_one(store, store_take_number, version, "PRAGMA data_version", "");
}

static void take_secret(struct store_rows *row, void *secret)
{
	store_bytes(row, 0, secret, STORE_SECRET_SIZE);
}

int store_read_secret(struct store *store, uint8_t secret[STORE_SECRET_SIZE])
{
	return store_one(store, take_secret, secret,
	                 "SELECT value FROM secret WHERE name = 'tokens'", "");
}

int store_write_secret(struct store *store, const uint8_t secret[STORE_SECRET_SIZE])
{
	return store_run(store, "INSERT INTO secret VALUES ('tokens', ?)", "b", secret,
	                 (size_t)STORE_SECRET_SIZE);
}
