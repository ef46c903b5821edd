/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/model/job.h"

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/model/names.h"

/* The database holds these, so they must not change. */
const char *const job_state_names[] = {
	[JOB_PENDING] = "pending", [JOB_OFFERED] = "offered", [JOB_BEGUN] = "begun",
	[JOB_DONE] = "done", [JOB_FAILED] = "failed", [JOB_CANCELLED] = "cancelled", NULL,
};

const char *job_state_name(enum job_state state)
{
	return job_state_names[state];
}

int job_state_parse(const char *name, enum job_state *state)
{
	int value = NAMES_FIND(job_state_names, name);

	if (value < 0)
		return ERR_NOT_FOUND;
	*state = (enum job_state)value;
	return 0;
}

/* The database and bundles' exports hold these, so they must not change. */
const char *const completion_names[] = {
	[COMPLETION_AGENT] = "agent", [COMPLETION_HANDOVER] = "handover",
	[COMPLETION_NEXT_BOOT] = "next-boot", NULL,
};

const char *completion_name(size_t completion)
{
	return completion < NAMES_COUNT(completion_names) ? completion_names[completion] : NULL;
}

int completion_parse(const char *name, uint8_t *completion)
{
	int value = NAMES_FIND(completion_names, name);

	if (value < 0)
		return ERR_NOT_FOUND;
	*completion = (uint8_t)value;
	return 0;
}

/* The database holds these, so they must not change. */
static const char *const sources[] = {
	[SOURCE_HAND] = "hand", [SOURCE_ASSIGNMENT] = "assignment", [SOURCE_RULE] = "rule",
	[SOURCE_MULTICAST] = "multicast",
};

const char *source_name(enum source source)
{
	return sources[source];
}

int source_parse(const char *name, enum source *source)
{
	int value = NAMES_FIND(sources, name);

	if (value < 0)
		return ERR_NOT_FOUND;
	*source = (enum source)value;
	return 0;
}

bool job_is_open(enum job_state state)
{
	return state == JOB_PENDING || state == JOB_OFFERED || state == JOB_BEGUN;
}

bool job_is_overdue(const struct job *job, int64_t now)
{
	return job->state == JOB_BEGUN && now >= job->begun + job->deadline;
}

void job_end(struct job *job, enum job_state state, int64_t now, const char *reason)
{
	job->state = state;
	job->ended = now;
	text_format(job->reason, sizeof(job->reason), "%s", reason);
}
