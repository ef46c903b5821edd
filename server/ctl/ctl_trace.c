/* SPDX-License-Identifier: BSD-2-Clause */
/* A boot as a timeline, from what the NBP, the server and the agent told of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl_verbs.h"
#include "server/store/jobs.h"

#define BOOTS_MAX   100000
#define MOMENTS_MAX (4 * EVENTS_PER_DEVICE)

struct moment {
	struct event_record event;
	int64_t at; /* ms since the NBP's start */
	const char *from;
};

struct timeline {
	struct moment *moments;
	size_t count;
	uint8_t boot[NONCE_SIZE];
	uint32_t number, boots;
	int64_t start; /* Unix time in ms, by the server's clock */
};

static int64_t clock_of(const struct event_record *event)
{
	return event->time * 1000 + event->time_ms;
}

/*
 * The NBP's clock counts from its start, the server's is another one. The report
 * that was the least time under way tells when the start was.
 */
static void find_start(struct timeline *t)
{
	bool told = false;

	t->start = t->count ? clock_of(&t->moments[0].event) : 0;
	for (size_t i = 0; i < t->count; i++) {
		const struct event_record *event = &t->moments[i].event;
		int64_t start = clock_of(event) - event->milliseconds;

		if (event->milliseconds && (!told || start < t->start)) {
			t->start = start;
			told = true;
		}
	}
	for (size_t i = 0; i < t->count; i++) {
		struct moment *moment = &t->moments[i];

		moment->at = moment->event.milliseconds ? moment->event.milliseconds
		                                        : clock_of(&moment->event) - t->start;
	}
}

/* By time; the store's order stays among what happened in one millisecond. */
static void sort(struct timeline *t)
{
	for (size_t i = 1; i < t->count; i++) {
		struct moment moment = t->moments[i];
		size_t at = i;

		for (; at > 0 && t->moments[at - 1].at > moment.at; at--)
			t->moments[at] = t->moments[at - 1];
		t->moments[at] = moment;
	}
}

/* Who told it: the NBP gives its time, the agent reports, and what is of neither is the server's. */
static const char *source(const struct event_record *event, const struct job *job)
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
		struct moment *moment = &t->moments[i];
		int rc = job_by_number(&ctl->store, moment->event.job, &job);

		if (rc && rc != ERR_NOT_FOUND)
			return rc;
		if (rc)
			memset(&job, 0, sizeof(job));
		moment->from = source(&moment->event, &job);
	}
	return 0;
}

static int read_moments(struct ctl *ctl, const struct device *device, struct timeline *t)
{
	sqlite3_stmt *rows;
	int rc = event_list_boot(&ctl->store, device->id, t->boot, &rows);

	/* The store keeps hardly more of a device. */
	t->moments = calloc(MOMENTS_MAX, sizeof(*t->moments));
	if (!t->moments)
		return ctl_error(EXIT_FAULT, "no memory");
	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		if (t->count < MOMENTS_MAX)
			event_row(rows, &t->moments[t->count++].event);
		rc = 0;
	}
	if (rc || find_sources(ctl, t))
		return ctl_store_error(ctl);
	find_start(t);
	sort(t);
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
	table_add(&table, "     MS", "STEP", "FROM", "LEASE", "REASON");
	for (size_t i = 0; i < t->count; i++) {
		const struct event_record *event = &t->moments[i].event;
		char at[24], job[24] = "-";

		snprintf(at, sizeof(at), "%7lld", (long long)t->moments[i].at);
		if (event->job)
			text_format(job, sizeof(job), "%" PRIu64, event->job);
		table_add(&table, at, event->step, t->moments[i].from, job, event->reason);
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
		const struct event_record *event = &t->moments[i].event;

		json_array_append_new(events, json_pack(
			"{s:I, s:s, s:s, s:o, s:s}", "ms", (json_int_t)t->moments[i].at, "step",
			event->step, "from", t->moments[i].from, "lease",
			event->job ? json_integer((json_int_t)event->job) : json_null(),
			"reason", event->reason));
	}
	return json_pack("{s:s, s:i, s:i, s:o, s:s, s:o}", "device", device->name, "boot",
	                 (int)t->number, "boots", (int)t->boots, "started",
	                 ctl_json_time(t->start / 1000), "nonce", nonce, "events", events);
}

int ctl_device_trace(struct ctl *ctl)
{
	struct timeline t = { .number = 1 };
	struct device device;
	int rc, status = ctl_find_device(ctl, ctl->words[0], &device);

	if (status == 0 && ctl->option[OPT_BOOT])
		status = ctl_number(ctl->option[OPT_BOOT], "--boot", BOOTS_MAX, &t.number);
	if (status)
		return status;
	rc = event_find_boot(&ctl->store, device.id, t.number - 1, t.boot, &t.boots);
	if (rc == ERR_NOT_FOUND && t.boots == 0)
		return ctl_error(EXIT_FAULT, "%s: no boot is known", device.name);
	if (rc == ERR_NOT_FOUND)
		return ctl_error(EXIT_FAULT, "--boot %u: only %u boots of %s are known", t.number,
		                 t.boots, device.name);
	if (rc)
		return ctl_store_error(ctl);
	status = read_moments(ctl, &device, &t);
	if (status == 0 && ctl->json)
		ctl_print_json(json_boot(&device, &t));
	else if (status == 0)
		print_boot(&device, &t);
	free(t.moments);
	return status;
}
