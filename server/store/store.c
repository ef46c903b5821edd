/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/store.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "server/store/store_file.h"
#include "server/store/store_schema.h"
#include "server/store/store_where.h"

/* Keeps what SQLite says of @code, and turns it into one of our errors. */
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
 * side. FULL makes a commit wait for the disk: what was told to a machine must
 * not be forgotten in a power cut, or it would be told again.
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
	/* SQLite opens what it cannot write read-only, and would tell much later. */
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
	return store_run(store, "BEGIN IMMEDIATE", "");
}

int store_commit(struct store *store)
{
	int rc = store_run(store, "COMMIT", "");

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

/* --- statements ------------------------------------------------------------ */

static int prepare(struct store *store, const char *sql, sqlite3_stmt **statement)
{
	size_t i = 0;
	int code;

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
	}
	*statement = store->prepared[i].statement;
	sqlite3_reset(*statement);
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

static int start(struct store *store, sqlite3_stmt **statement, const char *sql,
                 const char *types, va_list *args)
{
	int rc = prepare(store, sql, statement);

	for (int i = 0; rc == 0 && types[i]; i++) {
		int code = bind_one(*statement, i + 1, types[i], args);

		if (code != SQLITE_OK)
			rc = failed(store, code);
	}
	return rc;
}

int store_start(struct store *store, sqlite3_stmt **statement, const char *sql,
                const char *types, ...)
{
	va_list args;
	int rc;

	va_start(args, types);
	rc = start(store, statement, sql, types, &args);
	va_end(args);
	return rc;
}

int store_step(struct store *store, sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement), rc = 0;

	if (code == SQLITE_ROW)
		return 1;
	if (code != SQLITE_DONE)
		rc = failed(store, code);
	sqlite3_reset(statement);
	return rc;
}

void store_end(sqlite3_stmt *statement)
{
	sqlite3_reset(statement);
}

int store_run(struct store *store, const char *sql, const char *types, ...)
{
	sqlite3_stmt *statement;
	va_list args;
	int rc;

	va_start(args, types);
	rc = start(store, &statement, sql, types, &args);
	va_end(args);
	if (rc)
		return rc;
	while ((rc = store_step(store, statement)) == 1)
		continue;
	return rc;
}

int store_one(struct store *store, void (*take)(sqlite3_stmt *row, void *out), void *out,
              const char *sql, const char *types, ...)
{
	sqlite3_stmt *row;
	va_list args;
	int rc;

	va_start(args, types);
	rc = start(store, &row, sql, types, &args);
	va_end(args);
	if (rc == 0)
		rc = store_step(store, row);
	if (rc != 1)
		return rc ? rc : ERR_NOT_FOUND;
	take(row, out);
	store_end(row);
	return 0;
}

void store_take_number(sqlite3_stmt *row, void *number)
{
	*(int64_t *)number = sqlite3_column_int64(row, 0);
}

void store_text(sqlite3_stmt *statement, int column, char *out, size_t size)
{
	const unsigned char *text = sqlite3_column_text(statement, column);

	snprintf(out, size, "%s", text ? (const char *)text : "");
}

void store_bytes(sqlite3_stmt *statement, int column, void *out, size_t size)
{
	const void *bytes = sqlite3_column_blob(statement, column);

	if (bytes && (size_t)sqlite3_column_bytes(statement, column) == size)
		memcpy(out, bytes, size);
	else
		memset(out, 0, size);
}
