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

/* --- several things at once ------------------------------------------------- */

int ctl_add_done(struct ctl_done *done, json_t *value, const char *format, ...)
{
	char sentence[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	json_array_append_new(done->values, value);
	json_array_append_new(done->sentences, json_string(sentence));
	return 0;
}

int ctl_add_removed(struct ctl_done *done, const char *what, const char *name)
{
	return ctl_add_done(done, json_pack("{s:s}", "removed", name), "%s %s removed", what, name);
}

static int change_words(struct ctl *ctl, int end, struct ctl_done *done,
                        int (*change)(struct ctl *ctl, const char *word, struct ctl_done *done))
{
	int status = 0;

	for (int i = 0; status == 0 && i < end; i++)
		status = change(ctl, ctl->words[i], done);
	return status;
}

int ctl_finish_done(struct ctl *ctl, struct ctl_done *done, int status, bool one)
{
	json_t *sentence;
	size_t i;

	if (status == 0 && ctl->json)
		ctl_print_json(json_incref(one ? json_array_get(done->values, 0) : done->values));
	else if (status == 0)
		json_array_foreach(done->sentences, i, sentence)
			puts(json_string_value(sentence));
	json_decref(done->values);
	json_decref(done->sentences);
	return status;
}

int ctl_change_each(struct ctl *ctl, int end,
                    int (*change)(struct ctl *ctl, const char *word, struct ctl_done *done))
{
	struct ctl_done done = { json_array(), json_array() };
	int status = CTL_TRANSACTION(ctl, change_words(ctl, end, &done, change));

	return ctl_finish_done(ctl, &done, status, end == 1);
}

/* --- the event log ----------------------------------------------------------- */

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
