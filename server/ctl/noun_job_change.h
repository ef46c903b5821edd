/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_CTL_NOUN_JOB_CHANGE_H
#define SERVER_CTL_NOUN_JOB_CHANGE_H

#include "server/ctl/ctl.h"

/* What the verbs that change jobs share: they do the same to one job or device after another. */

/* A device, its job before, and what became of it. */
struct job_change {
	struct device device;
	struct job old, new;
	uint64_t session; /* that a retried job is of and that waits for its members; 0: none */
};

/* What a verb does to all that its words name, in one transaction. */
struct job_changes {
	/** Changes one. Returns an exit status after saying why, or JOB_SKIPPED. */
	int (*apply)(struct ctl *ctl, struct job_changes *all, struct job_change *one);
	struct bundle_whole what; /* that devices are given; it has no name if options say it all */
	bool whole;               /* the word at hand stands for all devices of a folder or group */
	struct job_change *done;  /* one after another */
	size_t done_count, skipped;
};

#define JOB_SKIPPED (-1) /* a device of a folder or group for which there is nothing to do */

/*
 * Refuses a device or job that was named, and skips one of a folder or group: @status of
 * ctl_error() is evaluated only in the first case.
 */
#define REFUSE(all, status) ((all)->whole ? JOB_SKIPPED : (status))

/** Applies the verb to what the words before @end name. Returns an exit status. */
int job_change_words(struct ctl *ctl, struct job_changes *all, int end);

/** Warns of files that are missing, once: the jobs of one verb name the same. */
void job_change_warn(struct ctl *ctl, const struct job_changes *all);

/**
 * Ends a verb: prints what was done, a sentence for each job, or reports that nothing was; and
 * frees it. Returns @status, or the exit status of what failed then.
 * @say: writes the sentence; @skipped: why devices of folders and groups were skipped
 */
int job_change_finish(struct ctl *ctl, struct job_changes *all, int status,
                      void (*say)(const struct job_changes *all, const struct job_change *one,
                                  char *out, size_t size), const char *skipped);

#endif
