/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <time.h>

#include "ctl_verbs.h"
#include "error.h"
#include "text.h"
#include "work.h"

static int read_file_name(const char *what, const char *name, char out[FILE_SIZE])
{
	if (!file_name_ok(name))
		return ctl_error(EXIT_USAGE, "%s %s: not a file name; expected 1 to %d of the "
		                 "characters A-Z a-z 0-9 . _ - /, without a \"..\"", what, name,
		                 FILE_SIZE - 1);
	text_format(out, FILE_SIZE, "%s", name);
	return 0;
}

/* An empty loader means: not for such firmware. */
static int read_loader(const char *what, const char *given, const char *otherwise,
                       char out[FILE_SIZE])
{
	out[0] = '\0';
	if (given && !given[0])
		return 0;
	return read_file_name(what, given ? given : otherwise, out);
}

/* Reads "key=value" arguments; refuses what would not fit the answer to an agent. */
static int read_details(struct ctl *ctl, const struct device *device, const struct lease *lease,
                        struct details *details)
{
	struct message whole = { .type = MESSAGE_DETAILS };
	uint8_t datagram[MESSAGE_MAX];
	size_t length;
	char key[64];

	memset(details, 0, sizeof(*details));
	for (int i = 1; i < ctl->word_count; i++) {
		const char *word = ctl->words[i], *equals = strchr(word, '=');

		if (!equals || (size_t)(equals - word) >= sizeof(key))
			return ctl_error(EXIT_USAGE, "%s: expected KEY=VALUE", word);
		text_format(key, (size_t)(equals - word) + 1, "%s", word);
		for (size_t at = 0; at < details->details_length;
		     at += strlen(details->details + at) + 1)
			if (strncmp(details->details + at, word, (size_t)(equals - word) + 1) == 0)
				return ctl_error(EXIT_USAGE, "%s: given twice", key);
		switch (details_add(details, key, equals + 1)) {
		case 0: break;
		case ERR_SPACE:
			return ctl_error(EXIT_USAGE, "%s: too much; all details must fit one "
			                 "datagram, with about 900 characters", key);
		default:
			return ctl_error(EXIT_USAGE, "%s: expected KEY=VALUE; a key has 1 to 32 "
			                 "letters, digits and \"_\" and begins with no digit, a "
			                 "value is printable ASCII", word);
		}
	}
	whole.u.details = *details;
	whole.u.details.decision = DECISION_WORK;
	whole.u.details.lease = UINT64_MAX;
	whole.u.details.attempt = 1;
	memcpy(whole.u.details.device, device->name, sizeof(device->name));
	memcpy(whole.u.details.config, lease->config, sizeof(lease->config));
	if (message_encode(&whole, datagram, sizeof(datagram), &length))
		return ctl_error(EXIT_USAGE, "the details do not fit one datagram; shorten them");
	return 0;
}

static int read_assignment(struct ctl *ctl, struct lease *lease)
{
	int status;

	memset(lease, 0, sizeof(*lease));
	lease->attempts = LEASE_ATTEMPTS;
	lease->deadline = LEASE_DEADLINE;
	lease->assigned = time(NULL);
	if (!ctl->option[OPT_CONFIG])
		return ctl_error(EXIT_USAGE, "work assign: needs --config FILE, the loader's "
		                 "configuration, as in z_auto.cfg");
	status = read_file_name("--config", ctl->option[OPT_CONFIG], lease->config);
	if (status == 0)
		status = read_loader("--loader-bios", ctl->option[OPT_LOADER_BIOS], "pxelinux.0",
		                     lease->loader_bios);
	if (status == 0)
		status = read_loader("--loader-uefi", ctl->option[OPT_LOADER_UEFI], "syslinux.efi",
		                     lease->loader_uefi);
	if (status == 0 && !lease->loader_bios[0] && !lease->loader_uefi[0])
		status = ctl_error(EXIT_USAGE, "work assign: needs a loader for BIOS or for UEFI");
	if (status == 0 && ctl->option[OPT_PREFIX] && ctl->option[OPT_PREFIX][0])
		status = read_file_name("--prefix", ctl->option[OPT_PREFIX], lease->prefix);
	if (status == 0 && ctl->option[OPT_ATTEMPTS])
		status = ctl_number(ctl->option[OPT_ATTEMPTS], "--attempts", LEASE_ATTEMPTS_MAX,
		                    &lease->attempts);
	if (status == 0 && ctl->option[OPT_DEADLINE])
		status = ctl_seconds(ctl->option[OPT_DEADLINE], "--deadline", LEASE_DEADLINE_MAX,
		                     &lease->deadline);
	return status;
}

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

static int assign(struct ctl *ctl, struct device *device, struct lease *lease)
{
	struct details details;
	int status = ctl_find_device(ctl, ctl->words[0], device);

	if (status == 0)
		status = read_details(ctl, device, lease, &details);
	if (status == 0)
		status = check_open(ctl, device);
	if (status)
		return status;
	lease->device = device->id;
	if (work_add(&ctl->store, lease, &details) ||
	    ctl_tell(ctl, lease, "assigned", lease->config) || store_commit(&ctl->store))
		return ctl_store_error(ctl);
	return 0;
}

int ctl_work_assign(struct ctl *ctl)
{
	struct device device;
	struct lease lease;
	char text[300];
	int status = read_assignment(ctl, &lease);

	if (status)
		return status;
	if (store_begin(&ctl->store))
		return ctl_store_error(ctl);
	status = assign(ctl, &device, &lease);
	store_rollback(&ctl->store);
	if (status)
		return status;
	text_format(text, sizeof(text), "work %U assigned to %s: %s", lease.number, device.name,
	            lease.config);
	return ctl_answer_work(ctl, &device, &lease, text);
}
