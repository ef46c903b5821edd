/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/store.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "nbp/proto/error.h"
#include "server/store/audit.h"
#include "server/store/store_file.h"
#include "server/store/store_schema.h"
#include "server/store/store_where.h"

/* SQLite says "full" of a table, too, whose numbers have come to their end. */
static bool numbers_spent(struct store *store)
{
	sqlite3_stmt *row = NULL;
	bool spent = store->db &&
		sqlite3_prepare_v2(store->db, "SELECT 1 FROM sqlite_sequence WHERE seq >="
		                   " 9223372036854775806 LIMIT 1", -1, &row, NULL) == SQLITE_OK &&
		sqlite3_step(row) == SQLITE_ROW;

	sqlite3_finalize(row);
	return spent;
}

/* Keeps what SQLite says of @code, and turns it into one of our errors. */
static int failed(struct store *store, int code)
{
	const char *remedy = "";

	if ((code & 0xff) == SQLITE_FULL && numbers_spent(store)) {
		snprintf(store->message, sizeof(store->message), "%s: " STORE_NUMBERS_SPENT,
		         store->path);
		return ERR_IO;
	}

	switch (code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB: remedy = "; " STORE_DAMAGED_REMEDY; break;
	case SQLITE_FULL: remedy = "; make room on its disk"; break;
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		remedy = "; this user must be able to write the file and its folder";
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED: remedy = "; another program is writing to it, try again"; break;
	}
	snprintf(store->message, sizeof(store->message), "%s: %s%s", store->path,
	         store->db && sqlite3_errcode(store->db) ? sqlite3_errmsg(store->db)
	                                                 : sqlite3_errstr(code), remedy);
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return ERR_AGAIN;
	case SQLITE_CONSTRAINT: return ERR_REFUSED;
	default: return ERR_IO;
	}
}

static int execute(struct store *store, const char *sql)
{
	int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : failed(store, code);
}

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
	if ((rc = execute(store, "PRAGMA trusted_schema=OFF; PRAGMA foreign_keys=ON")) != 0 ||
	    (rc = execute(store, "PRAGMA journal_mode=WAL")) != 0)
		return rc;
	snprintf(cache, sizeof(cache), "PRAGMA cache_size=-%d", options->cache_kib);
	if (options->cache_kib && (rc = execute(store, cache)) != 0)
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
	rc = failed(store, code);
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
		rc = failed(store, code);
		goto close;
	}
	rc = configure(store, options);
	if (rc == 0 && !options->again)
		rc = upgrade(store);
	/* SQLite opens what it cannot write read-only, and would fail much later. */
	if (rc == 0 && options->create && sqlite3_db_readonly(store->db, "main"))
		rc = failed(store, SQLITE_READONLY);
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
		rc = execute(store, relaxed ? "PRAGMA synchronous=NORMAL"
		                            : "PRAGMA synchronous=FULL");
	if (rc == 0)
		store->relaxed = relaxed;
	return rc;
}

int store_begin(struct store *store)
{
	int rc = store->audit.wanted ? audit_prepare(store) : 0;

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

/* --- statements ------------------------------------------------------------ */

static int prepare(struct store *store, const char *sql, struct store_rows **rows)
{
	size_t i = 0;
	int code;

	*rows = NULL;
	/* Statements are known by their text's address: the lists are short. */
	while (i < STORE_STATEMENTS && store->prepared[i].sql && store->prepared[i].sql != sql)
		i++;
	if (i == STORE_STATEMENTS) {
		snprintf(store->message, sizeof(store->message), "too many statements");
		return ERR_SPACE;
	}
	if (!store->prepared[i].statement) {
		code = sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
		                          &store->prepared[i].statement, NULL);
		if (code != SQLITE_OK)
			return failed(store, code);
		store->prepared[i].sql = sql;
		store->prepared[i].store = store;
	}
	sqlite3_reset(store->prepared[i].statement);
	*rows = &store->prepared[i];
	return 0;
}

static int bind_one(sqlite3_stmt *statement, int index, char type, va_list *args)
{
	static const uint8_t zeros[16];
	const void *bytes;

	switch (type) {
	case 'i':
		return sqlite3_bind_int64(statement, index, va_arg(*args, int64_t));
	case 't':
		return sqlite3_bind_text(statement, index, va_arg(*args, const char *), -1,
		                         SQLITE_STATIC);
	case 'b':
		bytes = va_arg(*args, const void *);
		return sqlite3_bind_blob64(statement, index, bytes, va_arg(*args, size_t),
		                           SQLITE_STATIC);
	case 'u':
		bytes = va_arg(*args, const void *);
		if (memcmp(bytes, zeros, sizeof(zeros)) == 0)
			return sqlite3_bind_null(statement, index);
		return sqlite3_bind_blob(statement, index, bytes, sizeof(zeros), SQLITE_STATIC);
	default:
		return SQLITE_MISUSE;
	}
}

static int start(struct store *store, struct store_rows **rows, const char *sql,
                 const char *types, va_list *args)
{
	int rc = prepare(store, sql, rows);

	for (int i = 0; rc == 0 && types[i]; i++) {
		int code = bind_one((*rows)->statement, i + 1, types[i], args);

		if (code != SQLITE_OK)
			rc = failed(store, code);
	}
	return rc;
}

int store_start(struct store *store, struct store_rows **rows, const char *sql,
                const char *types, ...)
{
	va_list args;
	int rc;

	va_start(args, types);
	rc = start(store, rows, sql, types, &args);
	va_end(args);
	return rc;
}

int store_step(struct store_rows *rows)
{
	int code = sqlite3_step(rows->statement), rc = 0;

	if (code == SQLITE_ROW)
		return 1;
	if (code != SQLITE_DONE)
		rc = failed(rows->store, code);
	sqlite3_reset(rows->statement);
	return rc;
}

bool store_next(struct store_rows *rows, int *rc)
{
	if (*rc) {
		store_end(rows);
		return false;
	}
	*rc = store_step(rows);
	if (*rc != 1)
		return false;
	*rc = 0;
	return true;
}

void store_end(struct store_rows *rows)
{
	if (rows)
		sqlite3_reset(rows->statement);
}

int store_run(struct store *store, const char *sql, const char *types, ...)
{
	struct store_rows *rows;
	va_list args;
	int rc;

	va_start(args, types);
	rc = start(store, &rows, sql, types, &args);
	va_end(args);
	while (store_next(rows, &rc))
		continue;
	return rc;
}

int store_one(struct store *store, void (*take)(struct store_rows *row, void *out), void *out,
              const char *sql, const char *types, ...)
{
	struct store_rows *row;
	va_list args;
	int rc;

	va_start(args, types);
	rc = start(store, &row, sql, types, &args);
	va_end(args);
	if (rc == 0)
		rc = store_step(row);
	if (rc != 1)
		return rc ? rc : ERR_NOT_FOUND;
	take(row, out);
	store_end(row);
	return 0;
}

void store_take_number(struct store_rows *row, void *number)
{
	*(int64_t *)number = store_number(row, 0);
}

int store_changes(const struct store *store)
{
	return sqlite3_changes(store->db);
}

uint64_t store_last_id(const struct store *store)
{
	return (uint64_t)sqlite3_last_insert_rowid(store->db);
}

/* --- columns --------------------------------------------------------------- */

int64_t store_number(struct store_rows *row, int column)
{
	return sqlite3_column_int64(row->statement, column);
}

bool store_is_null(struct store_rows *row, int column)
{
	return sqlite3_column_type(row->statement, column) == SQLITE_NULL;
}

const char *store_string(struct store_rows *row, int column)
{
	return (const char *)sqlite3_column_text(row->statement, column);
}

const void *store_blob(struct store_rows *row, int column, size_t *length)
{
	const void *bytes = sqlite3_column_blob(row->statement, column);

	*length = (size_t)sqlite3_column_bytes(row->statement, column);
	return bytes;
}

void store_text(struct store_rows *row, int column, char *out, size_t size)
{
	const char *text = store_string(row, column);

	snprintf(out, size, "%s", text ? text : "");
}

void store_bytes(struct store_rows *row, int column, void *out, size_t size)
{
	size_t length;
	const void *bytes = store_blob(row, column, &length);

	if (bytes && length == size)
		memcpy(out, bytes, size);
	else
		memset(out, 0, size);
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
