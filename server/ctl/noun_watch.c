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
#include "server/store/folders.h"

static const struct ctl_option opt_limit = { "limit", "N", "begin with the last N events" };

#define POLL_MS 100
#define LIMIT_MAX 1000000

/* An unknown machine that has been told of, as long as it may be found once more. */
struct told {
	int64_t id, boots;
};

struct watch {
	struct ctl *ctl;
	uint64_t device;     /* 0: not of one alone */
	int64_t folder;      /* -1: not of one alone; 0: the top, which is all devices */
	int64_t event;       /* the last that was told */
	int64_t since;       /* unknown machines last seen before are told */
	struct told *told;   /* those of that second */
	size_t told_count;
	int64_t version;     /* of the database, as this connection sees it */
};

/* --- telling --------------------------------------------------------------- */

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

/* Columns: id, last, boots, mac, uuid, address, outcome. */
static void report_unknown(struct watch *w, struct store_rows *row)
{
	static const uint8_t none[16];
	uint8_t mac[6], uuid[16];
	char name[48], address[64], outcome[REASON_SIZE];

	store_bytes(row, 3, mac, 6);
	store_bytes(row, 4, uuid, 16);
	store_text(row, 5, address, sizeof(address));
	store_text(row, 6, outcome, sizeof(outcome));
	text_format(name, sizeof(name), "%pM", mac);
	if (w->ctl->json) {
		char guid[40];

		text_format(guid, sizeof(guid), "%pU", uuid);
		put_line(json_pack("{s:o, s:s, s:o, s:s, s:s, s:I}", "time",
		                   ctl_json_time(store_number(row, 1)), "unknown_machine", name,
		                   "uuid", memcmp(uuid, none, 16) ? json_string(guid) : json_null(),
		                   "address", address, "outcome", outcome, "boots",
		                   (json_int_t)store_number(row, 2)));
		return;
	}
	put_time(store_number(row, 1), 0, false);
	printf("  %-17s  unknown   %5s  from %s: %s\n", name, "-", address, outcome);
}

/* --- looking --------------------------------------------------------------- */

static int look_at_events(struct watch *w)
{
	static const char sql[] =
		"WITH RECURSIVE within (id) AS (SELECT ?3 UNION"
		" SELECT folder.id FROM folder JOIN within ON folder.parent = within.id)"
		" SELECT event.id, event.device, time, step, job, milliseconds, reason, boot,"
		" time_ms, device.name FROM event JOIN device ON device.id = event.device"
		" WHERE event.id > ?1 AND (?2 = 0 OR device.id = ?2)"
		" AND (?3 <= 0 OR device.folder IN (SELECT id FROM within)) ORDER BY event.id";
	struct event_record event;
	char name[NAME_SIZE];
	struct store_rows *rows;
	int rc = store_start(&w->ctl->store, &rows, sql, "iii", w->event, (int64_t)w->device,
	                     w->folder);

	while (store_next(rows, &rc)) {
		w->event = store_number(rows, 0);
		event_row(rows, &event);
		store_text(rows, 9, name, sizeof(name));
		report_event(w, &event, name);
	}
	return rc;
}

/* Says whether this boot of an unknown machine is news, and notes that it no longer is. */
static bool is_news(struct watch *w, int64_t id, int64_t last, int64_t boots)
{
	if (last > w->since) {
		w->since = last;
		w->told_count = 0;
	}
	for (size_t i = 0; i < w->told_count; i++) {
		bool news = w->told[i].boots != boots;

		if (w->told[i].id != id)
			continue;
		w->told[i].boots = boots;
		return news;
	}
	if ((w->told_count & (w->told_count - 1)) == 0) {
		size_t size = w->told_count ? 2 * w->told_count : 1;
		struct told *more = realloc(w->told, size * sizeof(*more));

		if (!more)
			return true; /* it may be told twice */
		w->told = more;
	}
	w->told[w->told_count++] = (struct told){ id, boots };
	return true;
}

/* @tell: no: they are only noted as told */
static int look_at_unknowns(struct watch *w, bool tell)
{
	static const char sql[] =
		"SELECT id, last, boots, mac, uuid, address, outcome FROM unknown_machine"
		" WHERE last >= ? ORDER BY last, id";
	struct store_rows *rows;
	int rc = store_start(&w->ctl->store, &rows, sql, "i", w->since);

	while (store_next(rows, &rc)) {
		if (is_news(w, store_number(rows, 0), store_number(rows, 1),
		            store_number(rows, 2)) && tell)
			report_unknown(w, rows);
	}
	return rc;
}

/* Looks where another connection has written something; that is cheap to know. */
static int look_for_news(struct watch *w)
{
	int64_t version;
	int rc = store_one(&w->ctl->store, store_take_number, &version, "PRAGMA data_version", "");

	if (rc || version == w->version)
		return rc;
	rc = look_at_events(w);
	if (rc == 0 && !w->device && w->folder < 0)
		rc = look_at_unknowns(w, true);
	if (rc == 0)
		w->version = version;
	return rc;
}

/* --- the verb -------------------------------------------------------------- */

/* Goes to the end of what there is, or @limit events before it. */
static int start_watch(struct watch *w, uint32_t limit)
{
	static const char sql[] =
		"SELECT ifnull((SELECT min(id) - 1 FROM"
		"  (SELECT event.id FROM event ORDER BY id DESC LIMIT ?1)), 0),"
		" ifnull((SELECT max(id) FROM event), 0),"
		" ifnull((SELECT max(last) FROM unknown_machine), 0)";
	struct store_rows *row;
	int rc = store_start(&w->ctl->store, &row, sql, "i", (int64_t)limit);

	if (rc || (rc = store_step(row)) != 1)
		return rc;
	w->event = store_number(row, limit ? 0 : 1);
	w->since = store_number(row, 2);
	w->version = -1;
	store_end(row);
	return look_at_unknowns(w, false);
}

static int find_watched(struct watch *w)
{
	struct ctl *ctl = w->ctl;
	struct device device;
	uint64_t folder;
	int rc, status;

	w->folder = -1;
	if (!ctl->word_count)
		return 0;
	if (ctl->words[0][0] != '/') {
		status = ctl_find_device(ctl, ctl->words[0], &device);
		w->device = status ? 0 : device.id;
		return status;
	}
	rc = folder_find(&ctl->store, ctl->words[0], &folder);
	if (rc == 0)
		w->folder = (int64_t)folder;
	if (rc == ERR_MALFORMED)
		rc = ERR_NOT_FOUND;
	return ctl_found(ctl, rc, ctl->words[0], "folder", "folder");
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
	struct watch w = { .ctl = ctl };
	uint32_t limit = 0;
	int status = ctl_given(ctl, &opt_limit)
	             ? ctl_number(ctl_option(ctl, &opt_limit), "--limit", LIMIT_MAX, &limit) : 0;

	if (status == 0)
		status = find_watched(&w);
	if (status == 0 && start_watch(&w, limit))
		status = ctl_store_error(ctl);
	if (status == 0)
		status = follow_database(&w);
	free(w.told);
	return status;
}

static const struct verb verbs[] = {
	{ .run = ctl_watch, .min = 0, .max = 1, .options = OPTIONS(&opt_limit),
	  .usage = "[DEVICE|FOLDER] [--limit N]",
	  .help = "Print the events of all machines, unknown ones too, or of a device or those in a "
	          "folder, one a line as they happen; with --json one object a line, where time_ms "
	          "is the part of a second that time leaves out. It ends on SIGINT (Ctrl-C), "
	          "SIGTERM, or when nobody reads its output." },
	{ .run = NULL },
};

const struct noun noun_watch = {
	.name = "watch", .about = "events as they happen", .verbs = verbs,
};
