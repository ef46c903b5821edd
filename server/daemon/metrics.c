/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/daemon/metrics.h"

#include <string.h>
#include <sys/stat.h>

#include "nbp/proto/error.h"
#include "server/store/stats.h"
#include "server/tool/whole_file.h"

int metrics_open(struct metrics *m, const char *database)
{
	const struct store_options options = { .again = true, .relaxed = true,
	                                       .busy_timeout_ms = 500 };

	return m->path ? store_open(&m->store, database, &options) : 0;
}

void metrics_close(struct metrics *m)
{
	if (m->path)
		store_close(&m->store);
}

/* Returns NULL, or what is wrong. */
static const char *write_file(struct metrics *m, struct whole_file *file)
{
	struct stats stats;
	FILE *out;
	bool well;

	if (stats_read(&m->store, &stats))
		return m->store.message;
	if (whole_file_start(file, m->path))
		return file->message;
	out = fopen(file->fresh, "we");
	if (!out) {
		whole_file_drop(file);
		return "cannot be written";
	}
	stats_prometheus(&stats, out);
	/* It holds no secrets, and who collects it is another user. */
	well = fchmod(fileno(out), 0644) == 0 && !ferror(out);
	if (fclose(out) || !well) {
		whole_file_drop(file);
		return "cannot be written";
	}
	return whole_file_finish(file, true) ? file->message : NULL;
}

void metrics_write(struct metrics *m)
{
	struct whole_file file;
	const char *wrong = m->path ? write_file(m, &file) : NULL;

	if (wrong)
		journal_line(m->journal, JOURNAL_TROUBLE, "warning: metrics: %s: %s", m->path,
		             wrong);
}
