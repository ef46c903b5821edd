/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/model/job.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"

/* The database holds these, so they must not change. */
static const char *const names[] = {
	[JOB_PENDING] = "pending", [JOB_OFFERED] = "offered", [JOB_BEGUN] = "begun",
	[JOB_DONE] = "done", [JOB_FAILED] = "failed", [JOB_CANCELLED] = "cancelled",
};

const char *job_state_name(enum job_state state)
{
	return names[state];
}

int job_state_parse(const char *name, enum job_state *state)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0) {
			*state = (enum job_state)i;
			return 0;
		}
	}
	return ERR_NOT_FOUND;
}

/* The database and bundles' exports hold these, so they must not change. */
static const char *const completions[] = {
	[COMPLETION_AGENT] = "agent", [COMPLETION_HANDOVER] = "handover",
	[COMPLETION_NEXT_BOOT] = "next-boot",
};

const char *completion_name(size_t completion)
{
	return completion < sizeof(completions) / sizeof(completions[0])
	       ? completions[completion] : NULL;
}

int completion_parse(const char *name, uint8_t *completion)
{
	for (uint8_t i = 0; completion_name(i); i++) {
		if (strcmp(completions[i], name) == 0) {
			*completion = i;
			return 0;
		}
	}
	return ERR_NOT_FOUND;
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
