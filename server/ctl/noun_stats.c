/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "server/ctl/noun.h"
#include "server/store/stats.h"

static const struct ctl_option opt_prometheus = {
	"prometheus", NULL, "print them in Prometheus' text format"
};

static void add_row(struct table *table, const char *what, const char *kind, uint64_t count)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, count);
	table_add(table, what, kind, text);
}

static void add_time(struct table *table, const char *kind, uint64_t us)
{
	char text[32];

	if (us == UINT64_MAX)
		snprintf(text, sizeof(text), "over the longest limit");
	else
		snprintf(text, sizeof(text), "%g ms", (double)us / 1000);
	table_add(table, "answer time", kind, text);
}

static void print_stats(const struct stats *stats)
{
	struct table table = { .columns = 3 };

	table_add(&table, "WHAT", "KIND", "COUNT");
	for (size_t i = 0; i < stats->counter_count; i++) {
		const struct stats_counter *c = &stats->counters[i];
		const struct stats_family *family = stats_family(c->name);

		add_row(&table, family ? family->people : c->name,
		        family ? c->name + strlen(family->prefix) : "", c->value);
	}
	if (stats->answers) {
		add_time(&table, "mean", stats->time_us / stats->answers);
		add_time(&table, "50 % within", stats_time_of(stats, 50));
		add_time(&table, "99 % within", stats_time_of(stats, 99));
	}
	for (int state = 0; state <= JOB_CANCELLED; state++)
		add_row(&table, "jobs", job_state_name((enum job_state)state),
		        stats->jobs[state]);
	add_row(&table, "devices", "", stats->devices);
	add_row(&table, "unknown machines", "", stats->unknowns);
	table_print(&table);
}

static json_t *json_times(const struct stats *stats)
{
	json_t *list = json_array();

	for (size_t i = 0; i < stats->time_count; i++) {
		uint64_t limit = stats->times[i].limit_us;

		json_array_append_new(list, json_pack(
			"{s:o, s:I}", "within_us",
			limit == UINT64_MAX ? json_null() : json_integer((json_int_t)limit),
			"count", (json_int_t)stats->times[i].count));
	}
	return json_pack("{s:I, s:I, s:o}", "count", (json_int_t)stats->answers, "sum_us",
	                 (json_int_t)stats->time_us, "times", list);
}

static json_t *json_stats(const struct stats *stats)
{
	json_t *counters = json_object(), *jobs = json_object();

	for (size_t i = 0; i < stats->counter_count; i++)
		json_object_set_new(counters, stats->counters[i].name,
		                    json_integer((json_int_t)stats->counters[i].value));
	for (int state = 0; state <= JOB_CANCELLED; state++)
		json_object_set_new(jobs, job_state_name((enum job_state)state),
		                    json_integer((json_int_t)stats->jobs[state]));
	return json_pack("{s:o, s:o, s:o, s:I, s:I}", "counters", counters, "answer_time",
	                 json_times(stats), "jobs", jobs, "devices",
	                 (json_int_t)stats->devices, "unknown_machines",
	                 (json_int_t)stats->unknowns);
}

static int ctl_stats(struct ctl *ctl)
{
	struct stats stats;

	if (stats_read(&ctl->store, &stats))
		return ctl_store_error(ctl);
	if (ctl_given(ctl, &opt_prometheus))
		stats_prometheus(&stats, stdout);
	else if (ctl->json)
		ctl_print_json(json_stats(&stats));
	else
		print_stats(&stats);
	return 0;
}

static const struct verb verbs[] = {
	{ .run = ctl_stats, .options = OPTIONS(&opt_prometheus), .usage = "[--prometheus]",
	  .help = "Print the counters of requests, answers, drops and answer times since "
	          "prebootd's start, and the numbers of jobs by state, of devices and of unknown "
	          "machines." },
	{ .run = NULL },
};

const struct noun noun_stats = {
	.name = "stats", .about = "counters of requests, answers and jobs", .verbs = verbs,
};
