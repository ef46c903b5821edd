/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nbp/proto/error.h"
#include "nbp/proto/wire.h"
#include "server/store/store_rows.h"
#include "server/store/store_schema.h"
#include "server/store/store_upgrade.h"

#define GLANCE_MAX  (8 << 20) /* bytes that are gone through in a hundredth of a second */
#define HEADER_SIZE 100 /* of an SQLite file; sqlite.org/fileformat2.html 1.3 */

__attribute__((format(printf, 4, 5)))
static int fail(int rc, char *message, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(message, size, format, args);
	va_end(args);
	return rc;
}

/* --- checking -------------------------------------------------------------- */

/* Reads up to HEADER_SIZE bytes; *@length says how many there were. */
static int read_header(const char *path, uint8_t *header, size_t *length, char *message,
                       size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status;
	ssize_t got;
	int rc = 0;

	if (fd < 0)
		return errno == ENOENT
		       ? fail(ERR_NOT_FOUND, message, size, "%s: there is no such database; "
		             "prebootd or \"prebootctl device add\" creates it", path)
		       : fail(ERR_IO, message, size, "%s: %s", path, strerror(errno));
	if (fstat(fd, &status) || !S_ISREG(status.st_mode)) {
		rc = fail(ERR_MALFORMED, message, size,
		         "%s: not a plain file; name the database with --database FILE", path);
	} else {
		got = pread(fd, header, HEADER_SIZE, 0);
		if (got < 0)
			rc = fail(ERR_IO, message, size, "%s: %s", path, strerror(errno));
		*length = got < 0 ? 0 : (size_t)got;
	}
	close(fd);
	return rc;
}

static int check_header(const char *path, char *message, size_t size)
{
	static const char magic[16] = "SQLite format 3";
	uint8_t header[HEADER_SIZE];
	struct wire in;
	size_t length = 0;
	uint32_t version;
	int rc = read_header(path, header, &length, message, size);

	if (rc)
		return rc;
	if (length == 0)
		return fail(ERR_NOT_FOUND, message, size, "%s: is empty", path);
	in = wire_reader(header, length);
	wire_seek(&in, 60);
	version = wire_read_u32(&in);
	wire_seek(&in, 68);
	if (wire_read_u32(&in) != STORE_APPLICATION_ID || in.error ||
	    memcmp(header, magic, sizeof(magic)) != 0)
		return fail(ERR_MALFORMED, message, size,
		           "%s: not an OpenPreboot database, left as it is; name another file "
		           "with --database FILE", path);
	if (version > STORE_VERSION)
		return fail(ERR_VERSION, message, size,
		           "%s: format %u is newer than this program, which knows up to %u; left "
		           "as it is, use the newer program", path, version, STORE_VERSION);
	return 0;
}

/* Writes "file:PATH?@query" with what is special in such a name escaped. */
static int make_uri(const char *path, const char *query, char *out, size_t size)
{
	size_t at = (size_t)snprintf(out, size, "file:");

	for (; *path && at + 4 < size; path++)
		at += (size_t)snprintf(out + at, size - at, strchr("%?#", *path) ? "%%%02x" : "%c",
		                       *path);
	return *path || at + strlen(query) >= size ? ERR_SPACE : (strcpy(out + at, query), 0);
}

/* Runs quick_check on a connection that cannot write. */
static int quick_check(const char *path, const char *query, char *message, size_t size)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *statement = NULL;
	char uri[3 * PATH_MAX];
	const char *found;
	int code, rc = 0;

	if (make_uri(path, query, uri, sizeof(uri)))
		return fail(ERR_IO, message, size, "%s: name too long", path);
	code = sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
	sqlite3_busy_timeout(db, 5000);
	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	found = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
	/* It may begin with a headline of its own. */
	if (found && strchr(found, '\n'))
		found = strchr(found, '\n') + 1;
	if (code == SQLITE_ROW && found && strcmp(found, "ok") == 0)
		rc = 0;
	else if (code == SQLITE_ROW || code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		rc = fail(ERR_MALFORMED, message, size, "%s: damaged (%s), left as it is; %s", path,
		         found ? found : sqlite3_errmsg(db), STORE_DAMAGED_REMEDY);
	else
		rc = fail((code & 0xff) == SQLITE_BUSY ? ERR_AGAIN : ERR_IO, message, size,
		          "%s: %s",
		         path, sqlite3_errmsg(db));
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return rc;
}

/* Says whether a write-ahead log with something in it lies beside the file. */
static bool has_log(const char *path)
{
	char real[PATH_MAX], name[PATH_MAX + 8];
	struct stat status;

	/* SQLite has it beside the file itself, and not beside a link to that. */
	snprintf(name, sizeof(name), "%s-wal", realpath(path, real) ? real : path);
	return stat(name, &status) == 0 && status.st_size > 0;
}

int store_file_check(const char *path, char *message, size_t size)
{
	int rc = check_header(path, message, size);

	if (rc)
		return rc;
	/*
	 * "immutable" makes not even the log and lock files beside the database,
	 * but is right only while nobody writes. With a log, somebody does, or
	 * was killed: then the log is part of the database, and has to be read.
	 */
	if (!has_log(path)) {
		rc = quick_check(path, "?immutable=1", message, size);
		if (rc == 0 || !has_log(path))
			return rc;
	}
	return quick_check(path, "?mode=ro", message, size);
}

int store_file_glance(const char *path, char *message, size_t size)
{
	struct stat status;

	if (stat(path, &status) == 0 && status.st_size > GLANCE_MAX)
		return check_header(path, message, size);
	return store_file_check(path, message, size);
}

/* --- creating -------------------------------------------------------------- */

/* Fills the empty database at @path; WAL only at the end, so that it is one file. */
static int fill_file(const char *path, char *message, size_t size)
{
	sqlite3 *db = NULL;
	int code, rc = 0;

	code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
	sqlite3_busy_timeout(db, 5000);
	if (code == SQLITE_OK)
		code = sqlite3_exec(db, "PRAGMA synchronous=FULL", NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = store_upgrade(db);
	/* The steps of the old versions leave pages behind that nothing checks. */
	if (code == SQLITE_OK)
		code = sqlite3_exec(db, "VACUUM", NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
	if (code != SQLITE_OK)
		rc = fail(ERR_IO, message, size, "%s: %s", path, sqlite3_errmsg(db));
	if (sqlite3_close(db) != SQLITE_OK && rc == 0)
		rc = fail(ERR_IO, message, size, "%s: cannot be closed", path);
	return rc;
}

/* Makes a new name in the folder of @path durable. */
static void sync_folder(const char *path)
{
	char copy[PATH_MAX];
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

/* What root's prebootctl makes is for whose folder it is: prebootd is not root. SQLite does
 * likewise with the files beside it. */
static void give_to_owner(int fd, const char *path)
{
	char copy[PATH_MAX];
	struct stat folder;

	snprintf(copy, sizeof(copy), "%s", path);
	if (geteuid() == 0 && stat(dirname(copy), &folder) == 0 && folder.st_uid != 0)
		(void)!fchown(fd, folder.st_uid, folder.st_gid);
}

int store_file_create(const char *path, char *message, size_t size)
{
	char fresh[PATH_MAX];
	struct stat status;
	int fd, rc;

	/* An empty file is somebody's, with its owner and mode: it is filled in place. */
	if (stat(path, &status) == 0 && status.st_size == 0)
		return fill_file(path, message, size);
	if ((size_t)snprintf(fresh, sizeof(fresh), "%s.new-XXXXXX", path) >= sizeof(fresh))
		return fail(ERR_IO, message, size, "%s: name too long", path);
	/* Mode 0600: the details of work may hold secrets. */
	fd = mkstemp(fresh);
	if (fd < 0)
		return fail(ERR_IO, message, size, "%s: cannot be created: %s; its folder must "
		           "exist and this user must be able to write there", path,
		           strerror(errno));
	give_to_owner(fd, path);
	close(fd);
	rc = fill_file(fresh, message, size);
	if (rc)
		goto remove;
	/* Unlike rename(), neither takes the place of a database made meanwhile; and with the first
	 * it has never two names, for which it would be refused. */
	if (renameat2(AT_FDCWD, fresh, AT_FDCWD, path, RENAME_NOREPLACE) == 0) {
		sync_folder(path);
		return 0;
	}
	if (errno != EEXIST && link(fresh, path) && errno != EEXIST)
		rc = fail(ERR_IO, message, size, "%s: cannot be created: %s", path,
		          strerror(errno));
	else
		sync_folder(path);
remove:
	unlink(fresh);
	return rc;
}
