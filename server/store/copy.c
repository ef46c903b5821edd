/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/copy.h"

#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "nbp/proto/error.h"
#include "server/store/store_file.h"

#define BUSY_WAIT_MS 100
#define BUSY_WAITS   100

static int copy_pages(sqlite3 *from, sqlite3 *to)
{
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
	int code = SQLITE_BUSY;

	if (!backup)
		return sqlite3_errcode(to);
	for (int i = 0; i < BUSY_WAITS && (code == SQLITE_BUSY || code == SQLITE_LOCKED); i++) {
		if (i)
			sqlite3_sleep(BUSY_WAIT_MS);
		code = sqlite3_backup_step(backup, -1);
	}
	sqlite3_backup_finish(backup);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

int store_copy(struct store *store, const char *path, char message[STORE_COPY_MESSAGE])
{
	sqlite3 *to = NULL;
	int code = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE, NULL), rc = 0;

	if (code == SQLITE_OK)
		code = copy_pages(store->db, to);
	/* Whoever opens it makes it WAL again. */
	if (code == SQLITE_OK)
		code = sqlite3_exec(to, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
	if (code != SQLITE_OK) {
		snprintf(message, STORE_COPY_MESSAGE, "%s: cannot be written: %s", path,
		         to ? sqlite3_errmsg(to) : sqlite3_errstr(code));
		rc = ERR_IO;
	}
	if (sqlite3_close(to) != SQLITE_OK && rc == 0) {
		snprintf(message, STORE_COPY_MESSAGE, "%s: cannot be closed", path);
		rc = ERR_IO;
	}
	return rc;
}

static int read_copy(sqlite3 *db, int64_t *devices, int64_t *jobs,
                     char message[STORE_COPY_MESSAGE])
{
	static const char sql[] =
		"SELECT (SELECT group_concat(integrity_check) FROM pragma_integrity_check(1)),"
		" (SELECT count(*) FROM pragma_foreign_key_check),"
		" (SELECT count(*) FROM device), (SELECT count(*) FROM job)";
	sqlite3_stmt *row = NULL;
	int rc = 0;

	if (sqlite3_prepare_v2(db, sql, -1, &row, NULL) != SQLITE_OK ||
	    sqlite3_step(row) != SQLITE_ROW) {
		snprintf(message, STORE_COPY_MESSAGE, "the copy cannot be read: %s",
		         sqlite3_errmsg(db));
		rc = ERR_IO;
	} else if (strcmp((const char *)sqlite3_column_text(row, 0), "ok") != 0 ||
	           sqlite3_column_int(row, 1)) {
		snprintf(message, STORE_COPY_MESSAGE, "the copy is not sound: %s; \"prebootctl "
		         "check\" says what to do", sqlite3_column_text(row, 0));
		rc = ERR_MALFORMED;
	} else {
		*devices = sqlite3_column_int64(row, 2);
		*jobs = sqlite3_column_int64(row, 3);
	}
	sqlite3_finalize(row);
	return rc;
}

int store_copy_check(const char *path, int64_t *devices, int64_t *jobs,
                     char message[STORE_COPY_MESSAGE])
{
	char why[STORE_COPY_MESSAGE - 40];
	sqlite3 *db = NULL;
	int rc;

	if (store_file_check(path, why, sizeof(why))) {
		snprintf(message, STORE_COPY_MESSAGE, "the copy is not sound: %s", why);
		return ERR_MALFORMED;
	}
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
		snprintf(message, STORE_COPY_MESSAGE, "the copy cannot be read: %s",
		         sqlite3_errmsg(db));
		rc = ERR_IO;
	} else {
		rc = read_copy(db, devices, jobs, message);
	}
	sqlite3_close(db);
	return rc;
}
