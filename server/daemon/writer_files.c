/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of the database: whether they still are those that were opened. */
#include "server/daemon/writer_files.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"

#define HEADER_SIZE 100 /* bytes: the minimum size of a database */

static const char *const suffixes[] = { "-wal", "-shm" };

static int look_beside(const struct writer *w, const char *suffix, struct stat *status)
{
	char name[PATH_MAX];

	text_format(name, sizeof(name), "%s%s", w->store.path, suffix);
	return lstat(name, status);
}

/* Returns the inode of the file with @suffix beside the database; 0: there is none. */
static ino_t inode_of(const struct writer *w, const char *suffix)
{
	struct stat status;

	return look_beside(w, suffix, &status) == 0 ? status.st_ino : 0;
}

void writer_remember_files(struct writer *w)
{
	struct stat status;

	/* Another file's, if that was replaced just now: writer_replaced() sees it. */
	if (stat(w->store.path, &status) == 0)
		w->device = status.st_dev;
	for (int i = 0; i < 2; i++)
		w->beside[i] = inode_of(w, suffixes[i]);
}

/* Returns the suffix of a file beside the database that is not the one which is in use; NULL:
 * they are as they were. */
static const char *lost_beside(const struct writer *w)
{
	for (int i = 0; i < 2; i++)
		if (inode_of(w, suffixes[i]) != w->beside[i])
			return suffixes[i];
	return NULL;
}

/* What was committed to a log that has no name any more goes into the database, while nobody
 * else can have begun another one. Neither that nor an end later must touch another's log. */
static void rescue(struct writer *w)
{
	if (!inode_of(w, "-wal"))
		store_empty_log(&w->store);
	store_keep_log(&w->store);
	w->keep_log = true;
}

/* Says whether the log has lost what is in use of it. SQLite makes it shorter, too, but only when
 * all of it is in the database: then there is nothing to read for a checkpoint. */
static bool log_is_cut(struct writer *w)
{
	struct stat status;
	int rc;

	if (look_beside(w, "-wal", &status))
		return false;
	if (status.st_size >= w->log_size) {
		w->log_size = status.st_size;
		return false;
	}
	rc = store_write_log(&w->store);
	if (rc == 0)
		w->log_size = status.st_size;
	return rc == ERR_IO;
}

/* Returns the suffix of a file that another program has cut short, as by emptying it; NULL: none
 * was. */
static const char *cut_short(struct writer *w, off_t size)
{
	const char *suffix = size < HEADER_SIZE ? "" : log_is_cut(w) ? "-wal" : NULL;

	if (!suffix)
		return NULL;
	/* What is left of one does not go into the other. */
	store_keep_log(&w->store);
	w->keep_log = true;
	return suffix;
}

void writer_lose_files(struct writer *w, const char *suffix, const char *how)
{
	text_format(w->store.message, sizeof(w->store.message), "%s%s: %s while it was in use",
	            w->store.path, suffix, how);
	journal_line(&w->server->journal, JOURNAL_ALWAYS, "error: %s; stopping, as what is stored "
	             "in it from now on is lost", w->store.message);
	w->replaced = true;
}

bool writer_replaced(struct writer *w)
{
	const char *path = w->store.path, *suffix = "", *cut = NULL;
	struct stat status;
	bool there, moved;

	if (w->replaced)
		return true;
	there = stat(path, &status) == 0;
	/* A folder that may not be entered says nothing of the file. */
	if (!there && errno == EACCES)
		return false;
	/* The inode is the same in a snapshot of a file system. */
	moved = store_is_moved(&w->store);
	if (there && !moved && status.st_dev == w->device) {
		suffix = lost_beside(w);
		if (!suffix)
			suffix = cut = cut_short(w, status.st_size);
		if (!suffix)
			return false;
		there = inode_of(w, suffix) != 0;
		if (!cut)
			rescue(w);
	}
	writer_lose_files(w, suffix, cut ? "cut short" : there ? "replaced by another file"
	                                                       : "removed or moved away");
	return true;
}
