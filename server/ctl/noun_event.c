/* SPDX-License-Identifier: BSD-2-Clause */
/* The event log. */
#include <stdlib.h>

#include "nbp/proto/error.h"
#include "server/ctl/noun.h"

static const struct ctl_option opt_limit = { "limit", "N", "the last N events (50)" };
static const struct ctl_option opt_step = {
	"step", "STEP", "only events with this step, as failed, offered or conflict"
};
static const struct ctl_option opt_since = {
	"since", "TIME", "only events since a day, as 2026-12-31, a time, as \"2026-12-31 18:00\", "
	"or in a time up to now, as 7d"
};
static const struct ctl_option opt_until = {
	"until", "TIME", "only events up to the end of a day, up to a time, or as long ago, "
	"likewise"
};

#define EVENTS_SHOWN 50
#define EVENTS_SHOWN_MAX 1000000

static int read_query(struct ctl *ctl, struct event_query *query)
{
	int status = 0;

	query->limit = EVENTS_SHOWN;
	query->step = ctl_option(ctl, &opt_step);
	if (query->step)
		status = ctl_read_step(ctl, query->step);
	if (status == 0 && ctl_given(ctl, &opt_limit))
		status = ctl_number(ctl_option(ctl, &opt_limit), "--limit", EVENTS_SHOWN_MAX,
		                    &query->limit);
	if (status == 0 && ctl_given(ctl, &opt_since))
		status = ctl_read_past("--since", ctl_option(ctl, &opt_since), false,
		                       &query->since);
	if (status == 0 && ctl_given(ctl, &opt_until))
		status = ctl_read_past("--until", ctl_option(ctl, &opt_until), true,
		                       &query->until);
	if (status == 0 && query->until && query->until < query->since)
		status = ctl_error(EXIT_USAGE, "--until %s: is before --since",
		                   ctl_option(ctl, &opt_until));
	return status;
}

static int print_query(struct ctl *ctl, const struct event_query *query)
{
	json_t *array;

	if (!ctl->json)
		return ctl_print_events(ctl, query);
	array = ctl_json_events(ctl, query);
	if (!array)
		return ctl_store_error(ctl);
	ctl_print_json(array);
	return 0;
}

static int add_id(struct ctl *ctl, const struct device *device, void *data)
{
	(void)ctl;
	json_array_append_new(data, json_integer((json_int_t)device->id));
	return 0;
}

static int ctl_event_list(struct ctl *ctl)
{
	struct event_query query = { .limit = 0 };
	json_t *ids = json_array();
	char *text = NULL;
	int status = read_query(ctl, &query);

	if (status == 0 && ctl->word_count) {
		status = ctl_each_device(ctl, 0, ctl->word_count, add_id, ids);
		query.devices = text = json_dumps(ids, JSON_COMPACT);
	}
	if (status == 0)
		status = print_query(ctl, &query);
	free(text);
	json_decref(ids);
	return status;
}

static const struct verb verbs[] = {
	{ .name = "list", .alias = "ls", .run = ctl_event_list, .min = 0, .max = NO_LIMIT,
	  .options = OPTIONS(&opt_since, &opt_until, &opt_step, &opt_limit),
	  .usage = "[TARGET]... [--since TIME] [--until TIME] [--step STEP] [--limit N]",
	  .help = "List events of all devices, or of those that the targets name, the newest "
	          "last." },
	{ .run = NULL },
};

const struct noun noun_event = {
	.name = "event", .about = "the event log of the devices", .verbs = verbs,
};
