/* SPDX-License-Identifier: BSD-2-Clause */
/* Events as text and as JSON, and the steps that they have. */
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl.h"
#include "server/tool/nearest.h"

/* --- steps ------------------------------------------------------------------ */

static const char *step_at(const void *unused, size_t index)
{
	(void)unused;
	return event_step_at(index);
}

int ctl_read_step(struct ctl *ctl, const char *step)
{
	const struct event_query query = { .step = step, .limit = 1 };
	struct store_rows *rows;
	const char *meant;
	int rc;

	for (size_t i = 0; event_step_at(i); i++)
		if (strcmp(event_step_at(i), step) == 0)
			return 0;
	/* Earlier versions had others. */
	rc = event_select(&ctl->store, &query, &rows);
	if (rc == 0)
		rc = store_step(rows);
	if (rc < 0)
		return ctl_store_error(ctl);
	if (rc) {
		store_end(rows);
		return 0;
	}
	meant = nearest_name(step, step_at, NULL);
	if (meant)
		return ctl_error(EXIT_USAGE, "--step %s: unknown step, did you mean %s?", step,
		                 meant);
	return ctl_error(EXIT_USAGE, "--step %s: unknown step; \"prebootctl event list\" shows "
	                 "steps, such as failed, offered and conflict", step);
}

/* --- events ------------------------------------------------------------------ */

json_t *ctl_json_event(const struct event_record *event, const char *device)
{
	return json_pack("{s:o, s:i, s:s, s:s, s:o, s:o, s:s}", "time", ctl_json_time(event->time),
	                 "time_ms", (int)event->time_ms, "device", device, "step", event->step,
	                 "job",
	                 event->job ? json_integer((json_int_t)event->job) : json_null(),
	                 "milliseconds",
	                 event->milliseconds ? json_integer(event->milliseconds) : json_null(),
	                 "reason", event->reason);
}

/* Finds the name of the device of @event. */
static int name_device(struct ctl *ctl, const struct event_record *event, struct device *device)
{
	return device->id == event->device ? 0 : device_by_id(&ctl->store, event->device, device);
}

int ctl_print_events(struct ctl *ctl, const struct event_query *query)
{
	struct table table = { .columns = 6 };
	struct device device = { .id = 0 };
	struct event_record event;
	struct store_rows *rows;
	int rc = event_select(&ctl->store, query, &rows);

	table_add(&table, "TIME", "DEVICE", "STEP", "JOB", "AFTER", "REASON");
	while (store_next(rows, &rc)) {
		char when[24], job[24] = "-", after[24] = "-";

		event_row(rows, &event);
		rc = name_device(ctl, &event, &device);
		ctl_time(event.time, when, sizeof(when));
		if (event.job)
			text_format(job, sizeof(job), "%" PRIu64, event.job);
		if (event.milliseconds)
			text_format(after, sizeof(after), "%u ms", event.milliseconds);
		if (rc == 0)
			table_add(&table, when, device.name, event.step, job, after, event.reason);
	}
	if (rc == 0)
		table_print(&table);
	table_free(&table);
	return rc ? ctl_store_error(ctl) : 0;
}

json_t *ctl_json_events(struct ctl *ctl, const struct event_query *query)
{
	json_t *array = json_array();
	struct device device = { .id = 0 };
	struct event_record event;
	struct store_rows *rows;
	int rc = event_select(&ctl->store, query, &rows);

	while (store_next(rows, &rc)) {
		event_row(rows, &event);
		rc = name_device(ctl, &event, &device);
		if (rc == 0)
			json_array_append_new(array, ctl_json_event(&event, device.name));
	}
	if (rc == 0)
		return array;
	json_decref(array);
	return NULL;
}
