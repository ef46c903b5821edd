/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl_verbs.h"
#include "server/store/work.h"

int ctl_tell(struct ctl *ctl, const struct lease *lease, const char *step, const char *reason)
{
	struct happening event = { .device = lease->device, .time = time(NULL),
	                           .lease = lease->number };

	text_format(event.step, sizeof(event.step), "%s", step);
	text_format(event.reason, sizeof(event.reason), "%s", reason);
	return event_add(&ctl->store, &event);
}

int ctl_cancel(struct ctl *ctl, struct lease *lease, const char *reason)
{
	lease_end(lease, LEASE_CANCELLED, time(NULL), reason);
	if (work_update(&ctl->store, lease) || ctl_tell(ctl, lease, "cancelled", reason))
		return ctl_store_error(ctl);
	return 0;
}

int ctl_answer_work(struct ctl *ctl, const struct device *device, const struct lease *lease,
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

/* --- work list and show ---------------------------------------------------- */

static void list_row(struct ctl *ctl, struct table *table, const struct device *device,
                     const struct lease *lease)
{
	char number[24], attempt[16], when[24], bundle[NAME_SIZE];
	const char *source;
	int64_t last = lease->ended ? lease->ended : lease->begun ? lease->begun :
	               lease->offered ? lease->offered : lease->assigned;

	text_format(number, sizeof(number), "%U", lease->number);
	text_format(attempt, sizeof(attempt), "%u/%u", lease->attempt, lease->attempts);
	ctl_time(last, when, sizeof(when));
	ctl_origin(ctl, lease, bundle, &source);
	table_add(table, number, device->name, lease_state_name(lease->state), attempt,
	          ctl_work_name(bundle, lease), source, when, lease->reason);
}

int ctl_work_list(struct ctl *ctl)
{
	struct table table = { .columns = 8 };
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
	table_add(&table, "LEASE", "DEVICE", "STATE", "ATTEMPT", "WORK", "BY", "SINCE",
	          "REASON");
	rc = work_list(&ctl->store, device.id, ctl_given(ctl, OPT_OPEN), &rows);
	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		work_row(rows, &lease);
		rc = device_by_id(&ctl->store, lease.device, &device);
		if (rc == 0 && ctl->json)
			json_array_append_new(array, ctl_json_work(ctl, &device, &lease));
		else if (rc == 0)
			list_row(ctl, &table, &device, &lease);
	}
	return ctl_answer_list(ctl, rc, &table, array);
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
	char bundle[NAME_SIZE];
	const char *source;

	if (work_details(&ctl->store, lease->number, &details))
		return ctl_store_error(ctl);
	printf("%sstate      %s%s%s\n", indent, lease_state_name(lease->state),
	       lease->reason[0] ? ": " : "", lease->reason);
	ctl_origin(ctl, lease, bundle, &source);
	printf("%sby         %s%s%s\n", indent, source, bundle[0] ? ", bundle " : "", bundle);
	printf("%sattempt    %u of %u\n", indent, lease->attempt, lease->attempts);
	printf("%sdeadline   %u s after begun\n", indent, lease->deadline);
	printf("%sloader     BIOS %s, UEFI %s\n", indent,
	       lease->loader_bios[0] ? lease->loader_bios : "none",
	       lease->loader_uefi[0] ? lease->loader_uefi : "none");
	printf("%sconfig     %s\n", indent, lease->config[0] ? lease->config : "none");
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
		return ctl_answer_work(ctl, &device, &lease, "");
	printf("work %llu of %s\n", (unsigned long long)lease.number, device.name);
	return ctl_print_work(ctl, &lease, "  ");
}

/* --- work cancel ----------------------------------------------------------- */

struct cancelling {
	struct device device;
	struct lease lease;
};

static int cancelling(struct ctl *ctl, void *data)
{
	struct cancelling *c = data;
	int status = ctl_find_work(ctl, ctl->words[0], &c->device, &c->lease);

	if (status)
		return status;
	if (!lease_open(c->lease.state))
		return ctl_error(EXIT_FAULT, "work %llu of %s is %s already",
		                 (unsigned long long)c->lease.number, c->device.name,
		                 lease_state_name(c->lease.state));
	return ctl_cancel(ctl, &c->lease, "by the administrator");
}

int ctl_work_cancel(struct ctl *ctl)
{
	struct cancelling c;
	char text[128];
	int status = ctl_transaction(ctl, cancelling, &c);

	if (status)
		return status;
	text_format(text, sizeof(text), "work %U of %s cancelled", c.lease.number, c.device.name);
	return ctl_answer_work(ctl, &c.device, &c.lease, text);
}
