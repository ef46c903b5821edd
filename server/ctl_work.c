/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctl.h"
#include "error.h"
#include "text.h"
#include "work.h"

/* --- work assign ----------------------------------------------------------- */

static int read_file_name(const char *what, const char *name, char out[FILE_SIZE])
{
	if (!file_name_ok(name))
		return ctl_error(EXIT_USAGE, "%s %s: not a file name; expected 1 to %d of the characters "
		                 "A-Z a-z 0-9 . _ - /, without a \"..\"", what, name, FILE_SIZE - 1);
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
			return ctl_error(EXIT_USAGE, "%s: too much; all details must fit one datagram, "
			                 "with about 900 characters", key);
		default:
			return ctl_error(EXIT_USAGE, "%s: expected KEY=VALUE; a key has 1 to 32 "
			                 "letters, digits and \"_\" and begins with no digit, a value "
			                 "is printable ASCII", word);
		}
	}
	whole.u.details = *details;
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
	if (!ctl->config)
		return ctl_error(EXIT_USAGE, "work assign: needs --config FILE, the loader's "
		                 "configuration, as in z_auto.cfg");
	status = read_file_name("--config", ctl->config, lease->config);
	if (status == 0)
		status = read_loader("--loader-bios", ctl->loader_bios, "pxelinux.0",
		                     lease->loader_bios);
	if (status == 0)
		status = read_loader("--loader-uefi", ctl->loader_uefi, "syslinux.efi",
		                     lease->loader_uefi);
	if (status == 0 && !lease->loader_bios[0] && !lease->loader_uefi[0])
		status = ctl_error(EXIT_USAGE, "work assign: needs a loader for BIOS or for UEFI");
	if (status == 0 && ctl->prefix && ctl->prefix[0])
		status = read_file_name("--prefix", ctl->prefix, lease->prefix);
	if (status == 0 && ctl->attempts)
		status = ctl_number(ctl->attempts, "--attempts", LEASE_ATTEMPTS_MAX,
		                    &lease->attempts);
	if (status == 0 && ctl->deadline)
		status = ctl_seconds(ctl->deadline, "--deadline", LEASE_DEADLINE_MAX,
		                     &lease->deadline);
	return status;
}

/* Stores an ending or a beginning in the device's story. */
static int tell(struct ctl *ctl, const struct lease *lease, const char *step, const char *reason)
{
	struct happening event = { .device = lease->device, .time = time(NULL),
	                           .lease = lease->number };

	text_format(event.step, sizeof(event.step), "%s", step);
	text_format(event.reason, sizeof(event.reason), "%s", reason);
	return event_add(&ctl->store, &event);
}

static int cancel_one(struct ctl *ctl, struct lease *lease, const char *reason)
{
	lease_end(lease, LEASE_CANCELLED, time(NULL), reason);
	if (work_update(&ctl->store, lease) || tell(ctl, lease, "cancelled", reason))
		return ctl_store_error(ctl);
	return 0;
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
	if (ctl->given & CTL_REPLACE)
		return cancel_one(ctl, &old, "replaced by newer work");
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
	if (work_add(&ctl->store, lease, &details) || tell(ctl, lease, "assigned", lease->config) ||
	    store_commit(&ctl->store))
		return ctl_store_error(ctl);
	return 0;
}

/* Prints @lease as JSON; or the sentence. */
static int answer(struct ctl *ctl, const struct device *device, const struct lease *lease,
                  const char *sentence)
{
	json_t *object;

	if (!ctl->json) {
		puts(sentence);
		return 0;
	}
	object = ctl_json_work(ctl, device, lease);
	if (!object)
		return ctl_store_error(ctl);
	ctl_print_json(object);
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
	return answer(ctl, &device, &lease, text);
}

/* --- work list and show ---------------------------------------------------- */

static void list_row(struct table *table, const struct device *device, const struct lease *lease)
{
	char number[24], attempt[16], when[24];
	int64_t last = lease->ended ? lease->ended : lease->begun ? lease->begun :
	               lease->offered ? lease->offered : lease->assigned;

	text_format(number, sizeof(number), "%U", lease->number);
	text_format(attempt, sizeof(attempt), "%u/%u", lease->attempt, lease->attempts);
	ctl_time(last, when, sizeof(when));
	table_add(table, number, device->name, lease_state_name(lease->state), attempt,
	          lease->config, when, lease->reason);
}

int ctl_work_list(struct ctl *ctl)
{
	struct table table = { .columns = 7 };
	struct device device = { 0 };
	struct lease lease;
	json_t *array;
	sqlite3_stmt *rows;
	int rc, status = 0;

	if (ctl->word_count)
		status = ctl_find_device(ctl, ctl->words[0], &device);
	if (status)
		return status;
	array = json_array();
	table_add(&table, "LEASE", "DEVICE", "STATE", "ATTEMPT", "CONFIG", "SINCE", "REASON");
	rc = work_list(&ctl->store, device.id, ctl->given & CTL_OPEN, &rows);
	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		work_row(rows, &lease);
		rc = device_by_id(&ctl->store, lease.device, &device);
		if (rc == 0 && ctl->json)
			json_array_append_new(array, ctl_json_work(ctl, &device, &lease));
		else if (rc == 0)
			list_row(&table, &device, &lease);
	}
	if (rc == 0 && ctl->json)
		ctl_print_json(json_incref(array));
	else if (rc == 0)
		table_print(&table);
	json_decref(array);
	return rc ? ctl_store_error(ctl) : 0;
}

static void print_time(const char *indent, const char *what, int64_t time)
{
	char text[32];

	ctl_time(time, text, sizeof(text));
	if (time)
		printf("%s%-9s  %s\n", indent, what, text);
}

int ctl_print_work(struct ctl *ctl, const struct lease *lease, const char *indent)
{
	struct details details;

	if (work_details(&ctl->store, lease->number, &details))
		return ctl_store_error(ctl);
	printf("%sstate      %s%s%s\n", indent, lease_state_name(lease->state),
	       lease->reason[0] ? ": " : "", lease->reason);
	printf("%sattempt    %u of %u\n", indent, lease->attempt, lease->attempts);
	printf("%sdeadline   %u s after begun\n", indent, lease->deadline);
	printf("%sloader     BIOS %s, UEFI %s\n", indent,
	       lease->loader_bios[0] ? lease->loader_bios : "none",
	       lease->loader_uefi[0] ? lease->loader_uefi : "none");
	printf("%sconfig     %s\n", indent, lease->config);
	if (lease->prefix[0])
		printf("%sprefix     %s\n", indent, lease->prefix);
	print_time(indent, "assigned", lease->assigned);
	print_time(indent, "offered", lease->offered);
	print_time(indent, "begun", lease->begun);
	print_time(indent, "ended", lease->ended);
	for (size_t at = 0; at < details.details_length; at += strlen(details.details + at) + 1)
		printf("%sdetail     %s\n", indent, details.details + at);
	return 0;
}

int ctl_work_show(struct ctl *ctl)
{
	struct device device;
	struct lease lease;
	int status = ctl_find_work(ctl, ctl->words[0], &device, &lease);

	if (status)
		return status;
	if (ctl->json)
		return answer(ctl, &device, &lease, "");
	printf("work %llu of %s\n", (unsigned long long)lease.number, device.name);
	return ctl_print_work(ctl, &lease, "  ");
}

/* --- work cancel ----------------------------------------------------------- */

static int cancel_found(struct ctl *ctl, struct device *device, struct lease *lease)
{
	int status = ctl_find_work(ctl, ctl->words[0], device, lease);

	if (status)
		return status;
	if (!lease_open(lease->state))
		return ctl_error(EXIT_FAULT, "work %llu of %s is %s already",
		                 (unsigned long long)lease->number, device->name,
		                 lease_state_name(lease->state));
	status = cancel_one(ctl, lease, "by the administrator");
	if (status == 0 && store_commit(&ctl->store))
		status = ctl_store_error(ctl);
	return status;
}

int ctl_work_cancel(struct ctl *ctl)
{
	struct device device;
	struct lease lease;
	char text[128];
	int status;

	if (store_begin(&ctl->store))
		return ctl_store_error(ctl);
	status = cancel_found(ctl, &device, &lease);
	store_rollback(&ctl->store);
	if (status)
		return status;
	text_format(text, sizeof(text), "work %U of %s cancelled", lease.number, device.name);
	return answer(ctl, &device, &lease, text);
}
