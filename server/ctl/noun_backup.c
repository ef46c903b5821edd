/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "nbp/proto/error.h"
#include "server/ctl/noun.h"
#include "server/store/store_file.h"
#include "server/tool/whole_file.h"

static const struct ctl_option opt_force = { "force", NULL, "replace a file that exists" };

#define BUSY_WAIT_MS 100
#define BUSY_WAITS   100

static bool is_there(const char *path, const char *suffix)
{
	char name[PATH_MAX + 16];
	struct stat status;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	return lstat(name, &status) == 0;
}

/* Refuses what would harm a database, its own or another that is in use. */
static int check_target(struct ctl *ctl, const char *path)
{
	struct stat own, there;

	if (stat(ctl->database, &own) == 0 && stat(path, &there) == 0 &&
	    own.st_dev == there.st_dev && own.st_ino == there.st_ino)
		return ctl_error(EXIT_FAULT, "%s: is the database itself; name another file", path);
	if (is_there(path, "-wal") || is_there(path, "-journal"))
		return ctl_error(EXIT_FAULT, "%s: is a database in use, as %s-wal or -journal "
		                 "beside it shows; name another file", path, path);
	if (!ctl_given(ctl, &opt_force) && is_there(path, ""))
		return ctl_error(EXIT_FAULT, "%s already exists; name another file, or use "
		                 "--force", path);
	return 0;
}

/* Copies all pages as they are at one moment: in WAL mode nobody waits for that. */
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

static int copy_database(struct ctl *ctl, const char *path)
{
	sqlite3 *to = NULL;
	int code = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE, NULL), status = 0;

	if (code == SQLITE_OK)
		code = copy_pages(ctl->store.db, to);
	/* One file, to be copied and kept like any other. Whoever opens it makes it WAL again. */
	if (code == SQLITE_OK)
		code = sqlite3_exec(to, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
	if (code != SQLITE_OK)
		status = ctl_error(EXIT_FAULT, "%s: cannot be written: %s", path,
		                   to ? sqlite3_errmsg(to) : sqlite3_errstr(code));
	if (sqlite3_close(to) != SQLITE_OK && status == 0)
		status = ctl_error(EXIT_FAULT, "%s: cannot be closed", path);
	return status;
}

/* Reads the copy as one who knows nothing of it would. @devices, @jobs: receive how many it has */
static int verify_copy(const char *path, int64_t *devices, int64_t *jobs)
{
	static const char sql[] =
		"SELECT (SELECT group_concat(integrity_check) FROM pragma_integrity_check(1)),"
		" (SELECT count(*) FROM pragma_foreign_key_check),"
		" (SELECT count(*) FROM device), (SELECT count(*) FROM job)";
	sqlite3 *db = NULL;
	sqlite3_stmt *row = NULL;
	char message[600];
	int status = 0;

	if (store_file_check(path, message, sizeof(message)))
		return ctl_error(EXIT_FAULT, "the copy is not sound: %s", message);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, sql, -1, &row, NULL) != SQLITE_OK ||
	    sqlite3_step(row) != SQLITE_ROW) {
		status = ctl_error(EXIT_FAULT, "the copy cannot be read: %s", sqlite3_errmsg(db));
	} else if (strcmp((const char *)sqlite3_column_text(row, 0), "ok") != 0 ||
	           sqlite3_column_int(row, 1)) {
		status = ctl_error(EXIT_FAULT, "the copy is not sound: %s; \"prebootctl check\" "
		                   "tells what to do", sqlite3_column_text(row, 0));
	} else {
		*devices = sqlite3_column_int64(row, 2);
		*jobs = sqlite3_column_int64(row, 3);
	}
	sqlite3_finalize(row);
	sqlite3_close(db);
	return status;
}

static int ctl_backup(struct ctl *ctl)
{
	const char *path = ctl->words[0];
	struct whole_file file = { .fresh = "" };
	int64_t devices = 0, jobs = 0;
	int status = check_target(ctl, path);

	if (status)
		return status;
	if (whole_file_start(&file, path))
		return ctl_error(EXIT_FAULT, "%s", file.message);
	status = copy_database(ctl, file.fresh);
	if (status == 0)
		status = verify_copy(file.fresh, &devices, &jobs);
	if (status == 0 && whole_file_finish(&file, ctl_given(ctl, &opt_force)))
		status = ctl_error(EXIT_FAULT, "%s", file.message);
	whole_file_drop(&file);
	if (status)
		return status;
	if (ctl->json)
		ctl_print_json(json_pack("{s:s, s:I, s:I}", "backup", path, "devices",
		                         (json_int_t)devices, "jobs", (json_int_t)jobs));
	else
		printf("%s written and verified: %lld device%s, %lld job%s\n", path,
		       (long long)devices, ctl_plural((uint64_t)devices), (long long)jobs,
		       ctl_plural((uint64_t)jobs));
	return 0;
}

static const struct verb verbs[] = {
	{ .run = ctl_backup, .min = 1, .max = 1, .options = OPTIONS(&opt_force),
	  .usage = "FILE [--force]",
	  .help = "Copy the database to FILE, as of one moment, while prebootd runs. The copy is "
	          "read and checked before it gets its name. The database itself is never "
	          "replaced." },
	{ .run = NULL },
};

const struct noun noun_backup = {
	.name = "backup", .about = "copy the database while prebootd runs", .verbs = verbs,
};
