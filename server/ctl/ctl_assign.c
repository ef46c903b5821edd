/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl_verbs.h"
#include "server/store/work.h"

/* Makes room for new work, if that is wanted. */
static int check_open(struct ctl *ctl, const struct device *device)
{
	struct lease old;
	int rc = work_newest(&ctl->store, device->id, &old);

	if (rc == ERR_NOT_FOUND || (rc == 0 && !lease_open(old.state)))
		return 0;
	if (rc)
		return ctl_store_error(ctl);
	if (ctl_given(ctl, OPT_REPLACE))
		return ctl_cancel(ctl, &old, "replaced by newer work");
	return ctl_error(EXIT_FAULT, "%s has work %llu already, which is %s; cancel it with "
	                 "\"prebootctl work cancel %s\", or use --replace", device->name,
	                 (unsigned long long)old.number, lease_state_name(old.state),
	                 device->name);
}

/* What "work assign" was asked to do, and made. */
struct assigning {
	struct bundle_whole work; /* without a name: said by options alone */
	struct device device;
	struct lease lease;
};

/* Reads what is to be done: a bundle, and what the options say otherwise. */
static int read_work(struct ctl *ctl, struct bundle_whole *work)
{
	int status = 0;

	memset(work, 0, sizeof(*work));
	text_format(work->bundle.loader_bios, FILE_SIZE, LOADER_OF_SETTINGS);
	text_format(work->bundle.loader_uefi, FILE_SIZE, LOADER_OF_SETTINGS);
	if (ctl_given(ctl, OPT_BUNDLE))
		status = ctl_find_bundle(ctl, ctl->option[OPT_BUNDLE], work);
	else if (!ctl_given(ctl, OPT_CONFIG))
		status = ctl_error(EXIT_USAGE, "work assign: needs --bundle NAME; or --config "
		                   "FILE, the loader's configuration, as in z_auto.cfg (\"\": it "
		                   "takes none)");
	if (status == 0)
		status = ctl_read_bundle(ctl, &work->bundle);
	if (status == 0)
		status = ctl_read_details(ctl, 1, &work->details);
	if (status == 0)
		status = ctl_check_details(&work->bundle, &work->details, false);
	return status;
}

static int assign(struct ctl *ctl, void *data)
{
	struct assigning *a = data;
	struct origin origin = { .source = "hand" };
	struct setting_owner owner = { .level = LEVEL_DEVICE };
	struct settings settings;
	int status = read_work(ctl, &a->work);

	if (status == 0)
		status = ctl_find_device(ctl, ctl->words[0], &a->device);
	if (status == 0)
		status = check_open(ctl, &a->device);
	if (status)
		return status;
	owner.id = a->device.id;
	origin.bundle = a->work.bundle.id;
	if (settings_read(&ctl->store, &owner, &settings))
		return ctl_store_error(ctl);
	bundle_lease(&a->work.bundle, &settings, &a->lease);
	a->lease.device = a->device.id;
	a->lease.assigned = time(NULL);
	if (work_add_of(&ctl->store, &a->lease, &a->work.details, &origin) ||
	    ctl_tell(ctl, &a->lease, "assigned", ctl_work_name(a->work.bundle.name, &a->lease)))
		return ctl_store_error(ctl);
	return 0;
}

int ctl_work_assign(struct ctl *ctl)
{
	struct assigning a;
	char text[300];
	int status = ctl_transaction(ctl, assign, &a);

	if (status)
		return status;
	text_format(text, sizeof(text), "work %U", a.lease.number);
	ctl_warn_work(ctl, text, &a.lease);
	text_format(text, sizeof(text), "work %U assigned to %s: %s", a.lease.number,
	            a.device.name, ctl_work_name(a.work.bundle.name, &a.lease));
	return ctl_answer_work(ctl, &a.device, &a.lease, text);
}
