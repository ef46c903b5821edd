/* SPDX-License-Identifier: BSD-2-Clause */
/* Jobs: giving one to a device, cancelling it, and having it done once more. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/noun.h"
#include "server/ctl/noun_job.h"
#include "server/store/jobs.h"
#include "server/store/settings.h"

static const struct ctl_option opt_bundle = { "bundle", "BUNDLE", "the bundle to make the job of" };
static const struct ctl_option opt_replace = { "replace", NULL, "cancel the device's open job" };
static const struct ctl_option opt_force = { "force", NULL, "also a job that is done" };

/* Makes room for new work, if that is wanted. */
static int check_open(struct ctl *ctl, const struct device *device)
{
	struct job old;
	int rc = job_newest(&ctl->store, device->id, &old);

	if (rc == ERR_NOT_FOUND || (rc == 0 && !job_is_open(old.state)))
		return 0;
	if (rc)
		return ctl_store_error(ctl);
	if (ctl_given(ctl, &opt_replace))
		return ctl_cancel_job(ctl, &old, "replaced by newer work");
	return ctl_error(EXIT_FAULT, "%s has work %llu already, which is %s; cancel it with "
	                 "\"prebootctl work cancel %s\", or use --replace", device->name,
	                 (unsigned long long)old.number, job_state_name(old.state),
	                 device->name);
}

/* What "work assign" was asked to do, and made. */
struct new_job {
	struct bundle_whole what; /* without a name: said by options alone */
	struct device device;
	struct job job;
};

/* Reads what is to be done: a bundle, and what the options say otherwise. */
static int read_job(struct ctl *ctl, struct bundle_whole *bundle)
{
	int status = 0;

	memset(bundle, 0, sizeof(*bundle));
	text_format(bundle->bundle.loader_bios, FILE_SIZE, LOADER_OF_SETTINGS);
	text_format(bundle->bundle.loader_uefi, FILE_SIZE, LOADER_OF_SETTINGS);
	if (ctl_given(ctl, &opt_bundle))
		status = ctl_find_bundle(ctl, ctl_option(ctl, &opt_bundle), bundle);
	else if (!ctl_given(ctl, &opt_config))
		status = ctl_error(EXIT_USAGE, "work assign: needs --bundle NAME; or --config "
		                   "FILE, the loader's configuration, as in z_auto.cfg (\"\": it "
		                   "takes none)");
	if (status == 0)
		status = ctl_read_bundle(ctl, &bundle->bundle);
	if (status == 0)
		status = ctl_read_details(ctl, 1, &bundle->details);
	if (status == 0)
		status = ctl_check_details(&bundle->bundle, &bundle->details, false);
	return status;
}

static int assign_job(struct ctl *ctl, struct new_job *a)
{
	struct origin origin = { .source = SOURCE_HAND };
	struct owner owner = { .level = LEVEL_DEVICE };
	struct settings settings;
	int status = read_job(ctl, &a->what);

	if (status == 0)
		status = ctl_find_device(ctl, ctl->words[0], &a->device);
	if (status == 0)
		status = check_open(ctl, &a->device);
	if (status)
		return status;
	owner.id = a->device.id;
	origin.bundle = a->what.bundle.id;
	if (settings_read(&ctl->store, &owner, &settings))
		return ctl_store_error(ctl);
	job_of_bundle(&a->what.bundle, &settings, &a->job);
	a->job.device = a->device.id;
	a->job.assigned = time(NULL);
	if (job_add_of(&ctl->store, &a->job, &a->what.details, &origin) ||
	    ctl_add_job_event(ctl, &a->job, "assigned", ctl_job_name(a->what.bundle.name, &a->job)))
		return ctl_store_error(ctl);
	return 0;
}

static int ctl_job_assign(struct ctl *ctl)
{
	struct new_job a;
	char text[300];
	int status = CTL_TRANSACTION(ctl, assign_job(ctl, &a));

	if (status)
		return status;
	text_format(text, sizeof(text), "work %" PRIu64, a.job.number);
	ctl_warn_job(ctl, text, &a.job);
	text_format(text, sizeof(text), "work %" PRIu64 " assigned to %s: %s", a.job.number,
	            a.device.name, ctl_job_name(a.what.bundle.name, &a.job));
	return ctl_answer_job(ctl, &a.device, &a.job, text);
}

/* --- work cancel ----------------------------------------------------------- */

struct device_job {
	struct device device;
	struct job job;
};

static int cancel_job(struct ctl *ctl, struct device_job *c)
{
	int status = ctl_find_job(ctl, ctl->words[0], &c->device, &c->job);

	if (status)
		return status;
	if (!job_is_open(c->job.state))
		return ctl_error(EXIT_FAULT, "work %llu of %s is %s already",
		                 (unsigned long long)c->job.number, c->device.name,
		                 job_state_name(c->job.state));
	return ctl_cancel_job(ctl, &c->job, "by the administrator");
}

static int ctl_job_cancel(struct ctl *ctl)
{
	struct device_job c;
	char text[128];
	int status = CTL_TRANSACTION(ctl, cancel_job(ctl, &c));

	if (status)
		return status;
	text_format(text, sizeof(text), "work %" PRIu64 " of %s cancelled", c.job.number, c.device.name);
	return ctl_answer_job(ctl, &c.device, &c.job, text);
}

struct retry {
	struct device device;
	struct job old, new;
	uint64_t session; /* that it is of and that waits for its members; 0: none */
};

/* Stores a copy of the old job, with all of its attempts. */
static int copy_job(struct ctl *ctl, struct retry *r)
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
	text_format(reason, sizeof(reason), "again, after work %" PRIu64, r->old.number);
	if (job_add_of(&ctl->store, &r->new, &details, &origin) ||
	    (r->session && multicast_joined(&ctl->store, r->session, r->device.id,
	                                    r->new.assigned)) ||
	    ctl_add_job_event(ctl, &r->new, "assigned", reason))
		return ctl_store_error(ctl);
	return 0;
}

/* Refuses a member's work of a session that is over. In one that waits it joins anew. */
static int check_session(struct ctl *ctl, struct retry *r)
{
	struct multicast_row row;
	struct origin origin;
	sqlite3_stmt *rows;
	bool over = true;
	int rc = job_origin(&ctl->store, r->old.number, &origin);

	r->session = 0;
	if (rc == 0 && origin.source != SOURCE_MULTICAST)
		return 0;
	if (rc == 0)
		rc = multicast_list(&ctl->store, &rows);
	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		multicast_row(rows, &row);
		rc = 0;
		if (row.multicast.id != origin.source_id)
			continue;
		over = row.multicast.state == SESSION_ENDED;
		if (row.multicast.state == SESSION_WAITING)
			r->session = origin.source_id;
	}
	if (rc)
		return ctl_store_error(ctl);
	return over ? ctl_error(EXIT_FAULT, "work %llu of %s was for a multicast session that "
	                        "is over; add another session",
	                        (unsigned long long)r->old.number, r->device.name)
	            : 0;
}

static int retry_job(struct ctl *ctl, struct retry *r)
{
	struct job newest;
	int status = ctl_find_job(ctl, ctl->words[0], &r->device, &r->old);

	if (status)
		return status;
	if (job_is_open(r->old.state))
		return ctl_error(EXIT_FAULT, "work %llu of %s is %s; to have it offered anew with "
		                 "all attempts: \"prebootctl work release %s\"",
		                 (unsigned long long)r->old.number, r->device.name,
		                 job_state_name(r->old.state), r->device.name);
	if (r->old.state == JOB_DONE && !ctl_given(ctl, &opt_force))
		return ctl_error(EXIT_FAULT, "work %llu of %s is done; to have it done again, use "
		                 "--force", (unsigned long long)r->old.number, r->device.name);
	if (job_newest(&ctl->store, r->device.id, &newest))
		return ctl_store_error(ctl);
	if (job_is_open(newest.state))
		return ctl_error(EXIT_FAULT, "%s has work %llu, which is %s; cancel it first with "
		                 "\"prebootctl work cancel %s\"", r->device.name,
		                 (unsigned long long)newest.number, job_state_name(newest.state),
		                 r->device.name);
	status = check_session(ctl, r);
	return status ? status : copy_job(ctl, r);
}

static int release_job(struct ctl *ctl, struct retry *r)
{
	int status = ctl_find_job(ctl, ctl->words[0], &r->device, &r->old);

	if (status)
		return status;
	if (!job_is_open(r->old.state))
		return ctl_error(EXIT_FAULT, "work %llu of %s is %s; to have it again: "
		                 "\"prebootctl work retry %llu\"",
		                 (unsigned long long)r->old.number, r->device.name,
		                 job_state_name(r->old.state),
		                 (unsigned long long)r->old.number);
	if (r->old.state == JOB_PENDING)
		return ctl_error(EXIT_FAULT, "work %llu of %s is pending: it waits for the next "
		                 "boot already", (unsigned long long)r->old.number, r->device.name);
	status = check_session(ctl, r);
	if (status == 0)
		status = ctl_cancel_job(ctl, &r->old, "released by the administrator");
	return status ? status : copy_job(ctl, r);
}

static int apply_again(struct ctl *ctl, int (*how)(struct ctl *ctl, struct retry *))
{
	struct retry r;
	char text[200];
	int status = CTL_TRANSACTION(ctl, how(ctl, &r));

	if (status)
		return status;
	text_format(text, sizeof(text), "work %" PRIu64, r.new.number);
	ctl_warn_job(ctl, text, &r.new);
	text_format(text, sizeof(text), "work %" PRIu64 " of %s waits for its next boot, as work %" PRIu64,
	            r.old.number, r.device.name, r.new.number);
	return ctl_answer_job(ctl, &r.device, &r.new, text);
}

static int ctl_job_retry(struct ctl *ctl)
{
	return apply_again(ctl, retry_job);
}

static int ctl_job_release(struct ctl *ctl)
{
	return apply_again(ctl, release_job);
}

/* --- the noun --------------------------------------------------------------- */

static const struct verb verbs[] = {
	{ .name = "assign", .alias = "add", .run = ctl_job_assign, .min = 1, .max = NO_LIMIT,
	  .options = OPTIONS(&opt_bundle, BUNDLE_OPTIONS, &opt_unset, &opt_replace),
	  .usage = "DEVICE --bundle BUNDLE|--config FILE [OPTION]... [KEY=VALUE]...",
	  .help = "Give a device a job for its next boot: a bundle, or what the options say, which "
	          "come before the bundle's own. A device has one open job at a time. KEY=VALUE "
	          "pairs are details that prebootwork(8) gets in the booted system; all must fit "
	          "one datagram, about 900 characters." },
	{ .name = "list", .alias = "ls", .run = ctl_job_list, .min = 0, .max = 1,
	  .options = OPTIONS(&opt_open), .usage = "[DEVICE] [--open]",
	  .help = "List jobs, the newest first, with their bundle or configuration file and what "
	          "they were made by." },
	{ .name = "show", .alias = "info", .run = ctl_job_show, .min = 1, .max = 1,
	  .usage = "DEVICE|JOB", .help = "Show the job with this number, or a device's newest." },
	{ .name = "cancel", .alias = "remove", .run = ctl_job_cancel, .min = 1, .max = 1,
	  .usage = "DEVICE|JOB",
	  .help = "Cancel a job that has not ended. A machine that has begun it is not stopped, but "
	          "its reports are refused from then on." },
	{ .name = "retry", .alias = "again", .run = ctl_job_retry, .min = 1, .max = 1,
	  .options = OPTIONS(&opt_force), .usage = "DEVICE|JOB [--force]",
	  .help = "Retry a failed or cancelled job, with all attempts, as a new job." },
	{ .name = "release", .alias = "free", .run = ctl_job_release, .min = 1, .max = 1,
	  .usage = "DEVICE|JOB",
	  .help = "Cancel a job that was offered or has begun, and have it wait for the next boot "
	          "with all attempts, as a new job." },
	{ .run = NULL },
};

const struct noun noun_job = {
	.name = "job", .alias = "work", .about = "what machines are to do, and did", .verbs = verbs,
};
