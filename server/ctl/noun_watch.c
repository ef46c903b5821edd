/* SPDX-License-Identifier: BSD-2-Clause */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/noun.h"
#include "server/store/events.h"
#include "server/store/folders.h"
#include "server/store/unknown.h"

static const struct ctl_option opt_limit = { "limit", "N", "begin with the last N events" };
static const struct ctl_option opt_step = {
	"step", "STEP", "only events with this step, as failed, offered or conflict; no unknown "
	"machines"
};

#define POLL_MS 100
#define LIMIT_MAX 1000000

/* An unknown machine that was printed, as long as it may be found once more. */
struct printed {
	int64_t id, boots;
};

/* An event with its device's name, and its place among those that are stored. */
struct watched_event {
	struct event_record event;
	char device[NAME_SIZE];
	int64_t id;
};

struct watch {
	struct ctl *ctl;
	bool all;            /* of all devices; else JSON arrays of ids, as text */
	char *devices, *folders, *groups;
	const char *step;    /* NULL: not of one step alone */
	struct watched_event *events; /* those that were just found, and are to be printed */
	size_t event_count;
	bool settling;       /* something was written since the last look */
	int64_t event;       /* the last that was printed */
	int64_t since;       /* unknown machines last seen before have been printed */
	struct printed *printed;   /* those of that second */
	size_t printed_count;
	int64_t version;     /* of the database, as this connection sees it */
};

/* --- reporting ------------------------------------------------------------- */

static void put_time(int64_t time, uint32_t ms, bool with_ms)
{
	char text[32];

	ctl_time(time, text, sizeof(text));
	printf(with_ms ? "%s.%03u" : "%s    ", text, ms);
}

static void put_line(json_t *object)
{
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
}

static void report_event(struct watch *w, const struct event_record *event, const char *device)
{
	char job[24] = "-";

	if (w->ctl->json) {
		put_line(ctl_json_event(event, device));
		return;
	}
	if (event->job)
		text_format(job, sizeof(job), "%" PRIu64, event->job);
	put_time(event->time, event->time_ms, true);
	printf("  %-15s  %-10s  %5s  ", device, event->step, job);
	if (event->milliseconds)
		printf("after %u ms%s", event->milliseconds, event->reason[0] ? ": " : "");
	printf("%s\n", event->reason);
}

static void report_unknown(struct watch *w, const struct unknown *unknown)
{
	static const uint8_t none[16];
	char name[48];

	text_format(name, sizeof(name), "%pM", unknown->mac);
	if (w->ctl->json) {
		char guid[40];

		text_format(guid, sizeof(guid), "%pU", unknown->uuid);
		put_line(json_pack("{s:o, s:s, s:o, s:s, s:s, s:I}", "time",
		                   ctl_json_time(unknown->last), "unknown_machine", name,
		                   "uuid", memcmp(unknown->uuid, none, 16) ? json_string(guid)
		                                                           : json_null(),
		                   "address", unknown->address, "outcome", unknown->outcome,
		                   "boots",
		                   (json_int_t)unknown->boots));
		return;
	}
	put_time(unknown->last, 0, false);
	printf("  %-17s  unknown   %5s  from %s: %s\n", name, "-", unknown->address,
	       unknown->outcome);
}

/* --- looking --------------------------------------------------------------- */

/*
 * By time; what a request brought about comes after it, though prebootd stores the job that it
 * offers first, before the answer, and the request's own event after that.
 */
static int compare_events(const void *left, const void *right)
{
	const struct watched_event *a = left, *b = right;
	bool asked_a = strcmp(a->event.step, "request") == 0;
	bool asked_b = strcmp(b->event.step, "request") == 0;

	if (a->event.time != b->event.time)
		return a->event.time < b->event.time ? -1 : 1;
	if (a->event.time_ms != b->event.time_ms)
		return a->event.time_ms < b->event.time_ms ? -1 : 1;
	if (asked_a != asked_b && a->event.device == b->event.device)
		return asked_a ? -1 : 1;
	return a->id < b->id ? -1 : 1;
}

/* Adds the event that @rows is at to those that are to be printed. Returns false without memory. */
static bool add_event(struct watch *w, struct store_rows *rows)
{
	struct watched_event found = { .id = event_row_number(rows) }, *more;

	event_row(rows, &found.event);
	event_row_device(rows, found.device);
	if (w->step && strcmp(found.event.step, w->step) != 0)
		return true;
	/* The list grows at each power of two. */
	if ((w->event_count & (w->event_count - 1)) == 0) {
		size_t capacity = w->event_count ? 2 * w->event_count : 1;

		more = realloc(w->events, sizeof(*more) * capacity);
		if (!more)
			return false;
		w->events = more;
	}
	w->events[w->event_count++] = found;
	return true;
}

static int look_at_events(struct watch *w)
{
	struct event_filter filter = { w->event, w->all, w->devices, w->folders, w->groups };
	struct store_rows *rows;
	int rc = event_list_after(&w->ctl->store, &filter, &rows);

	w->event_count = 0;
	while (store_next(rows, &rc)) {
		w->event = event_row_number(rows);
		if (!add_event(w, rows))
			rc = ERR_SPACE;
	}
	if (w->event_count)
		qsort(w->events, w->event_count, sizeof(*w->events), compare_events);
	for (size_t i = 0; i < w->event_count; i++)
		report_event(w, &w->events[i].event, w->events[i].device);
	return rc;
}

/* Says whether this boot of an unknown machine is news, and notes that it no longer is. */
static bool is_news(struct watch *w, int64_t id, int64_t last, int64_t boots)
{
	if (last > w->since) {
		w->since = last;
		w->printed_count = 0;
	}
	for (size_t i = 0; i < w->printed_count; i++) {
		bool news = w->printed[i].boots != boots;

		if (w->printed[i].id != id)
			continue;
		w->printed[i].boots = boots;
		return news;
	}
	if ((w->printed_count & (w->printed_count - 1)) == 0) {
		size_t size = w->printed_count ? 2 * w->printed_count : 1;
		struct printed *more = realloc(w->printed, size * sizeof(*more));

		if (!more)
			return true; /* It may be printed twice. */
		w->printed = more;
	}
	w->printed[w->printed_count++] = (struct printed){ id, boots };
	return true;
}

/* @print: false: they only count as printed */
static int look_at_unknowns(struct watch *w, bool print)
{
	struct unknown unknown;
	struct store_rows *rows;
	int rc = unknown_list_since(&w->ctl->store, w->since, &rows);

	while (store_next(rows, &rc)) {
		unknown_row(rows, &unknown);
		if (is_news(w, (int64_t)unknown.id, unknown.last, (int64_t)unknown.boots) && print)
			report_unknown(w, &unknown);
	}
	return rc;
}

/* Looks where another connection has written something; that is cheap to know. */
static int look_for_news(struct watch *w)
{
	int64_t version;
	int rc = store_data_version(&w->ctl->store, &version);

	if (rc || version == w->version)
		return rc;
	/* What belongs together is stored together: it is printed together, in its order. */
	w->settling = !w->settling;
	if (w->settling)
		return 0;
	rc = look_at_events(w);
	if (rc == 0 && !w->ctl->word_count && !w->step)
		rc = look_at_unknowns(w, true);
	if (rc == 0)
		w->version = version;
	return rc;
}

/* --- the verb -------------------------------------------------------------- */

/* Goes to the end of what there is, or @limit events before it. */
static int start_watch(struct watch *w, uint32_t limit)
{
	int rc = event_number_before(&w->ctl->store, limit, &w->event);

	if (rc == 0)
		rc = unknown_newest(&w->ctl->store, &w->since);
	if (rc)
		return rc;
	w->version = -1;
	return look_at_unknowns(w, false);
}

/* Finds what the words name: those who are in folders and groups may change. */
static int find_watched(struct watch *w)
{
	json_t *devices = json_array(), *folders = json_array(), *groups = json_array();
	int status = 0;

	w->all = w->ctl->word_count == 0;
	for (int i = 0; status == 0 && i < w->ctl->word_count; i++) {
		struct owner owner = { .level = LEVEL_GLOBAL };

		status = ctl_find_owner(w->ctl, w->ctl->words[i], &owner);
		w->all |= status == 0 && owner.level == LEVEL_GLOBAL;
		json_array_append_new(owner.level == LEVEL_DEVICE ? devices
		                      : owner.level == LEVEL_GROUP ? groups : folders,
		                      json_integer((json_int_t)owner.id));
	}
	w->devices = json_dumps(devices, JSON_COMPACT);
	w->folders = json_dumps(folders, JSON_COMPACT);
	w->groups = json_dumps(groups, JSON_COMPACT);
	json_decref(devices);
	json_decref(folders);
	json_decref(groups);
	return status;
}

/* Waits for a signal, or that nobody reads any more. Returns whether it is to end. */
static bool wait_for_end(int signals)
{
	struct pollfd fds[] = { { .fd = signals, .events = POLLIN }, { .fd = STDOUT_FILENO } };

	return poll(fds, 2, POLL_MS) > 0 && (fds[0].revents || fds[1].revents);
}

static int follow_database(struct watch *w)
{
	sigset_t set;
	int signals, rc;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (signals < 0)
		return ctl_error(EXIT_FAULT, "cannot wait for signals");
	do {
		rc = look_for_news(w);
		fflush(stdout);
		/* Another one is writing: there is another time. */
		if (rc && rc != ERR_AGAIN) {
			close(signals);
			return ctl_store_error(w->ctl);
		}
	} while (!ferror(stdout) && !wait_for_end(signals));
	close(signals);
	return 0;
}

static int ctl_watch(struct ctl *ctl)
{
	struct watch w = { .ctl = ctl, .step = ctl_option(ctl, &opt_step) };
	uint32_t limit = 0;
	int status = ctl_given(ctl, &opt_limit)
	             ? ctl_number(ctl_option(ctl, &opt_limit), "--limit", LIMIT_MAX, &limit) : 0;

	if (status == 0 && w.step)
		status = ctl_read_step(ctl, w.step);
	if (status == 0)
		status = find_watched(&w);
	if (status == 0 && start_watch(&w, limit))
		status = ctl_store_error(ctl);
	if (status == 0)
		status = follow_database(&w);
	free(w.printed);
	free(w.events);
	free(w.devices);
	free(w.folders);
	free(w.groups);
	return status;
}

static const struct verb verbs[] = {
	{ .run = ctl_watch, .min = 0, .max = NO_LIMIT, .options = OPTIONS(&opt_limit, &opt_step),
	  .usage = "[TARGET]... [--step STEP] [--limit N]",
	  .help = "Print the events of all machines, unknown ones too, or of the devices that the "
	          "targets name, one a line as they happen; with --json one object a line, where "
	          "time_ms is the part of a second that time leaves out. Devices that come into a "
	          "folder or group belong to it from then on. It ends on SIGINT (Ctrl-C), SIGTERM, "
	          "or when nobody reads its output." },
	{ .run = NULL },
};

const struct noun noun_watch = {
	.name = "watch", .about = "events as they happen", .verbs = verbs,
};
