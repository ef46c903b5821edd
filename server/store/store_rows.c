/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/store_rows.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "nbp/proto/error.h"

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
int store_failed(struct store *store, int code)
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

int store_execute(struct store *store, const char *sql)
{
	int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : store_failed(store, code);
}

/* --- statements ------------------------------------------------------------ */

static int prepare_rows(struct store *store, const char *sql, struct store_rows **rows)
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
			return store_failed(store, code);
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

static int start_bound(struct store *store, struct store_rows **rows, const char *sql,
                       const char *types, va_list *args)
{
	int rc = prepare_rows(store, sql, rows);

	for (int i = 0; rc == 0 && types[i]; i++) {
		int code = bind_one((*rows)->statement, i + 1, types[i], args);

		if (code != SQLITE_OK)
			rc = store_failed(store, code);
	}
	return rc;
}

int store_start(struct store *store, struct store_rows **rows, const char *sql,
                const char *types, ...)
{
	va_list args;
	int rc;

	va_start(args, types);
	rc = start_bound(store, rows, sql, types, &args);
	va_end(args);
	return rc;
}

int store_step(struct store_rows *rows)
{
	int code = sqlite3_step(rows->statement), rc = 0;

	if (code == SQLITE_ROW)
		return 1;
	if (code != SQLITE_DONE)
		rc = store_failed(rows->store, code);
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
	rc = start_bound(store, &rows, sql, types, &args);
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
	rc = start_bound(store, &row, sql, types, &args);
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
