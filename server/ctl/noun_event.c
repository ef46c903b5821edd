/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/noun.h"

static const struct ctl_option opt_limit = { "limit", "N", "the last N events (50)" };
static const struct ctl_option opt_step = {
	"step", "STEP", "only events with this step, as failed, offered or conflict"
};

#define EVENTS_SHOWN 50
#define EVENTS_SHOWN_MAX 1000000

/* Finds the name of the device of @event. */
static int name_device(struct ctl *ctl, const struct event_record *event, struct device *device)
{
	return device->id == event->device ? 0 : device_by_id(&ctl->store, event->device, device);
}

/* Starts the list; --step is only given to "event list". */
static int start_events(struct ctl *ctl, const struct device *device, uint32_t limit,
                        struct store_rows **rows)
{
	const char *step = ctl_option(ctl, &opt_step);

	return step ? event_list_step(&ctl->store, device->id, step, limit, rows)
	            : event_list(&ctl->store, device->id, limit, rows);
}

int ctl_print_events(struct ctl *ctl, const struct device *device, uint32_t limit)
{
	struct table table = { .columns = 6 };
	struct device named = *device;
	struct event_record event;
	struct store_rows *rows;
	int rc = start_events(ctl, device, limit, &rows);

	table_add(&table, "TIME", "DEVICE", "STEP", "JOB", "AFTER", "REASON");
	while (store_next(rows, &rc)) {
		char when[24], job[24] = "-", after[24] = "-";

		event_row(rows, &event);
		rc = name_device(ctl, &event, &named);
		ctl_time(event.time, when, sizeof(when));
		if (event.job)
			text_format(job, sizeof(job), "%" PRIu64, event.job);
		if (event.milliseconds)
			text_format(after, sizeof(after), "%u ms", event.milliseconds);
		if (rc == 0)
			table_add(&table, when, named.name, event.step, job, after, event.reason);
	}
	if (rc)
		return ctl_store_error(ctl);
	table_print(&table);
	return 0;
}

json_t *ctl_json_events(struct ctl *ctl, const struct device *device, uint32_t limit)
{
	json_t *array = json_array();
	struct device named = *device;
	struct event_record event;
	struct store_rows *rows;
	int rc = start_events(ctl, device, limit, &rows);

	while (store_next(rows, &rc)) {
		event_row(rows, &event);
		rc = name_device(ctl, &event, &named);
		if (rc == 0)
			json_array_append_new(array, ctl_json_event(&event, named.name));
	}
	if (rc == 0)
		return array;
	json_decref(array);
	return NULL;
}

static int ctl_event_list(struct ctl *ctl)
{
	struct device device = { 0 };
	uint32_t limit = EVENTS_SHOWN;
	json_t *array;
	int status = 0;

	if (ctl_option(ctl, &opt_limit))
		status = ctl_number(ctl_option(ctl, &opt_limit), "--limit", EVENTS_SHOWN_MAX,
		                    &limit);
	if (status == 0 && ctl->word_count)
		status = ctl_find_device(ctl, ctl->words[0], &device);
	if (status)
		return status;
	if (!ctl->json)
		return ctl_print_events(ctl, &device, limit);
	array = ctl_json_events(ctl, &device, limit);
	if (!array)
		return ctl_store_error(ctl);
	ctl_print_json(array);
	return 0;
}

static const struct verb verbs[] = {
	{ .name = "list", .alias = "ls", .run = ctl_event_list, .min = 0, .max = 1,
	  .options = OPTIONS(&opt_limit, &opt_step), .usage = "[DEVICE] [--step STEP] [--limit N]",
	  .help = "List events of all devices or of one, the newest last." },
	{ .run = NULL },
};

const struct noun noun_event = {
	.name = "event", .about = "the event log of the devices", .verbs = verbs,
};
