/* SPDX-License-Identifier: BSD-2-Clause */
/* Changing the database: transactions, names, and what is kept in the event log. */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl.h"
#include "server/store/jobs.h"

int ctl_check_free_name(struct ctl *ctl, const struct named *named, const char *name, uint64_t id)
{
	uint64_t other = 0;
	int rc;

	if (!device_name_ok(name))
		return ctl_error(EXIT_USAGE, "%s: not a name for a %s; expected 1 to %d letters, "
		                 "digits, \".\", \"_\" and \"-\", beginning with a letter or "
		                 "digit, and not all digits", name, named->what, NAME_SIZE - 1);
	rc = named->find(&ctl->store, name, &other);
	if (rc == ERR_NOT_FOUND || (rc == 0 && other == id))
		return 0;
	return rc ? ctl_store_error(ctl)
	          : ctl_error(EXIT_FAULT, "%s %s already exists", named->what, name);
}

int ctl_begin(struct ctl *ctl)
{
	return store_begin(&ctl->store) ? ctl_store_error(ctl) : 0;
}

int ctl_end(struct ctl *ctl, int status)
{
	if (status == 0 && store_commit(&ctl->store))
		status = ctl_store_error(ctl);
	store_rollback(&ctl->store);
	return status;
}

int ctl_add_event(struct ctl *ctl, uint64_t device, const char *step, const char *format, ...)
{
	struct event_record event = { .device = device, .time = time(NULL) };
	va_list args;

	text_format(event.step, sizeof(event.step), "%s", step);
	va_start(args, format);
	vsnprintf(event.reason, sizeof(event.reason), format, args);
	va_end(args);
	return event_add(&ctl->store, &event) ? ctl_store_error(ctl) : 0;
}

int ctl_add_job_event(struct ctl *ctl, const struct job *job, const char *step, const char *reason)
{
	struct event_record event = { .device = job->device, .time = time(NULL),
		                      .job = job->number };

	text_format(event.step, sizeof(event.step), "%s", step);
	text_format(event.reason, sizeof(event.reason), "%s", reason);
	return event_add(&ctl->store, &event);
}

int ctl_cancel_job(struct ctl *ctl, struct job *job, const char *reason)
{
	job_end(job, JOB_CANCELLED, time(NULL), reason);
	if (job_update(&ctl->store, job) || ctl_add_job_event(ctl, job, "cancelled", reason))
		return ctl_store_error(ctl);
	return 0;
}
