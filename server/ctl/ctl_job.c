/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl_verbs.h"
#include "server/store/jobs.h"

int ctl_tell(struct ctl *ctl, const struct job *job, const char *step, const char *reason)
{
	struct event_record event = { .device = job->device, .time = time(NULL),
	                           .job = job->number };

	text_format(event.step, sizeof(event.step), "%s", step);
	text_format(event.reason, sizeof(event.reason), "%s", reason);
	return event_add(&ctl->store, &event);
}

int ctl_cancel(struct ctl *ctl, struct job *job, const char *reason)
{
	job_end(job, JOB_CANCELLED, time(NULL), reason);
	if (job_update(&ctl->store, job) || ctl_tell(ctl, job, "cancelled", reason))
		return ctl_store_error(ctl);
	return 0;
}

int ctl_answer_job(struct ctl *ctl, const struct device *device, const struct job *job,
                  const char *sentence)
{
	json_t *object;

	if (!ctl->json) {
		puts(sentence);
		return 0;
	}
	object = ctl_json_job(ctl, device, job);
	if (!object)
		return ctl_store_error(ctl);
	ctl_print_json(object);
	return 0;
}

/* --- work list and show ---------------------------------------------------- */

static void list_row(struct ctl *ctl, struct table *table, const struct device *device,
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

int ctl_job_list(struct ctl *ctl)
{
	struct table table = { .columns = 8 };
	struct device device = { 0 };
	struct job job;
	json_t *array;
	sqlite3_stmt *rows;
	int rc, status = 0;

	if (ctl->word_count)
		status = ctl_find_device(ctl, ctl->words[0], &device);
	if (status)
		return status;
	array = json_array();
	table_add(&table, "LEASE", "DEVICE", "STATE", "ATTEMPT", "WORK", "BY", "SINCE",
	          "REASON");
	rc = job_list(&ctl->store, device.id, ctl_given(ctl, OPT_OPEN), &rows);
	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		job_row(rows, &job);
		rc = device_by_id(&ctl->store, job.device, &device);
		if (rc == 0 && ctl->json)
			json_array_append_new(array, ctl_json_job(ctl, &device, &job));
		else if (rc == 0)
			list_row(ctl, &table, &device, &job);
	}
	return ctl_answer_list(ctl, rc, &table, array);
}

static void print_time(const char *indent, const char *what, int64_t time)
{
	char text[32];

	ctl_time(time, text, sizeof(text));
	if (time)
		printf("%s%-9s  %s\n", indent, what, text);
}

int ctl_print_job(struct ctl *ctl, const struct job *job, const char *indent)
{
	struct details details;
	char bundle[NAME_SIZE];
	const char *source;

	if (job_details(&ctl->store, job->number, &details))
		return ctl_store_error(ctl);
	printf("%sstate      %s%s%s\n", indent, job_state_name(job->state),
	       job->reason[0] ? ": " : "", job->reason);
	ctl_origin(ctl, job, bundle, &source);
	printf("%sby         %s%s%s\n", indent, source, bundle[0] ? ", bundle " : "", bundle);
	printf("%sattempt    %u of %u\n", indent, job->attempt, job->attempts);
	printf("%sdeadline   %u s after begun\n", indent, job->deadline);
	printf("%sloader     BIOS %s, UEFI %s\n", indent,
	       job->loader_bios[0] ? job->loader_bios : "none",
	       job->loader_uefi[0] ? job->loader_uefi : "none");
	printf("%sconfig     %s\n", indent, job->config[0] ? job->config : "none");
	if (job->prefix[0])
		printf("%sprefix     %s\n", indent, job->prefix);
	print_time(indent, "assigned", job->assigned);
	print_time(indent, "offered", job->offered);
	print_time(indent, "begun", job->begun);
	print_time(indent, "ended", job->ended);
	for (size_t at = 0; at < details.details_length; at += strlen(details.details + at) + 1)
		printf("%sdetail     %s\n", indent, details.details + at);
	return 0;
}

int ctl_job_show(struct ctl *ctl)
{
	struct device device;
	struct job job;
	int status = ctl_find_job(ctl, ctl->words[0], &device, &job);

	if (status)
		return status;
	if (ctl->json)
		return ctl_answer_job(ctl, &device, &job, "");
	printf("work %llu of %s\n", (unsigned long long)job.number, device.name);
	return ctl_print_job(ctl, &job, "  ");
}

/* --- work cancel ----------------------------------------------------------- */

struct cancelling {
	struct device device;
	struct job job;
};

static int cancelling(struct ctl *ctl, void *data)
{
	struct cancelling *c = data;
	int status = ctl_find_job(ctl, ctl->words[0], &c->device, &c->job);

	if (status)
		return status;
	if (!job_is_open(c->job.state))
		return ctl_error(EXIT_FAULT, "work %llu of %s is %s already",
		                 (unsigned long long)c->job.number, c->device.name,
		                 job_state_name(c->job.state));
	return ctl_cancel(ctl, &c->job, "by the administrator");
}

int ctl_job_cancel(struct ctl *ctl)
{
	struct cancelling c;
	char text[128];
	int status = ctl_transaction(ctl, cancelling, &c);

	if (status)
		return status;
	text_format(text, sizeof(text), "work %" PRIu64 " of %s cancelled", c.job.number, c.device.name);
	return ctl_answer_job(ctl, &c.device, &c.job, text);
}
