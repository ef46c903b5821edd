/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_JOB_SAMPLE_H
#define TESTS_UNIT_JOB_SAMPLE_H

#include "server/model/job.h"

/* A device and its job, of which three attempts may be made, as they are at NOW. */

#define NOW 1000000
#define DEADLINE 100
#define REFUSED 0 /* the state in a receipt */

/* When a job was begun, seen from its deadline. */
enum when { NEVER, IN_TIME, LAST_SECOND, OVERDUE };

static const struct device device = { .id = 5, .name = "web01" };

static inline struct job make_job(enum job_state state, uint32_t attempt, enum when begun)
{
	static const int64_t begun_at[] = {
		[NEVER] = 0, [IN_TIME] = NOW - 1, [LAST_SECOND] = NOW - DEADLINE + 1,
		[OVERDUE] = NOW - DEADLINE,
	};

	return (struct job){
		.number = 7, .device = 5, .state = state, .attempt = attempt, .attempts = 3,
		.deadline = DEADLINE, .assigned = 1, .begun = begun_at[begun],
		.loaders.of = { "pxelinux.0", "syslinux.efi", "", "grubnetaa64.efi" }, .config = "z_auto.cfg",
		.prefix = "boot/",
	};
}

#endif
