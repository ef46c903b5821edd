/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/names.h"

#include <stddef.h>
#include <string.h>

#include <sqlite3.h>

/* ?1 is what names are to begin with. */
static const struct {
	const char *what, *sql;
} names[] = {
	{ "device", "SELECT name FROM device WHERE name >= ?1 ORDER BY name LIMIT 500" },
	{ "group", "SELECT name FROM device_group ORDER BY name" },
	{ "bundle", "SELECT name FROM bundle ORDER BY name" },
	{ "rule", "SELECT name FROM rule ORDER BY name" },
	{ "multicast", "SELECT name FROM multicast ORDER BY name" },
	{ "job", "SELECT id FROM job WHERE state IN ('pending', 'offered', 'begun')"
	         " ORDER BY id DESC LIMIT 500" },
	{ "folder",
	  "WITH RECURSIVE walk (id, path) AS ("
	  " SELECT id, '/' || name FROM folder WHERE parent IS NULL UNION ALL"
	  " SELECT folder.id, path || '/' || name FROM folder JOIN walk ON parent = walk.id)"
	  " SELECT path FROM walk ORDER BY path" },
	{ "target group", "SELECT 'group:' || name FROM device_group ORDER BY name" },
};

/* Runs a query with one parameter, and gives the first column of each row to @take. */
static void list(const char *path, const char *sql, const char *parameter,
                 void (*take_row)(sqlite3_stmt *row, store_name_taker *take, void *data),
                 store_name_taker *take, void *data)
{
	sqlite3_stmt *rows = NULL;
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &rows, NULL) == SQLITE_OK) {
		sqlite3_bind_text(rows, 1, parameter, -1, SQLITE_STATIC);
		while (sqlite3_step(rows) == SQLITE_ROW)
			take_row(rows, take, data);
	}
	sqlite3_finalize(rows);
	sqlite3_close(db);
}

static void take_name(sqlite3_stmt *row, store_name_taker *take, void *data)
{
	const char *name = (const char *)sqlite3_column_text(row, 0);

	if (name)
		take(data, name);
}

void store_list_names(const char *path, const char *what, const char *begun,
                      store_name_taker *take, void *data)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].what, what) == 0)
			list(path, names[i].sql, begun, take_name, take, data);
}

/* The details are strings, one after the other, each with its NUL. */
static void take_details(sqlite3_stmt *row, store_name_taker *take, void *data)
{
	const char *text = sqlite3_column_blob(row, 0);
	size_t size = (size_t)sqlite3_column_bytes(row, 0);

	for (size_t at = 0, length; at < size; at += length + 1) {
		length = strnlen(text + at, size - at);
		if (at + length < size)
			take(data, text + at);
	}
}

void store_list_details(const char *path, const char *bundle, store_name_taker *take, void *data)
{
	list(path, "SELECT details FROM bundle WHERE name = ?1", bundle, take_details, take, data);
}
