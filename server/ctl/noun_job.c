/* SPDX-License-Identifier: BSD-2-Clause */
/* Jobs: giving one to a device, cancelling it, and having it done once more. */
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/noun.h"
#include "server/ctl/noun_job.h"
#include "server/ctl/noun_job_change.h"
#include "server/store/jobs.h"
#include "server/store/settings.h"

static const struct ctl_option opt_bundle = { "bundle", "BUNDLE", "the bundle to make the job of" };
static const struct ctl_option opt_replace = { "replace", NULL, "cancel a device's open job" };
static const struct ctl_option opt_force = { "force", NULL, "also a job that is done" };

/* --- assign ------------------------------------------------------------------ */

/* Makes room for a new job, if that is wanted. */
static int check_open(struct ctl *ctl, const struct job_changes *all, struct job_change *one)
{
	struct job *old = &one->old;

	if (!old->number || !job_is_open(old->state))
		return 0;
	if (ctl_given(ctl, &opt_replace))
		return ctl_cancel_job(ctl, old, "replaced by a newer job");
	return REFUSE(all, ctl_error(EXIT_FAULT, "device %s has job %llu already, which is %s; "
	                             "cancel it with \"prebootctl job cancel %s\", or use "
	                             "--replace", one->device.name,
	                             (unsigned long long)old->number,
	                             job_state_name(old->state), one->device.name));
}

/* Counts the words before the first KEY=VALUE: they name devices. */
static int count_targets(const struct ctl *ctl)
{
	int count = 0;

	while (count < ctl->word_count && !strchr(ctl->words[count], '='))
		count++;
	return count;
}

/* Reads what is to be done: a bundle, and what the options say otherwise. */
static int read_job(struct ctl *ctl, struct bundle_whole *bundle)
{
	int status = 0;

	memset(bundle, 0, sizeof(*bundle));
	loader_leave_to_settings(&bundle->bundle.loaders);
	if (ctl_given(ctl, &opt_bundle))
		status = ctl_find_bundle(ctl, ctl_option(ctl, &opt_bundle), bundle);
	else if (!ctl_given(ctl, &opt_config))
		status = ctl_error(EXIT_USAGE, "job assign: missing --bundle BUNDLE, or --config "
		                   "FILE, the loader's configuration, as in z_auto.cfg (\"\": it "
		                   "takes none)");
	if (status == 0)
		status = ctl_read_bundle(ctl, &bundle->bundle);
	if (status == 0)
		status = ctl_read_details(ctl, count_targets(ctl), &bundle->details);
	if (status == 0)
		status = ctl_check_details(&bundle->bundle, &bundle->details, false);
	return status;
}

static int assign_job(struct ctl *ctl, struct job_changes *all, struct job_change *one)
{
	struct origin origin = { .source = SOURCE_HAND, .bundle = all->what.bundle.id };
	struct owner owner = { .level = LEVEL_DEVICE, .id = one->device.id };
	struct settings settings;
	int status = check_open(ctl, all, one);

	if (status)
		return status;
	if (settings_read(&ctl->store, &owner, &settings))
		return ctl_store_error(ctl);
	job_of_bundle(&all->what.bundle, &settings, &one->new);
	one->new.device = one->device.id;
	one->new.assigned = time(NULL);
	if (job_add_of(&ctl->store, &one->new, &all->what.details, &origin) ||
	    ctl_add_job_event(ctl, &one->new, "assigned",
	                      ctl_job_name(all->what.bundle.name, &one->new)))
		return ctl_store_error(ctl);
	return 0;
}

static int assign_jobs(struct ctl *ctl, struct job_changes *all)
{
	int count = count_targets(ctl), status = read_job(ctl, &all->what);

	if (status == 0 && count == 0)
		status = ctl_error(EXIT_USAGE, "job assign: missing argument TARGET");
	for (int i = 0; status == 0 && i < count; i++)
		if (ctl_is_job_number(ctl->words[i]))
			status = ctl_error(EXIT_USAGE, "%s: expected a device, a folder or "
			                   "group:NAME, not a job", ctl->words[i]);
	return status ? status : job_change_words(ctl, all, count);
}

static void say_assigned(const struct job_changes *all, const struct job_change *one, char *out,
                         size_t size)
{
	text_format(out, size, "job %" PRIu64 " assigned to %s: %s", one->new.number,
	            one->device.name, ctl_job_name(all->what.bundle.name, &one->new));
}

static int ctl_job_assign(struct ctl *ctl)
{
	struct job_changes all = { .apply = assign_job };
	int status = CTL_TRANSACTION(ctl, assign_jobs(ctl, &all));

	if (status == 0)
		job_change_warn(ctl, &all);
	return job_change_finish(ctl, &all, status, say_assigned,
	                         "open job already; --replace cancels it");
}

/* --- cancel ------------------------------------------------------------------ */

static int cancel_job(struct ctl *ctl, struct job_changes *all, struct job_change *one)
{
	int status;

	if (!one->old.number)
		return REFUSE(all, ctl_error(EXIT_FAULT, "device %s has no job",
		                             one->device.name));
	if (!job_is_open(one->old.state))
		return REFUSE(all, ctl_error(EXIT_FAULT, "job %llu of %s is %s already",
		                             (unsigned long long)one->old.number,
		                             one->device.name, job_state_name(one->old.state)));
	status = ctl_cancel_job(ctl, &one->old, "by the administrator");
	one->new = one->old;
	return status;
}

static void say_cancelled(const struct job_changes *all, const struct job_change *one, char *out,
                          size_t size)
{
	(void)all;
	text_format(out, size, "job %" PRIu64 " of %s cancelled", one->new.number,
	            one->device.name);
}

static int ctl_job_cancel(struct ctl *ctl)
{
	struct job_changes all = { .apply = cancel_job };
	int status = CTL_TRANSACTION(ctl, job_change_words(ctl, &all, ctl->word_count));

	return job_change_finish(ctl, &all, status, say_cancelled, "no open job");
}

/* --- retry and release ------------------------------------------------------- */

/* Stores a copy of the old job, with all of its attempts. */
static int copy_job(struct ctl *ctl, struct job_change *r)
{
	struct details details;
	struct origin origin;
	char reason[64];

	if (job_details(&ctl->store, r->old.number, &details) ||
	    job_origin(&ctl->store, r->old.number, &origin))
		return ctl_store_error(ctl);
	r->new = r->old;
	r->new.assigned = time(NULL);
	r->new.offered = r->new.begun = r->new.ended = 0;
	r->new.given_up = false;
	r->new.reason[0] = '\0';
	text_format(reason, sizeof(reason), "again, after job %" PRIu64, r->old.number);
	if (job_add_of(&ctl->store, &r->new, &details, &origin) ||
	    (r->session && multicast_joined(&ctl->store, r->session, r->device.id,
	                                    r->new.assigned)) ||
	    ctl_add_job_event(ctl, &r->new, "assigned", reason))
		return ctl_store_error(ctl);
	return 0;
}

/* Refuses a member's job of a session that is over. In one that waits the member joins anew. */
static int check_session(struct ctl *ctl, const struct job_changes *all, struct job_change *r)
{
	struct multicast_row row;
	struct origin origin;
	struct store_rows *rows;
	bool over = true;
	int rc = job_origin(&ctl->store, r->old.number, &origin);

	r->session = 0;
	if (rc == 0 && origin.source != SOURCE_MULTICAST)
		return 0;
	if (rc == 0)
		rc = multicast_list(&ctl->store, &rows);
	while (store_next(rows, &rc)) {
		multicast_row(rows, &row);
		if (row.multicast.id != origin.source_id)
			continue;
		over = row.multicast.state == SESSION_ENDED;
		if (row.multicast.state == SESSION_WAITING)
			r->session = origin.source_id;
	}
	if (rc)
		return ctl_store_error(ctl);
	if (!over)
		return 0;
	return REFUSE(all, ctl_error(EXIT_FAULT, "job %llu of %s was for a multicast session that "
	                             "is over; add another session",
	                             (unsigned long long)r->old.number, r->device.name));
}

/* Refuses a job that cannot be retried. */
static int check_retry(struct ctl *ctl, const struct job_changes *all, struct job_change *r)
{
	unsigned long long number = r->old.number;
	const char *name = r->device.name;
	struct job newest;

	if (!number)
		return REFUSE(all, ctl_error(EXIT_FAULT, "device %s has no job", name));
	if (job_is_open(r->old.state))
		return REFUSE(all, ctl_error(EXIT_FAULT, "job %llu of %s is %s; to have it offered "
		                             "anew with all attempts: \"prebootctl job release "
		                             "%s\"", number, name, job_state_name(r->old.state),
		                             name));
	if (r->old.state == JOB_DONE && !ctl_given(ctl, &opt_force))
		return REFUSE(all, ctl_error(EXIT_FAULT, "job %llu of %s is done; to have it done "
		                             "again, use --force", number, name));
	if (job_newest(&ctl->store, r->device.id, &newest))
		return ctl_store_error(ctl);
	if (job_is_open(newest.state))
		return REFUSE(all, ctl_error(EXIT_FAULT, "device %s has job %llu, which is %s; "
		                             "cancel it first with \"prebootctl job cancel %s\"",
		                             name, (unsigned long long)newest.number,
		                             job_state_name(newest.state), name));
	return check_session(ctl, all, r);
}

static int retry_job(struct ctl *ctl, struct job_changes *all, struct job_change *r)
{
	int status = check_retry(ctl, all, r);

	return status ? status : copy_job(ctl, r);
}

static int release_job(struct ctl *ctl, struct job_changes *all, struct job_change *r)
{
	unsigned long long number = r->old.number;
	int status;

	if (!number)
		return REFUSE(all, ctl_error(EXIT_FAULT, "device %s has no job", r->device.name));
	if (!job_is_open(r->old.state))
		return REFUSE(all, ctl_error(EXIT_FAULT, "job %llu of %s is %s; to have it again: "
		                             "\"prebootctl job retry %llu\"", number,
		                             r->device.name, job_state_name(r->old.state),
		                             number));
	if (r->old.state == JOB_PENDING)
		return REFUSE(all, ctl_error(EXIT_FAULT, "job %llu of %s is pending: it waits for "
		                             "the next boot already", number, r->device.name));
	status = check_session(ctl, all, r);
	if (status == 0)
		status = ctl_cancel_job(ctl, &r->old, "released by the administrator");
	return status ? status : copy_job(ctl, r);
}

static void say_waits(const struct job_changes *all, const struct job_change *one, char *out,
                      size_t size)
{
	(void)all;
	text_format(out, size, "job %" PRIu64 " of %s waits for its next boot, as job %" PRIu64,
	            one->old.number, one->device.name, one->new.number);
}

static int ctl_job_retry(struct ctl *ctl)
{
	struct job_changes all = { .apply = retry_job };
	int status = CTL_TRANSACTION(ctl, job_change_words(ctl, &all, ctl->word_count));

	if (status == 0)
		job_change_warn(ctl, &all);
	return job_change_finish(ctl, &all, status, say_waits,
	                         ctl_given(ctl, &opt_force) ? "no job that has ended"
	                      : "no failed or cancelled job");
}

static int ctl_job_release(struct ctl *ctl)
{
	struct job_changes all = { .apply = release_job };
	int status = CTL_TRANSACTION(ctl, job_change_words(ctl, &all, ctl->word_count));

	if (status == 0)
		job_change_warn(ctl, &all);
	return job_change_finish(ctl, &all, status, say_waits,
	                         "no job that was offered or has begun");
}

/* --- the noun --------------------------------------------------------------- */

static const struct verb verbs[] = {
	{ .name = "assign", .alias = "add", .run = ctl_job_assign, .min = 1, .max = NO_LIMIT,
	  .options = OPTIONS(&opt_bundle, BUNDLE_OPTIONS, &opt_unset, &opt_replace),
	  .usage = "TARGET... --bundle BUNDLE|--config FILE [OPTION]... [KEY=VALUE]...",
	  .help = "Give devices a job for their next boot: a bundle, or what the options say, "
	          "which come before the bundle's own. TARGET may be a folder, as in /site/lab, or "
	          "group:NAME: all devices in it. A device has one open job at a time; those of a "
	          "folder or group that have one are skipped. KEY=VALUE pairs are details that "
	          "prebootwork(8) gets in the booted system; all must fit one datagram, about 900 "
	          "characters." },
	{ .name = "list", .alias = "ls", .run = ctl_job_list, .min = 0, .max = NO_LIMIT,
	  .options = OPTIONS(&opt_open, &opt_failed, &opt_state),
	  .usage = "[TARGET|JOB]... [--open] [--failed] [--state STATE]",
	  .help = "List jobs, the newest first, with their bundle or configuration file and what "
	          "they were made by: all, or those of devices, of the devices in folders "
	          "(/site/lab) and groups (group:NAME), and with these numbers." },
	{ .name = "show", .alias = "info", .run = ctl_job_show, .min = 1, .max = NO_LIMIT,
	  .usage = "TARGET|JOB...",
	  .help = "Show jobs by their numbers, and the newest jobs of devices." },
	{ .name = "cancel", .alias = "remove", .run = ctl_job_cancel, .min = 1, .max = NO_LIMIT,
	  .usage = "TARGET|JOB...",
	  .help = "Cancel jobs that have not ended: by number, the devices' own, or those of all "
	          "devices in a folder (/site/lab) or group (group:NAME). A machine that has begun "
	          "its job is not stopped, but its reports are refused from then on." },
	{ .name = "retry", .alias = "again", .run = ctl_job_retry, .min = 1, .max = NO_LIMIT,
	  .options = OPTIONS(&opt_force), .usage = "TARGET|JOB... [--force]",
	  .help = "Retry failed and cancelled jobs, with all attempts, as new jobs. In a folder or "
	          "group, devices whose newest job has not failed or been cancelled are skipped." },
	{ .name = "release", .alias = "free", .run = ctl_job_release, .min = 1, .max = NO_LIMIT,
	  .usage = "TARGET|JOB...",
	  .help = "Cancel jobs that were offered or have begun, and have them wait for the next "
	          "boot with all attempts, as new jobs." },
	{ .run = NULL },
};

const struct noun noun_job = {
	.name = "job", .alias = "work", .about = "what machines are to do, and did", .verbs = verbs,
};
