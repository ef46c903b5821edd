/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_CTL_NOUN_JOB_H
#define SERVER_CTL_NOUN_JOB_H

#include "server/ctl/noun.h"

/* What the files of this noun share. */

extern const struct ctl_option opt_open, opt_failed, opt_state;

/* The verbs that have a file of their own; each returns an exit status. */
int ctl_job_list(struct ctl *ctl);
int ctl_job_show(struct ctl *ctl);

#endif
