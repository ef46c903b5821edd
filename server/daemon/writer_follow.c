/* SPDX-License-Identifier: BSD-2-Clause */
/* The index and the database: what goes from one to the other. */
#include "server/daemon/writer.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/store/devices.h"
#include "server/store/events.h"
#include "server/store/unknown.h"
#include "server/store/jobs.h"

#define PRUNE_SPAN  2000 /* job numbers at once: some milliseconds */
#define PRUNE_AGAIN 3600 /* s, from end to beginning */
#define HEADER_SIZE 100  /* of a database, which has no fewer bytes */

void writer_tell_warnings(struct writer *k)
{
	const char *line = index_warnings(k->server->index);

	while (*line) {
		size_t length = strcspn(line, "\n");

		journal_line(&k->server->journal, JOURNAL_TROUBLE, "warning: %.*s", (int)length,
		             line);
		line += length + (line[length] == '\n');
	}
}

static const char *const suffixes[] = { "-wal", "-shm" };

static int look_beside(const struct writer *k, const char *suffix, struct stat *status)
{
	char name[PATH_MAX];

	text_format(name, sizeof(name), "%s%s", k->store.path, suffix);
	return lstat(name, status);
}

/* Returns the inode of the file with @suffix beside the database; 0: there is none. */
static ino_t inode_of(const struct writer *k, const char *suffix)
{
	struct stat status;

	return look_beside(k, suffix, &status) == 0 ? status.st_ino : 0;
}

void writer_note_files(struct writer *k)
{
	struct stat status;

	/* Another file's, if that was replaced just now: writer_replaced() sees it. */
	if (stat(k->store.path, &status) == 0)
		k->device = status.st_dev;
	for (int i = 0; i < 2; i++)
		k->beside[i] = inode_of(k, suffixes[i]);
}

/* Returns the suffix of a file beside the database that is not the one which is in use; NULL:
 * they are as they were. */
static const char *lost_beside(const struct writer *k)
{
	for (int i = 0; i < 2; i++)
		if (inode_of(k, suffixes[i]) != k->beside[i])
			return suffixes[i];
	return NULL;
}

/* What was committed to a log that has no name any more goes into the database, while nobody
 * else can have begun another one. Neither that nor an end later must touch another's log. */
static void rescue(struct writer *k)
{
	if (!inode_of(k, "-wal"))
		sqlite3_wal_checkpoint_v2(k->store.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_db_config(k->store.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	k->keep_log = true;
}

/* Says whether the log has lost what is in use of it. SQLite makes it shorter, too, but only when
 * all of it is in the database: then there is nothing to read for a checkpoint. */
static bool log_is_cut(struct writer *k)
{
	struct stat status;
	int code;

	if (look_beside(k, "-wal", &status))
		return false;
	if (status.st_size >= k->log_size) {
		k->log_size = status.st_size;
		return false;
	}
	code = sqlite3_wal_checkpoint_v2(k->store.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	if (code == SQLITE_OK)
		k->log_size = status.st_size;
	return code != SQLITE_OK && code != SQLITE_BUSY && code != SQLITE_LOCKED;
}

/* Returns the suffix of a file that another program has cut short, as to empty it; NULL: none is. */
static const char *cut_short(struct writer *k, off_t size)
{
	const char *suffix = size < HEADER_SIZE ? "" : log_is_cut(k) ? "-wal" : NULL;

	if (!suffix)
		return NULL;
	/* What is left of one does not go into the other. */
	sqlite3_db_config(k->store.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	k->keep_log = true;
	return suffix;
}

static void lose(struct writer *k, const char *suffix, const char *how)
{
	text_format(k->store.message, sizeof(k->store.message), "%s%s: %s while it was in use",
	            k->store.path, suffix, how);
	journal_line(&k->server->journal, JOURNAL_ALWAYS, "error: %s; stopping, as what is kept in "
	             "it from now on is lost", k->store.message);
	k->replaced = true;
}

bool writer_replaced(struct writer *k)
{
	const char *path = k->store.path, *suffix = "", *cut = NULL;
	struct stat status;
	int moved = 0;
	bool there;

	if (k->replaced)
		return true;
	there = stat(path, &status) == 0;
	/* A folder that may not be entered does not tell. */
	if (!there && errno == EACCES)
		return false;
	/* SQLite compares the inode, which is the same in a snapshot of a file system. */
	sqlite3_file_control(k->store.db, NULL, SQLITE_FCNTL_HAS_MOVED, &moved);
	if (there && !moved && status.st_dev == k->device) {
		suffix = lost_beside(k);
		if (!suffix)
			suffix = cut = cut_short(k, status.st_size);
		if (!suffix)
			return false;
		there = inode_of(k, suffix) != 0;
		if (!cut)
			rescue(k);
	}
	lose(k, suffix, cut ? "cut short" : there ? "replaced by another file"
	                                          : "removed or moved away");
	return true;
}

int writer_follow(struct writer *k)
{
	struct server *server = k->server;
	const struct policy *before;
	struct changes *changes;
	int rc = index_read_changes(server->index, &k->store, &changes);

	/* What is in memory, and what the tokens were made with, is of another database. */
	if (rc == ERR_VERSION) {
		lose(k, "", "replaced by an older copy");
		return 0;
	}
	if (rc || !changes)
		return rc;
	pthread_rwlock_wrlock(&server->lock);
	before = index_policy(server->index);
	rc = index_apply(server->index, changes);
	server->generation += index_policy(server->index) != before;
	pthread_rwlock_unlock(&server->lock);
	k->followed = true;
	writer_tell_warnings(k);
	return rc;
}

/* Loads a new index in the place of the old one. */
static int load(struct writer *k)
{
	struct server *server = k->server;
	struct index *index = index_new(), *old = server->index;
	int rc = index ? index_load(index, &k->store) : ERR_SPACE;

	if (rc) {
		index_free(index);
		return rc;
	}
	pthread_rwlock_wrlock(&server->lock);
	server->index = index;
	server->generation++;
	pthread_rwlock_unlock(&server->lock);
	index_free(old);
	k->followed = true;
	writer_tell_warnings(k);
	return 0;
}

void writer_reload(struct writer *k, const struct moment *moment)
{
	struct moment end;
	int rc;

	k->moment = *moment;
	rc = load(k);
	end = moment_now();
	if (rc)
		journal_line(&k->server->journal, JOURNAL_TROUBLE, "warning: not reloaded: %s",
		             rc == ERR_SPACE ? "no memory" : k->store.message);
	else
		journal_line(&k->server->journal, JOURNAL_ALWAYS, "loaded devices=%zu in %lld ms",
		             index_count(k->server->index),
		             (long long)(end.monotonic - moment->monotonic) / 1000000);
}

/* --- transactions that may be lost ------------------------------------------ */

int writer_begin_relaxed(struct writer *k)
{
	int rc = store_relax(&k->store, true);

	return rc ? rc : store_begin(&k->store);
}

void writer_end_relaxed(struct writer *k)
{
	store_rollback(&k->store); /* unless it was committed */
	store_relax(&k->store, false);
}

/* --- counters -------------------------------------------------------------- */

static int write_counters(struct writer *k, const struct counters *sum)
{
	static const char sql[] = "INSERT OR REPLACE INTO counter VALUES (?, ?)";
	int rc = 0;

	for (size_t i = 0; rc == 0; i++) {
		struct counter now = counter_at(sum, i), told = counter_at(&k->told, i);

		if (!now.name)
			break;
		if (now.value != told.value)
			rc = store_run(&k->store, sql, "ti", now.name, (int64_t)now.value);
	}
	return rc;
}

void writer_count(struct writer *k)
{
	struct counters sum;
	int rc;

	server_counters(k->server, &sum);
	if (!k->followed && memcmp(&sum, &k->told, sizeof(sum)) == 0)
		return;
	rc = writer_begin_relaxed(k);
	/* Once, as there may be some that another version counted. */
	if (rc == 0 && !k->counted)
		rc = store_run(&k->store, "DELETE FROM counter", "");
	if (rc == 0)
		rc = write_counters(k, &sum);
	if (rc == 0 && k->followed)
		rc = index_forget_changes(k->server->index, &k->store);
	if (rc == 0)
		rc = store_commit(&k->store);
	writer_end_relaxed(k);
	if (rc)
		return; /* the next round will do it */
	k->told = sum;
	k->counted = true;
	k->followed = false;
}

/* --- what is old -------------------------------------------------------------- */

/* A little at a time, so that nobody has to wait for it. */
static void forget_events(struct writer *k)
{
	const struct policy *policy = index_policy(k->server->index);
	int64_t before = k->moment.now - policy->settings.keep_events, unknown = before;
	bool any;

	if (event_any_before(&k->store, before, &any) ||
	    (!any && (unknown_oldest(&k->store, &unknown) || unknown >= before)))
		return;
	if (writer_begin_relaxed(k) == 0 && event_expire(&k->store, before) == 0 &&
	    unknown_expire(&k->store, before) == 0)
		store_commit(&k->store);
	writer_end_relaxed(k);
}

/* Goes through all work in an hour's time, or longer if it is very much. */
static void forget_job(struct writer *k)
{
	int64_t keep = index_policy(k->server->index)->settings.keep_job;
	bool end = false;

	if (!k->pruned && k->moment.now < k->prune_next)
		return;
	if (writer_begin_relaxed(k) == 0 &&
	    job_prune(&k->store, k->pruned, PRUNE_SPAN, k->moment.now - keep, &end) == 0 &&
	    store_commit(&k->store) == 0)
		k->pruned += PRUNE_SPAN;
	writer_end_relaxed(k);
	if (!end)
		return;
	k->pruned = 0;
	k->prune_next = k->moment.now + PRUNE_AGAIN;
}

static void forget_old(struct writer *k)
{
	if (!writer_clock_is_steady(k))
		return;
	forget_events(k);
	forget_job(k);
}

/* --- unknown machines -------------------------------------------------------- */

/* Says whether there are as many devices that came by themselves as there may be. */
static void look_at_admissions(struct writer *k)
{
	int64_t limit = index_policy(k->server->index)->settings.admit_limit, admitted;
	bool full;

	if (device_admissions(&k->store, &admitted))
		return;
	full = admitted >= limit;
	if (full && !k->server->admits_no_more)
		journal_line(&k->server->journal, JOURNAL_ALWAYS, "warning: unknown machines are not "
		             "admitted any more: %lld were, which is admit-limit; remove those that "
		             "are none of yours, or raise it", (long long)admitted);
	k->server->admits_no_more = full;
}

/* Once a minute, while machines are not admitted for their number. */
static void tell_not_admitted(struct writer *k)
{
	struct counters sum;

	server_counters(k->server, &sum);
	if (sum.not_admitted == k->not_admitted_told || k->moment.monotonic < k->not_admitted_next)
		return;
	journal_line(&k->server->journal, JOURNAL_TROUBLE, "warning: not admitted were unknown machines "
	             "that asked %llu times: more come than may become devices",
	             (unsigned long long)(sum.not_admitted - k->not_admitted_told));
	k->not_admitted_told = sum.not_admitted;
	k->not_admitted_next = k->moment.monotonic + (int64_t)60 * 1000000000;
}

/* --- what is overdue ------------------------------------------------------- */

/* Ends what is overdue, as much as goes into one transaction. Returns 0 or the ERR_ values. */
static int end_overdue(struct writer *k, size_t *ended)
{
	struct job *jobs = k->overdue;
	int rc = store_begin(&k->store);

	*ended = 0;
	/* Looked for within it: another program may have ended them meanwhile. */
	if (rc == 0)
		rc = job_list_overdue(&k->store, k->moment.now, jobs, WRITER_SWEEP, ended);
	for (size_t i = 0; i < *ended && rc == 0; i++) {
		struct decision decision;

		decide_overdue(&jobs[i], k->moment.now, &decision);
		rc = writer_apply(k, NULL, &decision);
	}
	if (rc == 0)
		rc = store_commit(&k->store);
	store_rollback(&k->store);
	return rc;
}

/* Ends what is overdue, a part of it where it is much: each waits for the disk, and machines wait
 * for that. Returns whether there may be more. */
static bool sweep_overdue(struct writer *k)
{
	struct job *jobs = k->overdue;
	size_t ended;

	/* Another program was faster, or the next round will do it. */
	if (job_list_overdue(&k->store, k->moment.now, jobs, 1, &ended) || !ended ||
	    end_overdue(k, &ended))
		return false;
	for (size_t i = 0; i < ended; i++)
		journal_line(&k->server->journal, JOURNAL_ALWAYS,
		             "warning: work failed: lease=%llu reason=\"%s\"",
		             (unsigned long long)jobs[i].number, OVERDUE_REASON);
	return ended == WRITER_SWEEP;
}

bool writer_sweep(struct writer *k, const struct moment *moment)
{
	bool more;

	k->moment = *moment;
	more = !k->clock.waits && sweep_overdue(k);
	look_at_admissions(k);
	tell_not_admitted(k);
	writer_sessions(k);
	forget_old(k);
	writer_count(k);
	return more;
}
