/* SPDX-License-Identifier: BSD-2-Clause */
/* Jobs as lists, as text and as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/noun.h"
#include "server/ctl/noun_job.h"
#include "server/store/jobs.h"

#define STATES_MAX 8 /* there are fewer states of a job */

const struct ctl_option opt_open = { "open", NULL, "only jobs that have not ended" };
const struct ctl_option opt_failed = { "failed", NULL, "only failed jobs; as --state failed" };
const struct ctl_option opt_state = {
	"state", "pending|offered|begun|done|failed|cancelled", "only jobs in this state; may be "
	"repeated"
};

/* --- list and show --- ---------------------------------------------------- */

static void list_job(struct ctl *ctl, struct table *table, const struct device *device,
                     const struct job *job)
{
	char number[24], attempt[16], when[24], bundle[NAME_SIZE];
	const char *source;
	int64_t last = job->ended ? job->ended : job->begun ? job->begun :
	               job->offered ? job->offered : job->assigned;

	text_format(number, sizeof(number), "%" PRIu64, job->number);
	text_format(attempt, sizeof(attempt), "%u/%u", job->attempt, job->attempts);
	ctl_time(last, when, sizeof(when));
	ctl_origin(ctl, job, bundle, &source);
	table_add(table, number, device->name, job_state_name(job->state), attempt,
	          ctl_job_name(bundle, job), source, when, job->reason);
}

/* Which jobs "job list" is asked for. */
struct job_filter {
	bool all_states;
	bool states[STATES_MAX];     /* by enum job_state */
	uint64_t *devices, *numbers; /* of these devices, or with these numbers */
	size_t device_count, number_count;
	bool everything;             /* no word says of which */
};

static int add_number(uint64_t **numbers, size_t *count, uint64_t number)
{
	/* The list grows at each power of two. */
	if ((*count & (*count - 1)) == 0) {
		void *more = realloc(*numbers, sizeof(**numbers) * (*count ? 2 * *count : 1));

		if (!more)
			return ctl_error(EXIT_FAULT, "not enough memory");
		*numbers = more;
	}
	(*numbers)[(*count)++] = number;
	return 0;
}

static int add_device(struct ctl *ctl, const struct device *device, void *data)
{
	struct job_filter *filter = data;

	(void)ctl;
	return add_number(&filter->devices, &filter->device_count, device->id);
}

static int compare_numbers(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static bool has_number(const uint64_t *numbers, size_t count, uint64_t number)
{
	return count && bsearch(&number, numbers, count, sizeof(*numbers), compare_numbers);
}

static int read_states(struct ctl *ctl, struct job_filter *filter)
{
	enum job_state state;
	const char *word;

	filter->all_states = true;
	for (size_t i = 0; (word = ctl_option_at(ctl, &opt_state, i)) != NULL; i++) {
		if (job_state_parse(word, &state))
			return ctl_error(EXIT_USAGE, "--state %s: expected %s", word,
			                 opt_state.value);
		filter->states[state] = true;
		filter->all_states = false;
	}
	if (ctl_given(ctl, &opt_failed)) {
		filter->states[JOB_FAILED] = true;
		filter->all_states = false;
	}
	return 0;
}

/* Reads what the words name. */
static int read_targets(struct ctl *ctl, struct job_filter *filter)
{
	struct device device;
	struct job job;
	int status = 0;

	filter->everything = ctl->word_count == 0;
	for (int i = 0; status == 0 && i < ctl->word_count; i++) {
		if (!ctl_is_job_number(ctl->words[i])) {
			status = ctl_each_device(ctl, i, i + 1, add_device, filter);
			continue;
		}
		status = ctl_find_job(ctl, ctl->words[i], &device, &job);
		if (status == 0)
			status = add_number(&filter->numbers, &filter->number_count, job.number);
	}
	if (filter->device_count)
		qsort(filter->devices, filter->device_count, sizeof(uint64_t), compare_numbers);
	if (filter->number_count)
		qsort(filter->numbers, filter->number_count, sizeof(uint64_t), compare_numbers);
	return status;
}

static bool is_wanted(const struct job_filter *filter, const struct job *job)
{
	return (filter->all_states || filter->states[job->state]) &&
	       (filter->everything ||
	        has_number(filter->devices, filter->device_count, job->device) ||
	        has_number(filter->numbers, filter->number_count, job->number));
}

/* Lists the jobs that are wanted, the newest first. */
static int list_jobs(struct ctl *ctl, const struct job_filter *filter)
{
	bool one = filter->device_count == 1 && !filter->number_count;
	struct table table = { .columns = 8 };
	json_t *array = json_array();
	struct device device;
	struct job job;
	struct store_rows *rows;
	int rc = job_list(&ctl->store, one ? filter->devices[0] : 0, ctl_given(ctl, &opt_open),
	                  &rows);

	table_add(&table, "JOB", "DEVICE", "STATE", "ATTEMPT", "WHAT", "SOURCE", "SINCE",
	          "REASON");
	while (store_next(rows, &rc)) {
		job_row(rows, &job);
		if (!is_wanted(filter, &job))
			continue;
		rc = device_by_id(&ctl->store, job.device, &device);
		if (rc == 0 && ctl->json)
			json_array_append_new(array, ctl_json_job(ctl, &device, &job));
		else if (rc == 0)
			list_job(ctl, &table, &device, &job);
	}
	return ctl_answer_list(ctl, rc, &table, array);
}

int ctl_job_list(struct ctl *ctl)
{
	struct job_filter filter = { .devices = NULL };
	int status = read_states(ctl, &filter);

	if (status == 0)
		status = read_targets(ctl, &filter);
	if (status == 0)
		status = list_jobs(ctl, &filter);
	free(filter.devices);
	free(filter.numbers);
	return status;
}

/* Shows a job, or adds it to @array where JSON is wanted. */
static int show_job(struct ctl *ctl, const struct device *device, const struct job *job,
                    json_t *array)
{
	json_t *object;

	if (!ctl->json) {
		printf("job %llu of %s\n", (unsigned long long)job->number, device->name);
		return ctl_print_job(ctl, job, "  ");
	}
	object = ctl_json_job(ctl, device, job);
	if (!object)
		return ctl_store_error(ctl);
	json_array_append_new(array, object);
	return 0;
}

/* Shows the newest job of a device of a folder or group; it may have none. */
static int show_newest(struct ctl *ctl, const struct device *device, void *data)
{
	struct job job;
	int rc = job_newest(&ctl->store, device->id, &job);

	if (rc == ERR_NOT_FOUND)
		return 0;
	return rc ? ctl_store_error(ctl) : show_job(ctl, device, &job, data);
}

int ctl_job_show(struct ctl *ctl)
{
	json_t *array = json_array();
	bool several = ctl->word_count > 1;
	struct device device;
	struct job job;
	int status = 0;

	for (int i = 0; status == 0 && i < ctl->word_count; i++) {
		if (ctl_is_set(ctl->words[i])) {
			several = true;
			status = ctl_each_device(ctl, i, i + 1, show_newest, array);
			continue;
		}
		status = ctl_find_job(ctl, ctl->words[i], &device, &job);
		if (status == 0)
			status = show_job(ctl, &device, &job, array);
	}
	if (status == 0 && ctl->json)
		ctl_print_json(json_incref(several ? array : json_array_get(array, 0)));
	json_decref(array);
	return status;
}
