/* SPDX-License-Identifier: BSD-2-Clause */
/* A device in full, and its boots as timelines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/noun.h"
#include "server/ctl/noun_device.h"
#include "server/store/groups.h"
#include "server/store/jobs.h"

const struct ctl_option opt_boot = {
	"boot", "N", "1 (default): the last boot; 2: the one before it; and so on"
};

#define SHOWN_EVENTS 20

static const uint8_t no_uuid[16];

static void print_guid(const char *label, const uint8_t guid[16])
{
	char text[40];

	text_format(text, sizeof(text), "%pU", guid);
	if (memcmp(guid, no_uuid, 16))
		printf("  %-20s%s\n", label, text);
}

static void print_device(struct ctl *ctl, const struct device *device, const struct seen *seen,
                         const json_t *owned)
{
	const struct request *r = &seen->request.u.request;
	uint8_t macs[DEVICE_MACS_MAX][6];
	char text[64], path[FOLDER_PATH], ago[32];
	size_t count;

	printf("%s\n", device->name);
	ctl_device_path(ctl, device, path);
	printf("  %-20s%s\n", "folder", path);
	if (device_macs(&ctl->store, device->id, macs, &count))
		count = 0;
	for (size_t i = 0; i < count; i++) {
		text_format(text, sizeof(text), "%pM", macs[i]);
		printf("  %-20s%s\n", "MAC", text);
	}
	print_guid("UUID", device->uuid);
	print_guid("image-safe data", device->isd);
	print_guid("bound to UUID", device->bound_uuid);
	text_format(text, sizeof(text), "%pM", device->bound_mac);
	if (memcmp(device->bound_mac, no_uuid, 6))
		printf("  %-20s%s\n", "bound to MAC", text);
	ctl_print_names("groups", json_object_get(owned, "groups"));
	ctl_print_owned(owned);
	ctl_time(device->added, text, sizeof(text));
	printf("  %-20s%s\n", "added", text);
	ctl_ago(seen->time, ago, sizeof(ago));
	if (seen->time == 0) {
		printf("  %-20s%s\n", "last seen", "never");
		return;
	}
	printf("  %-20s%s, from %s, by %s\n", "last seen", ago, seen->address,
	       r->version[0] ? r->version : "an unnamed NBP");
	printf("\nlast request\n");
	ctl_print_hardware(r);
}

/* The names of the groups it is in. */
static json_t *json_groups(struct ctl *ctl, const struct device *device)
{
	json_t *array = json_array();
	struct group_row group;
	struct store_rows *rows;
	int rc = group_list(&ctl->store, device->id, &rows);

	while (store_next(rows, &rc)) {
		group_row(rows, &group);
		json_array_append_new(array, json_string(group.name));
	}
	return array;
}

/* Adds groups, settings and assignments of its own to @object. */
static void add_owned(struct ctl *ctl, const struct device *device, json_t *object)
{
	struct owner owner = { LEVEL_DEVICE, device->id };
	json_t *owned = ctl_json_owned(ctl, &owner);

	json_object_set_new(object, "groups", json_groups(ctl, device));
	json_object_update(object, owned);
	json_decref(owned);
}

/* What "device show" has shown by now. */
struct shown {
	json_t *array;
	size_t count;
};

#define LAST_EVENTS_IDS 24

/* @ids: receives what the query refers to */
static struct event_query last_events(const struct device *device, char ids[LAST_EVENTS_IDS])
{
	text_format(ids, LAST_EVENTS_IDS, "[%" PRIu64 "]", device->id);
	return (struct event_query){ .devices = ids, .limit = SHOWN_EVENTS };
}

static int show_as_json(struct ctl *ctl, const struct device *device, const struct seen *seen,
                        const struct job *job, json_t *array)
{
	char ids[LAST_EVENTS_IDS];
	const struct event_query query = last_events(device, ids);
	json_t *events = ctl_json_events(ctl, &query), *object;

	if (!events)
		return ctl_store_error(ctl);
	object = ctl_json_full(ctl, device, seen, job);
	add_owned(ctl, device, object);
	json_object_set_new(object, "events", events);
	json_array_append_new(array, object);
	return 0;
}

static int show_device(struct ctl *ctl, const struct device *device, void *data)
{
	struct shown *shown = data;
	char ids[LAST_EVENTS_IDS];
	const struct event_query query = last_events(device, ids);
	struct seen seen;
	struct job job;
	json_t *object;
	int status = 0;

	if (ctl_gather_device(ctl, device, &seen, &job))
		return ctl_store_error(ctl);
	if (ctl->json)
		return show_as_json(ctl, device, &seen, &job, shown->array);
	if (shown->count++)
		puts("");
	object = json_object();
	add_owned(ctl, device, object);
	print_device(ctl, device, &seen, object);
	json_decref(object);
	if (job.number == 0)
		printf("\njob: none\n");
	else
		status = printf("\njob %llu\n", (unsigned long long)job.number) < 0 ||
		         ctl_print_job(ctl, &job, "  ");
	if (status)
		return EXIT_FAULT;
	printf("\nevents\n");
	return ctl_print_events(ctl, &query);
}

int ctl_device_show(struct ctl *ctl)
{
	struct shown shown = { .array = json_array() };
	bool one = ctl_names_one(ctl);
	int status = ctl_each_device(ctl, 0, ctl->word_count, show_device, &shown);

	if (status == 0 && ctl->json)
		ctl_print_json(json_incref(one ? json_array_get(shown.array, 0) : shown.array));
	json_decref(shown.array);
	return status;
}

#define BOOTS_MAX   100000
#define TRACE_STEPS_MAX (4 * EVENTS_PER_DEVICE)

struct trace_step {
	struct event_record event;
	int64_t at; /* ms since the NBP's start */
	const char *from;
};

struct timeline {
	struct trace_step *steps;
	size_t count;
	uint8_t boot[NONCE_SIZE];
	uint32_t number, boots;
	int64_t start; /* Unix time in ms, by the server's clock */
};

/* What "device trace" has shown by now. */
struct traced {
	uint32_t number; /* of the boot, 1: the last */
	json_t *array;
	size_t count;
};

static int64_t clock_of(const struct event_record *event)
{
	return event->time * 1000 + event->time_ms;
}

/*
 * The NBP's clock counts from its start, the server's is another one. The report
 * that was the least time under way shows when the start was.
 */
static void find_start(struct timeline *t)
{
	bool found = false;

	t->start = t->count ? clock_of(&t->steps[0].event) : 0;
	for (size_t i = 0; i < t->count; i++) {
		const struct event_record *event = &t->steps[i].event;
		int64_t start = clock_of(event) - event->milliseconds;

		if (event->milliseconds && (!found || start < t->start)) {
			t->start = start;
			found = true;
		}
	}
	for (size_t i = 0; i < t->count; i++) {
		struct trace_step *step = &t->steps[i];

		step->at = step->event.milliseconds ? step->event.milliseconds
		                                    : clock_of(&step->event) - t->start;
	}
}

/* By time; the store's order stays among what happened in one millisecond. */
static void sort_steps(struct timeline *t)
{
	for (size_t i = 1; i < t->count; i++) {
		struct trace_step step = t->steps[i];
		size_t at = i;

		for (; at > 0 && t->steps[at - 1].at > step.at; at--)
			t->steps[at] = t->steps[at - 1];
		t->steps[at] = step;
	}
}

/* Who reported an event: the NBP gives a time, the agent reports, and all else is the server's. */
static const char *event_source(const struct event_record *event, const struct job *job)
{
	bool ended = strcmp(event->step, job_state_name(job->state)) == 0;

	if (event->milliseconds)
		return "NBP";
	if (strcmp(event->step, "begun") == 0)
		return "agent";
	if (strcmp(event->step, "failed") == 0)
		return ended && !job->given_up ? "agent" : "server";
	if (strcmp(event->step, "done") != 0 || event->reason[0])
		return "server"; /* those who report it done give no reason */
	return job->completion == COMPLETION_HANDOVER ? "NBP" : "agent";
}

static int find_sources(struct ctl *ctl, struct timeline *t)
{
	struct job job;

	for (size_t i = 0; i < t->count; i++) {
		struct trace_step *step = &t->steps[i];
		int rc = job_by_number(&ctl->store, step->event.job, &job);

		if (rc && rc != ERR_NOT_FOUND)
			return rc;
		if (rc)
			memset(&job, 0, sizeof(job));
		step->from = event_source(&step->event, &job);
	}
	return 0;
}

static int read_steps(struct ctl *ctl, const struct device *device, struct timeline *t)
{
	struct store_rows *rows;
	int rc = event_list_boot(&ctl->store, device->id, t->boot, &rows);

	/* The store keeps hardly more of a device. */
	t->steps = calloc(TRACE_STEPS_MAX, sizeof(*t->steps));
	if (!t->steps)
		return ctl_error(EXIT_FAULT, "no memory");
	while (store_next(rows, &rc)) {
		if (t->count < TRACE_STEPS_MAX)
			event_row(rows, &t->steps[t->count++].event);
	}
	if (rc || find_sources(ctl, t))
		return ctl_store_error(ctl);
	find_start(t);
	sort_steps(t);
	return 0;
}

static void print_boot(const struct device *device, struct timeline *t)
{
	struct table table = { .columns = 5 };
	char when[24], nonce[2 * NONCE_SIZE + 1];
	size_t used = 0;

	for (size_t i = 0; i < NONCE_SIZE; i++)
		used += text_format(nonce + used, sizeof(nonce) - used, "%02x",
		                    (uint32_t)t->boot[i]);
	ctl_time(t->start / 1000, when, sizeof(when));
	printf("%s, boot %u of %u, %s, nonce %s\n", device->name, t->number, t->boots, when, nonce);
	table_add(&table, "     MS", "STEP", "FROM", "JOB", "REASON");
	for (size_t i = 0; i < t->count; i++) {
		const struct event_record *event = &t->steps[i].event;
		char at[24], job[24] = "-";

		snprintf(at, sizeof(at), "%7lld", (long long)t->steps[i].at);
		if (event->job)
			text_format(job, sizeof(job), "%" PRIu64, event->job);
		table_add(&table, at, event->step, t->steps[i].from, job, event->reason);
	}
	table_print(&table);
}

static json_t *json_boot(const struct device *device, const struct timeline *t)
{
	json_t *events = json_array();
	char nonce[2 * NONCE_SIZE + 1];
	size_t used = 0;

	for (size_t i = 0; i < NONCE_SIZE; i++)
		used += text_format(nonce + used, sizeof(nonce) - used, "%02x",
		                    (uint32_t)t->boot[i]);
	for (size_t i = 0; i < t->count; i++) {
		const struct event_record *event = &t->steps[i].event;

		json_array_append_new(events, json_pack(
			"{s:I, s:s, s:s, s:o, s:s}", "ms", (json_int_t)t->steps[i].at, "step",
			event->step, "from", t->steps[i].from, "job",
			event->job ? json_integer((json_int_t)event->job) : json_null(),
			"reason", event->reason));
	}
	return json_pack("{s:s, s:i, s:i, s:o, s:s, s:o}", "device", device->name, "boot",
	                 (int)t->number, "boots", (int)t->boots, "started",
	                 ctl_json_time(t->start / 1000), "nonce", nonce, "events", events);
}

/* A device without the boot that was asked for, among several. */
static int show_missing_boot(struct ctl *ctl, const struct device *device, const struct timeline *t,
                             struct traced *traced)
{
	if (ctl_names_one(ctl) && t->boots == 0)
		return ctl_error(EXIT_FAULT, "%s: no boot is known", device->name);
	if (ctl_names_one(ctl))
		return ctl_error(EXIT_FAULT, "--boot %u: only %u boots of %s are known", t->number,
		                 t->boots, device->name);
	if (ctl->json)
		json_array_append_new(traced->array, json_pack(
			"{s:s, s:n, s:i, s:n, s:n, s:[]}", "device", device->name, "boot", "boots",
			(int)t->boots, "started", "nonce", "events"));
	else if (t->boots == 0)
		printf("%s: no boot is known\n", device->name);
	else
		printf("%s: only %u boot%s known\n", device->name, t->boots,
		       t->boots == 1 ? " is" : "s are");
	return 0;
}

static int trace_device(struct ctl *ctl, const struct device *device, void *data)
{
	struct traced *traced = data;
	struct timeline t = { .number = traced->number };
	int rc = event_find_boot(&ctl->store, device->id, t.number - 1, t.boot, &t.boots), status;

	if (rc && rc != ERR_NOT_FOUND)
		return ctl_store_error(ctl);
	if (!ctl->json && traced->count++)
		puts("");
	if (rc)
		return show_missing_boot(ctl, device, &t, traced);
	status = read_steps(ctl, device, &t);
	if (status == 0 && ctl->json)
		json_array_append_new(traced->array, json_boot(device, &t));
	else if (status == 0)
		print_boot(device, &t);
	free(t.steps);
	return status;
}

int ctl_device_trace(struct ctl *ctl)
{
	struct traced traced = { .number = 1 };
	int status = 0;

	if (ctl_option(ctl, &opt_boot))
		status = ctl_number(ctl_option(ctl, &opt_boot), "--boot", BOOTS_MAX,
		                    &traced.number);
	if (status)
		return status;
	traced.array = json_array();
	status = ctl_each_device(ctl, 0, ctl->word_count, trace_device, &traced);
	if (status == 0 && ctl->json)
		ctl_print_json(json_incref(ctl_names_one(ctl) ? json_array_get(traced.array, 0)
		                                              : traced.array));
	json_decref(traced.array);
	return status;
}
