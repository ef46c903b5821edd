/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_STORE_SCHEMA_H
#define SERVER_STORE_STORE_SCHEMA_H

#include <sqlite3.h>
#include <stddef.h>

#define STORE_APPLICATION_ID 0x4f504254 /* "OPBT", at offset 68 of the file */
#define STORE_VERSION 6                 /* user_version, at offset 60 */

/* How the tables of each version come to be; server/architecture.md describes those of the last. */
struct store_step {
	const char *sql;
	/** What SQL cannot do, afterwards. Returns SQLITE_OK or another code. May be NULL. */
	int (*then)(sqlite3 *db);
};

extern const struct store_step store_steps[STORE_VERSION];

/** Makes version 3's triggers that fill the table change. */
int store_follow_changes(sqlite3 *db);

/** Makes version 5's: those of the tables that it made anew, and those of the table past. */
int store_follow_jobs(sqlite3 *db);

/** Makes version 4's triggers that fill the table past, and fills it with what there is. */
int store_keep_pasts(sqlite3 *db);
/** Makes version 5's, as jobs are called so since. */
int store_keep_job_pasts(sqlite3 *db);

/** Makes requests of version 1's table seen_1, and drops it. */
int store_seen_to_requests(sqlite3 *db);

#endif
