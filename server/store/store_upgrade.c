/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/store_upgrade.h"

#include <stdio.h>

#include <sqlite3.h>

#include "server/store/store_schema.h"

static int read_version(sqlite3 *db, int *version)
{
	sqlite3_stmt *row;
	int code = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &row, NULL);

	if (code != SQLITE_OK)
		return code;
	if (sqlite3_step(row) == SQLITE_ROW)
		*version = sqlite3_column_int(row, 0);
	return sqlite3_finalize(row);
}

static int run_steps(sqlite3 *db)
{
	char identity[128];
	int version = STORE_VERSION, code = read_version(db, &version);

	for (; code == SQLITE_OK && version < STORE_VERSION; version++) {
		code = sqlite3_exec(db, store_steps[version].sql, NULL, NULL, NULL);
		if (code == SQLITE_OK && store_steps[version].then)
			code = store_steps[version].then(db);
	}
	if (code != SQLITE_OK || version > STORE_VERSION)
		return code;
	snprintf(identity, sizeof(identity), "PRAGMA application_id=%d; PRAGMA user_version=%d",
	         STORE_APPLICATION_ID, STORE_VERSION);
	return sqlite3_exec(db, identity, NULL, NULL, NULL);
}

int store_upgrade(sqlite3 *db)
{
	/* Where another program was faster, there is no step left to take. */
	int code = sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL);

	if (code == SQLITE_OK)
		code = run_steps(db);
	if (code == SQLITE_OK)
		code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	return code;
}
