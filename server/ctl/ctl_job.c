/* SPDX-License-Identifier: BSD-2-Clause */
/* Jobs: what people call them, as text and as JSON. */
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl.h"
#include "server/store/jobs.h"

/* --- as JSON ------------------------------------------------------------------ */

static json_t *json_offers(struct ctl *ctl, const struct job *job)
{
	json_t *array = json_array();
	struct store_rows *rows;
	int rc = job_offers(&ctl->store, job->number, &rows);

	while (store_next(rows, &rc)) {
		json_t *time = ctl_json_time(store_number(rows, 1));

		json_array_append_new(array, json_pack("{s:i, s:o}", "attempt",
		                                       store_number(rows, 0), "time", time));
	}
	return array;
}

void ctl_origin(struct ctl *ctl, const struct job *job, char bundle[NAME_SIZE],
                const char **source)
{
	struct bundle_whole whole;
	struct origin origin;

	bundle[0] = '\0';
	*source = "hand";
	if (job_origin(&ctl->store, job->number, &origin))
		return;
	*source = source_name(origin.source);
	if (origin.bundle && bundle_by_id(&ctl->store, origin.bundle, &whole) == 0)
		snprintf(bundle, NAME_SIZE, "%s", whole.bundle.name);
}

const char *ctl_job_name(const char *bundle, const struct job *job)
{
	if (bundle[0])
		return bundle;
	if (job->config[0])
		return job->config;
	return job->loaders.of[loader_first(&job->loaders) % LOADERS]; /* an open job has one */
}

json_t *ctl_json_job(struct ctl *ctl, const struct device *device, const struct job *job)
{
	struct details details;
	char bundle[NAME_SIZE];
	const char *source;

	if (job_details(&ctl->store, job->number, &details))
		return NULL;
	ctl_origin(ctl, job, bundle, &source);
	return json_pack("{s:I, s:s, s:o, s:s, s:s, s:i, s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:s,"
	                 " s:o, s:o, s:o, s:o, s:o}",
	                 "job", (json_int_t)job->number, "device", device->name,
	                 "bundle", bundle[0] ? json_string(bundle) : json_null(), "source", source,
	                 "state", job_state_name(job->state), "attempt", (int)job->attempt,
	                 "attempts", (int)job->attempts, "deadline", (int)job->deadline,
	                 CTL_JSON_LOADERS(job->loaders),
	                 "config", job->config, "prefix", job->prefix, "details",
	                 ctl_json_details(&details),
	                 "reason", job->reason, "assigned", ctl_json_time(job->assigned),
	                 "offered", ctl_json_time(job->offered),
	                 "begun", ctl_json_time(job->begun),
	                 "ended", ctl_json_time(job->ended), "offers", json_offers(ctl, job));
}

/* --- as text ------------------------------------------------------------------ */

static void print_time(const char *indent, const char *what, int64_t time)
{
	char text[32];

	ctl_time(time, text, sizeof(text));
	if (time)
		printf("%s%-9s  %s\n", indent, what, text);
}

void ctl_print_loaders(const char *indent, const struct job *job)
{
	for (enum loader_kind kind = 0; kind < LOADERS; kind++)
		printf("%s%s for %s", kind ? ", " : indent,
		       job->loaders.of[kind][0] ? job->loaders.of[kind] : "nothing",
		       loader_machines(kind));
	printf("%s%s\n", job->config[0] ? ", with " : "", job->config);
}

int ctl_print_job(struct ctl *ctl, const struct job *job, const char *indent)
{
	struct details details;
	char bundle[NAME_SIZE], deadline[CTL_SECONDS];
	const char *source;

	if (job_details(&ctl->store, job->number, &details))
		return ctl_store_error(ctl);
	printf("%sstate      %s%s%s\n", indent, job_state_name(job->state),
	       job->reason[0] ? ": " : "", job->reason);
	ctl_origin(ctl, job, bundle, &source);
	printf("%sby         %s%s%s\n", indent, source, bundle[0] ? ", bundle " : "", bundle);
	printf("%sattempt    %u of %u\n", indent, job->attempt, job->attempts);
	ctl_seconds_text(job->deadline, deadline);
	printf("%sdeadline   %s after it has begun\n", indent, deadline);
	for (enum loader_kind kind = 0; kind < LOADERS; kind++)
		printf("%s%s%s %s", kind ? ", " : indent, kind ? "" : "loader     ",
		       loader_machines(kind),
		       job->loaders.of[kind][0] ? job->loaders.of[kind] : "none");
	puts("");
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
