/* SPDX-License-Identifier: BSD-2-Clause */
/* The index and the database: what goes from one to the other. */
#include "server/daemon/writer_index.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "server/daemon/writer_files.h"

void writer_log_warnings(struct writer *w)
{
	const char *line = index_warnings(w->server->index);

	while (*line) {
		size_t length = strcspn(line, "\n");

		journal_line(&w->server->journal, JOURNAL_TROUBLE, "warning: %.*s", (int)length,
		             line);
		line += length + (line[length] == '\n');
	}
}

int writer_follow(struct writer *w)
{
	struct server *server = w->server;
	const struct catalog *before;
	struct changes *changes;
	int rc = index_read_changes(server->index, &w->store, &changes);

	/* What is in memory, and what the tokens were made with, is of another database. */
	if (rc == ERR_VERSION) {
		writer_lose_files(w, "", "replaced by an older copy");
		return 0;
	}
	if (rc || !changes)
		return rc;
	pthread_rwlock_wrlock(&server->lock);
	before = index_catalog(server->index);
	rc = index_apply(server->index, changes);
	server->generation += index_catalog(server->index) != before;
	pthread_rwlock_unlock(&server->lock);
	w->followed = true;
	writer_log_warnings(w);
	return rc;
}

/* Loads a new index in the place of the old one. */
static int load_index(struct writer *w)
{
	struct server *server = w->server;
	struct index *index = index_new(), *old = server->index;
	int rc = index ? index_load(index, &w->store) : ERR_SPACE;

	if (rc) {
		index_free(index);
		return rc;
	}
	pthread_rwlock_wrlock(&server->lock);
	server->index = index;
	server->generation++;
	pthread_rwlock_unlock(&server->lock);
	index_free(old);
	w->followed = true;
	writer_log_warnings(w);
	return 0;
}

void writer_reload(struct writer *w, const struct timestamp *timestamp)
{
	struct timestamp end;
	int rc;

	w->timestamp = *timestamp;
	rc = load_index(w);
	end = timestamp_now();
	if (rc)
		journal_line(&w->server->journal, JOURNAL_TROUBLE, "warning: not reloaded: %s",
		             rc == ERR_SPACE ? "no memory" : w->store.message);
	else
		journal_line(&w->server->journal, JOURNAL_ALWAYS, "loaded devices=%zu in %lld ms",
		             index_count(w->server->index),
		             (long long)(end.monotonic - timestamp->monotonic) / 1000000);
}
