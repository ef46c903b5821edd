/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl_verbs.h"
#include "server/store/jobs.h"
#include "server/store/settings.h"

/* Makes room for new work, if that is wanted. */
static int check_open(struct ctl *ctl, const struct device *device)
{
	struct job old;
	int rc = job_newest(&ctl->store, device->id, &old);

	if (rc == ERR_NOT_FOUND || (rc == 0 && !job_is_open(old.state)))
		return 0;
	if (rc)
		return ctl_store_error(ctl);
	if (ctl_given(ctl, OPT_REPLACE))
		return ctl_cancel(ctl, &old, "replaced by newer work");
	return ctl_error(EXIT_FAULT, "%s has work %llu already, which is %s; cancel it with "
	                 "\"prebootctl work cancel %s\", or use --replace", device->name,
	                 (unsigned long long)old.number, job_state_name(old.state),
	                 device->name);
}

/* What "work assign" was asked to do, and made. */
struct assigning {
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
	if (ctl_given(ctl, OPT_BUNDLE))
		status = ctl_find_bundle(ctl, ctl->option[OPT_BUNDLE], bundle);
	else if (!ctl_given(ctl, OPT_CONFIG))
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

static int assign(struct ctl *ctl, void *data)
{
	struct assigning *a = data;
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
	    ctl_tell(ctl, &a->job, "assigned", ctl_job_name(a->what.bundle.name, &a->job)))
		return ctl_store_error(ctl);
	return 0;
}

int ctl_job_assign(struct ctl *ctl)
{
	struct assigning a;
	char text[300];
	int status = ctl_transaction(ctl, assign, &a);

	if (status)
		return status;
	text_format(text, sizeof(text), "work %" PRIu64, a.job.number);
	ctl_warn_job(ctl, text, &a.job);
	text_format(text, sizeof(text), "work %" PRIu64 " assigned to %s: %s", a.job.number,
	            a.device.name, ctl_job_name(a.what.bundle.name, &a.job));
	return ctl_answer_job(ctl, &a.device, &a.job, text);
}
