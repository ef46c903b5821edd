/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/jobs.h"

#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "server/store/loaders.h"

#define COLUMNS \
	"id, device, state, attempt, attempts, deadline, assigned, offered, begun, ended," \
	" " LOADERS_COLUMNS ", config, prefix, reason, completes, given_up"

void job_row(struct store_rows *row, struct job *job)
{
	char state[16], completes[16];

	memset(job, 0, sizeof(*job));
	job->number = (uint64_t)store_number(row, 0);
	job->device = (uint64_t)store_number(row, 1);
	store_text(row, 2, state, sizeof(state));
	/* The schema allows no other names; of all states this one does no harm. */
	if (job_state_parse(state, &job->state))
		job->state = JOB_CANCELLED;
	job->attempt = (uint32_t)store_number(row, 3);
	job->attempts = (uint32_t)store_number(row, 4);
	job->deadline = (uint32_t)store_number(row, 5);
	job->assigned = store_number(row, 6);
	job->offered = store_number(row, 7);
	job->begun = store_number(row, 8);
	job->ended = store_number(row, 9);
	loaders_row(row, 10, &job->loaders);
	store_text(row, 14, job->config, sizeof(job->config));
	store_text(row, 15, job->prefix, sizeof(job->prefix));
	store_text(row, 16, job->reason, sizeof(job->reason));
	store_text(row, 17, completes, sizeof(completes));
	if (completion_parse(completes, &job->completion))
		job->completion = COMPLETION_AGENT;
	job->given_up = store_number(row, 18);
}

static void read_job(struct store_rows *row, void *job)
{
	job_row(row, job);
}

int job_by_number(struct store *store, uint64_t number, struct job *job)
{
	static const char sql[] = "SELECT " COLUMNS " FROM job WHERE id = ?";

	return store_one(store, read_job, job, sql, "i", (int64_t)number);
}

int job_newest(struct store *store, uint64_t device, struct job *job)
{
	static const char sql[] = "SELECT " COLUMNS
		" FROM job WHERE device = ? ORDER BY id DESC LIMIT 1";

	return store_one(store, read_job, job, sql, "i", (int64_t)device);
}

int job_list_overdue(struct store *store, int64_t now, struct job *jobs, size_t most,
                 size_t *found)
{
	static const char sql[] = "SELECT " COLUMNS
		" FROM job WHERE state = 'begun' AND begun + deadline <= ? LIMIT ?";
	struct store_rows *rows;
	int rc = store_start(store, &rows, sql, "ii", now, (int64_t)most);

	*found = 0;
	while (store_next(rows, &rc)) {
		job_row(rows, &jobs[(*found)++]);
		if (*found < most)
			continue;
		store_end(rows);
		break;
	}
	return rc;
}

int job_add_of(struct store *store, struct job *job, const struct details *details,
                const struct origin *origin)
{
	static const char sql[] =
		"INSERT INTO job (device, state, attempts, deadline, assigned, " LOADERS_COLUMNS ","
		" config, prefix, details, bundle, source, source_id, completes)"
		" VALUES (?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, 0), ?, ?, ?)";
	int rc = store_run(store, sql, "iiiittttttbitit", (int64_t)job->device,
	                   (int64_t)job->attempts, (int64_t)job->deadline, job->assigned,
	                   LOADERS_VALUES(job->loaders), job->config, job->prefix,
	                   details->details, (size_t)details->details_length,
	                   (int64_t)origin->bundle, source_name(origin->source),
	                   (int64_t)origin->source_id,
	                   completion_name(job->completion));

	job->number = store_last_id(store);
	if (rc == 0 && job->number > JOB_NUMBER_MAX) {
		snprintf(store->message, sizeof(store->message), "%s: " STORE_NUMBERS_SPENT,
		         store->path);
		return ERR_IO;
	}
	job->state = JOB_PENDING;
	job->attempt = 0;
	job->given_up = false;
	return rc;
}

int job_add(struct store *store, struct job *job, const struct details *details)
{
	static const struct origin by_hand = { .source = SOURCE_HAND };

	return job_add_of(store, job, details, &by_hand);
}

static void take_origin(struct store_rows *row, void *out)
{
	struct origin *origin = out;
	char source[16];

	origin->bundle = (uint64_t)store_number(row, 0);
	store_text(row, 1, source, sizeof(source));
	origin->source = SOURCE_HAND;
	(void)source_parse(source, &origin->source); /* the schema allows no others */
	origin->source_id = (uint64_t)store_number(row, 2);
}

int job_origin(struct store *store, uint64_t number, struct origin *origin)
{
	static const char sql[] =
		"SELECT ifnull(bundle, 0), source, source_id FROM job WHERE id = ?";

	return store_one(store, take_origin, origin, sql, "i", (int64_t)number);
}

static void take_details(struct store_rows *row, void *out)
{
	size_t length;
	const void *details_kept = store_blob(row, 0, &length);
	struct details *details = out;

	if (length > sizeof(details->details))
		return;
	if (length)
		memcpy(details->details, details_kept, length);
	details->details_length = (uint16_t)length;
}

int job_details(struct store *store, uint64_t number, struct details *details)
{
	static const char sql[] = "SELECT details FROM job WHERE id = ?";

	details->details_length = 0;
	return store_one(store, take_details, details, sql, "i", (int64_t)number);
}

int job_update(struct store *store, const struct job *job)
{
	static const char sql[] =
		"UPDATE job SET state = ?2, attempt = ?3, offered = ?4, begun = ?5, ended = ?6,"
		" reason = ?7, given_up = ?8 WHERE id = ?1";
	int rc = store_run(store, sql, "itiiiiti", (int64_t)job->number,
	                   job_state_name(job->state), (int64_t)job->attempt, job->offered,
	                   job->begun, job->ended, job->reason,
	                   (int64_t)job->given_up);

	if (rc == 0 && store_changes(store) != 1)
		rc = ERR_NOT_FOUND;
	return rc;
}

int job_accepted(struct store *store, const struct job *job,
                  const uint8_t nonce[NONCE_SIZE])
{
	static const char sql[] =
		"INSERT INTO offer (job, attempt, nonce, time) VALUES (?, ?, ?, ?)";

	return store_run(store, sql, "iibi", (int64_t)job->number, (int64_t)job->attempt, nonce,
	                 (size_t)NONCE_SIZE, job->offered);
}

int job_attempt_of(struct store *store, uint64_t number, const uint8_t nonce[NONCE_SIZE],
                    uint32_t *attempt)
{
	static const char sql[] = "SELECT attempt FROM offer WHERE job = ? AND nonce = ?";
	struct store_rows *row;
	int rc = store_start(store, &row, sql, "ib", (int64_t)number, nonce, (size_t)NONCE_SIZE);

	*attempt = 0;
	if (rc || (rc = store_step(row)) != 1)
		return rc;
	*attempt = (uint32_t)store_number(row, 0);
	store_end(row);
	return 0;
}

int job_many(struct store *store, uint64_t device, int64_t since, bool *many)
{
	static const char sql[] =
		"SELECT assigned FROM job WHERE device = ? ORDER BY id DESC LIMIT 1 OFFSET ?";
	int64_t assigned = 0;
	int rc = store_one(store, store_take_number, &assigned, sql, "ii", (int64_t)device,
	                   (int64_t)JOB_HOURLY - 1);

	*many = rc == 0 && assigned > since;
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

int job_prune(struct store *store, uint64_t after, uint64_t span, int64_t before, bool *end)
{
	static const char any[] = "SELECT EXISTS (SELECT 1 FROM job WHERE id > ?)";
	static const char prune[] =
		"DELETE FROM job WHERE id > ?1 AND id <= ?2"
		" AND state IN ('done', 'failed', 'cancelled') AND ended < ?3 AND NOT EXISTS"
		" (SELECT 1 FROM past WHERE past.device = job.device AND past.job = job.id)";
	int64_t last = (int64_t)(after + span), more;
	int rc = store_run(store, prune, "iii", (int64_t)after, last, before);

	if (rc == 0)
		rc = store_one(store, store_take_number, &more, any, "i", last);
	*end = rc == 0 && more == 0;
	return rc;
}

int job_last_number(struct store *store, uint64_t *number)
{
	static const char sql[] =
		"SELECT ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'job'), 0)";

	return store_one(store, store_take_number, number, sql, "");
}

int job_raise_last_number(struct store *store, uint64_t number)
{
	static const char make[] =
		"INSERT INTO sqlite_sequence (name, seq) SELECT 'job', 0"
		" WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'job')";
	static const char raise[] =
		"UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'job'";
	int rc = store_run(store, make, "");

	return rc ? rc : store_run(store, raise, "i", (int64_t)number);
}

int job_list(struct store *store, uint64_t device, bool only_open, struct store_rows **rows)
{
	static const char sql[] = "SELECT " COLUMNS
		" FROM job WHERE (?1 = 0 OR device = ?1)"
		" AND (?2 = 0 OR state IN ('pending', 'offered', 'begun')) ORDER BY id DESC";

	return store_start(store, rows, sql, "ii", (int64_t)device, (int64_t)only_open);
}

int job_offers(struct store *store, uint64_t number, struct store_rows **rows)
{
	static const char sql[] =
		"SELECT attempt, time FROM offer WHERE job = ? ORDER BY attempt";

	return store_start(store, rows, sql, "i", (int64_t)number);
}

int job_list_files(struct store *store, struct store_rows **rows)
{
	static const char sql[] = "SELECT " COLUMNS " FROM job WHERE id IN"
		" (SELECT min(id) FROM job WHERE state IN ('pending', 'offered', 'begun')"
		" GROUP BY " LOADERS_COLUMNS ", config, prefix)";

	return store_start(store, rows, sql, "");
}

int job_shift_times(struct store *store, int64_t seconds)
{
	static const char sql[] = "UPDATE job SET begun = begun + ? WHERE state = 'begun'";

	return store_run(store, sql, "i", seconds);
}
