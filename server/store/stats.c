/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/stats.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"

/* --- reading --------------------------------------------------------------- */

/* Takes "time_300us", "time_1ms" or "time_more". */
static bool take_time(struct stats *stats, const char *name, uint64_t value)
{
	uint64_t limit = UINT64_MAX;
	char *unit;

	if (strncmp(name, "time_", 5) != 0 || stats->time_count == STATS_TIMES_MAX)
		return false;
	if (strcmp(name, "time_us") == 0) {
		stats->time_us = value;
		return true;
	}
	if (strcmp(name, "time_more") != 0) {
		limit = strtoull(name + 5, &unit, 10);
		if (strcmp(unit, "ms") == 0)
			limit *= 1000;
		else if (strcmp(unit, "us") != 0)
			return false;
	}
	stats->times[stats->time_count++] = (struct stats_time){ limit, value };
	stats->answers += value;
	return true;
}

static int by_limit(const void *a, const void *b)
{
	const struct stats_time *x = a, *y = b;

	return x->limit_us < y->limit_us ? -1 : x->limit_us > y->limit_us;
}

static int read_counters(struct store *store, struct stats *stats)
{
	static const char sql[] = "SELECT name, value FROM counter ORDER BY name";
	struct stats_counter counter;
	struct store_rows *rows;
	int rc = store_start(store, &rows, sql, "");

	while (store_next(rows, &rc)) {
		store_text(rows, 0, counter.name, sizeof(counter.name));
		counter.value = (uint64_t)store_number(rows, 1);
		if (!take_time(stats, counter.name, counter.value) &&
		    stats->counter_count < STATS_COUNTERS_MAX)
			stats->counters[stats->counter_count++] = counter;
	}
	qsort(stats->times, stats->time_count, sizeof(stats->times[0]), by_limit);
	for (size_t i = 1; i < stats->time_count; i++)
		stats->times[i].count += stats->times[i - 1].count;
	return rc;
}

static int read_job_rows(struct store *store, struct stats *stats)
{
	static const char sql[] = "SELECT state, count(*) FROM job GROUP BY state";
	enum job_state state;
	char name[16];
	struct store_rows *rows;
	int rc = store_start(store, &rows, sql, "");

	while (store_next(rows, &rc)) {
		store_text(rows, 0, name, sizeof(name));
		if (job_state_parse(name, &state) == 0)
			stats->jobs[state] = (uint64_t)store_number(rows, 1);
	}
	return rc;
}

int stats_read(struct store *store, struct stats *stats)
{
	static const char sql[] =
		"SELECT (SELECT count(*) FROM device), (SELECT count(*) FROM unknown_machine)";
	struct store_rows *row;
	int rc;

	memset(stats, 0, sizeof(*stats));
	rc = read_counters(store, stats);
	if (rc == 0)
		rc = read_job_rows(store, stats);
	if (rc == 0)
		rc = store_start(store, &row, sql, "");
	if (rc || (rc = store_step(row)) != 1)
		return rc;
	stats->devices = (uint64_t)store_number(row, 0);
	stats->unknowns = (uint64_t)store_number(row, 1);
	store_end(row);
	return 0;
}

uint64_t stats_time_of(const struct stats *stats, unsigned int percent)
{
	for (size_t i = 0; i < stats->time_count; i++)
		if (stats->answers && stats->times[i].count * 100 >= stats->answers * percent)
			return stats->times[i].limit_us;
	return 0;
}

/* --- Prometheus ------------------------------------------------------------ */

const struct stats_family *stats_family(const char *name)
{
	static const struct stats_family families[] = {
		{ "asked_", "asked", "questions", "kind",
		  "Messages received, by type." },
		{ "answered_", "answered", "answers", "kind",
		  "Replies sent, by kind: a job, local boot, an unknown machine, details, a"
		  " receipt." },
		{ "drop_", "dropped", "drops", "reason",
		  "Datagrams received that got no reply, by reason." },
	};

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (strncmp(name, families[i].prefix, strlen(families[i].prefix)) == 0)
			return &families[i];
	return NULL;
}

/* Says what a counter of no family counts. */
static const char *counter_help(const char *name)
{
	static const struct {
		const char *name, *help;
	} helps[] = {
		{ "history_lost", "Events and requests that were not stored, as there were too many"
		  " or the database failed." },
		{ "not_admitted", "Requests of unknown machines that were not admitted because of a"
		  " limit." },
	};

	for (size_t i = 0; i < sizeof(helps) / sizeof(helps[0]); i++)
		if (strcmp(helps[i].name, name) == 0)
			return helps[i].help;
	return "A counter of another version of prebootd.";
}

static void put_head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP openpreboot_%s %s\n# TYPE openpreboot_%s %s\n", name, help, name,
	        type);
}

/* The table is by name, so that those of a family stand together. */
static void put_counters(const struct stats *stats, FILE *out)
{
	const struct stats_family *last = NULL;
	char name[64];

	for (size_t i = 0; i < stats->counter_count; i++) {
		const struct stats_counter *c = &stats->counters[i];
		const struct stats_family *family = stats_family(c->name);

		snprintf(name, sizeof(name), "%s_total", family ? family->metric : c->name);
		if (!family || family != last)
			put_head(out, name, "counter",
			         family ? family->help : counter_help(c->name));
		if (family)
			fprintf(out, "openpreboot_%s{%s=\"%s\"} %" PRIu64 "\n", name, family->label,
			        c->name + strlen(family->prefix), c->value);
		else
			fprintf(out, "openpreboot_%s %" PRIu64 "\n", name, c->value);
		last = family;
	}
}

static void put_times(const struct stats *stats, FILE *out)
{
	if (stats->time_count == 0)
		return;
	put_head(out, "answer_seconds", "histogram",
	         "Time from receiving a message to sending its reply.");
	for (size_t i = 0; i < stats->time_count; i++)
		if (stats->times[i].limit_us != UINT64_MAX)
			fprintf(out, "openpreboot_answer_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
			        (double)stats->times[i].limit_us / 1e6, stats->times[i].count);
	fprintf(out, "openpreboot_answer_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
	        "openpreboot_answer_seconds_sum %.6f\n"
	        "openpreboot_answer_seconds_count %" PRIu64 "\n", stats->answers,
	        (double)stats->time_us / 1e6, stats->answers);
}

void stats_prometheus(const struct stats *stats, FILE *out)
{
	put_counters(stats, out);
	put_times(stats, out);
	put_head(out, "jobs", "gauge", "Jobs in the database, by state.");
	for (int state = 0; state <= JOB_CANCELLED; state++)
		fprintf(out, "openpreboot_jobs{state=\"%s\"} %" PRIu64 "\n",
		        job_state_name((enum job_state)state), stats->jobs[state]);
	put_head(out, "devices", "gauge", "Devices in the database.");
	fprintf(out, "openpreboot_devices %" PRIu64 "\n", stats->devices);
	put_head(out, "unknown_machines", "gauge", "Unknown machines in the database.");
	fprintf(out, "openpreboot_unknown_machines %" PRIu64 "\n", stats->unknowns);
}

/* --- writing --------------------------------------------------------------- */

int counter_write(struct store *store, const char *name, uint64_t value)
{
	static const char sql[] = "INSERT OR REPLACE INTO counter VALUES (?, ?)";

	return store_run(store, sql, "ti", name, (int64_t)value);
}

int counter_clear(struct store *store)
{
	return store_run(store, "DELETE FROM counter", "");
}
