/* SPDX-License-Identifier: BSD-2-Clause */
/* Multicast sessions: devices that start together. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/noun.h"
#include "server/ctl/noun_multicast.h"
#include "server/tool/output.h"

static const struct ctl_option opt_bundle = { "bundle", "BUNDLE", "the bundle that members get" };
static const struct ctl_option opt_clients = {
	"clients", "N", "start when N machines have joined; 0: no limit by number"
};
static const struct ctl_option opt_wait = {
	"wait", "TIME", "start this time after the last one has joined, as 90s or 5m; 0: no limit "
	"by time"
};
static const struct ctl_option opt_force = {
	"force", NULL, "also a session that machines have joined and that has not ended; this ends "
	"it"
};

/* A session that a verb works on. */
struct session_change {
	struct multicast_row row;
	unsigned int changed; /* how many devices joined or left */
};

static int find_id(struct store *store, const char *name, uint64_t *id)
{
	struct multicast_row found;
	int rc = multicast_find(store, name, &found);

	*id = rc ? 0 : found.multicast.id;
	return rc;
}

static const struct named named_multicast = { "session", find_id };

/* Finds a session that has not started yet. */
static int find_waiting(struct ctl *ctl, const char *name, struct multicast_row *row)
{
	int status = ctl_find_session(ctl, name, row);

	if (status == 0 && row->multicast.state != SESSION_WAITING)
		status = ctl_error(EXIT_FAULT, "session %s has %s already; add another one",
		                   row->multicast.name,
		                   session_state_name(row->multicast.state));
	return status;
}

static int join_device(struct ctl *ctl, const struct device *device, void *data)
{
	struct session_change *s = data;
	int rc = multicast_join(&ctl->store, s->row.multicast.id, device->id);

	if (rc == ERR_REFUSED)
		return 0; /* it is one already */
	if (rc)
		return ctl_store_error(ctl);
	s->changed++;
	s->row.members++;
	return ctl_add_event(ctl, device->id, "member", "of multicast session %s",
	                    s->row.multicast.name);
}

/* Cancels the job that a member has for the session. */
static int cancel_job_of(struct ctl *ctl, const struct session_change *s, uint64_t device,
                         const char *reason)
{
	struct job job;
	int rc = multicast_job(&ctl->store, s->row.multicast.id, device, &job);

	if (rc == ERR_NOT_FOUND)
		return 0;
	return rc ? ctl_store_error(ctl) : ctl_cancel_job(ctl, &job, reason);
}

static int leave_device(struct ctl *ctl, const struct device *device, void *data)
{
	struct session_change *s = data;
	const char *name = s->row.multicast.name;
	int status, rc = multicast_leave(&ctl->store, s->row.multicast.id, device->id);

	if (rc == ERR_NOT_FOUND)
		return ctl_error(EXIT_FAULT, "%s is not in session %s", device->name, name);
	if (rc)
		return ctl_store_error(ctl);
	s->changed++;
	status = cancel_job_of(ctl, s, device->id, "it left the multicast session");
	return status ? status : ctl_add_event(ctl, device->id, "left", "multicast session %s",
	                                      name);
}

/* Makes members of the devices that the words after the session's name stand for. */
static int join_words(struct ctl *ctl, struct session_change *s)
{
	return ctl_each_device(ctl, 1, ctl->word_count, join_device, s);
}

static int join_session(struct ctl *ctl, struct session_change *s)
{
	int status = find_waiting(ctl, ctl->words[0], &s->row);

	return status ? status : join_words(ctl, s);
}

static int leave_session(struct ctl *ctl, struct session_change *s)
{
	int status = ctl_find_session(ctl, ctl->words[0], &s->row);

	return status ? status : ctl_each_device(ctl, 1, ctl->word_count, leave_device, s);
}

static int change_members(struct ctl *ctl, int (*how)(struct ctl *ctl, struct session_change *),
                          const char *done)
{
	struct session_change s = { 0 };
	int status = CTL_TRANSACTION(ctl, how(ctl, &s));

	return status ? status : ctl_say(ctl, json_pack("{s:s, s:i}", "session",
	                                                s.row.multicast.name, "changed",
	                                                (int)s.changed),
	                                 "%u %s session %s", s.changed, done,
	                                 s.row.multicast.name);
}

static int ctl_multicast_join(struct ctl *ctl)
{
	return change_members(ctl, join_session, "became members of");
}

static int ctl_multicast_leave(struct ctl *ctl)
{
	return change_members(ctl, leave_session, "left");
}

#define WAIT_MAX (7 * 86400)
#define CLIENTS_MAX 100000

/* --- add and change -------------------------------------------------------- */

/* Reads the options of a session, and leaves what was not given. */
static int read_session(struct ctl *ctl, struct multicast_row *row)
{
	const char *clients = ctl_option(ctl, &opt_clients), *wait = ctl_option(ctl, &opt_wait);
	struct session *m = &row->multicast;
	struct bundle_whole bundle;
	int status = 0;

	if (ctl_given(ctl, &opt_bundle)) {
		status = ctl_find_bundle(ctl, ctl_option(ctl, &opt_bundle), &bundle);
		if (status)
			return status;
		row->bundle = bundle.bundle.id;
		text_format(row->bundle_name, NAME_SIZE, "%s", bundle.bundle.name);
	}
	if (clients && strcmp(clients, "0") == 0)
		m->clients = 0;
	else if (clients)
		status = ctl_number(clients, "--clients", CLIENTS_MAX, &m->clients);
	if (status == 0 && wait && strcmp(wait, "0") == 0)
		m->wait = 0;
	else if (status == 0 && wait)
		status = ctl_seconds(wait, "--wait", WAIT_MAX, &m->wait);
	if (status == 0 && !m->clients && !m->wait)
		status = ctl_error(EXIT_USAGE, "when is it to start? expected --clients N, when so "
		                   "many have joined; --wait TIME, so long after the last one has; "
		                   "or both");
	return status;
}

static int add_session(struct ctl *ctl, struct session_change *s)
{
	int status = ctl_check_free_name(ctl, &named_multicast, ctl->words[0], 0);

	if (status == 0 && !ctl_given(ctl, &opt_bundle))
		status = ctl_error(EXIT_USAGE, "multicast add: missing --bundle BUNDLE");
	if (status == 0)
		status = read_session(ctl, &s->row);
	if (status)
		return status;
	text_format(s->row.multicast.name, NAME_SIZE, "%s", ctl->words[0]);
	s->row.added = time(NULL);
	if (multicast_add(&ctl->store, &s->row))
		return ctl_store_error(ctl);
	return join_words(ctl, s);
}

/* Notes that a session's members, if all had joined, would wait for more. */
static void note_too_few(const struct multicast_row *row)
{
	const struct session *m = &row->multicast;

	if (m->wait == 0 && row->members < m->clients)
		output_line("prebootctl: note", "session %s waits for %u machines and has %llu "
		            "member%s; it starts by itself only with more of them (\"prebootctl "
		            "multicast join %s DEVICE...\"), or with --wait", m->name, m->clients,
		            (unsigned long long)row->members, ctl_plural(row->members), m->name);
}

static int add_session_done(struct ctl_done *done, const struct session_change *s, const char *what)
{
	return ctl_add_done(done, ctl_json_multicast(&s->row), "session %s %s, with %llu member%s",
	                    s->row.multicast.name, what, (unsigned long long)s->row.members,
	                    ctl_plural(s->row.members));
}

static int change_session(struct ctl *ctl, const char *word, struct ctl_done *done)
{
	struct session_change s = { 0 };
	int status = find_waiting(ctl, word, &s.row);

	/* Also where all of them failed: they may be retried. */
	if (status == 0 && ctl_given(ctl, &opt_bundle) && s.row.multicast.last_joined)
		status = ctl_error(EXIT_FAULT, "session %s: machines have joined it for %s "
		                   "already; end it and add another one", s.row.multicast.name,
		                   s.row.bundle_name);
	if (status == 0)
		status = read_session(ctl, &s.row);
	if (status == 0 && multicast_change(&ctl->store, &s.row))
		status = ctl_store_error(ctl);
	if (status)
		return status;
	ctl_warn_bundle_id(ctl, s.row.bundle);
	note_too_few(&s.row);
	return add_session_done(done, &s, "changed");
}

/* --- start, end, remove ---------------------------------------------------- */


static int start_session(struct ctl *ctl, const char *word, struct ctl_done *done)
{
	struct session_change s = { 0 };
	int status = find_waiting(ctl, word, &s.row);

	if (status == 0 && s.row.multicast.joined == 0)
		status = ctl_error(EXIT_FAULT, s.row.multicast.last_joined
		                   ? "session %s: of those that have joined it nobody is left"
		                   : "session %s: nobody has joined it yet",
		                   s.row.multicast.name);
	if (status == 0 && multicast_start(&ctl->store, s.row.multicast.id, time(NULL)))
		status = ctl_store_error(ctl);
	s.row.multicast.state = SESSION_STARTED;
	return status ? status : add_session_done(done, &s, "started");
}

static int cancel_member(struct ctl *ctl, const struct device *device, void *data)
{
	return cancel_job_of(ctl, data, device->id, "the multicast session was ended");
}

/* Ends the session, and what its members have to do for it. */
static int end_session(struct ctl *ctl, struct session_change *s)
{
	int status = ctl_each_member(ctl, s->row.multicast.id, cancel_member, s);

	if (status == 0 && multicast_end(&ctl->store, s->row.multicast.id, time(NULL)))
		status = ctl_store_error(ctl);
	s->row.multicast.state = SESSION_ENDED;
	return status;
}

static int end_open_session(struct ctl *ctl, const char *word, struct ctl_done *done)
{
	struct session_change s = { 0 };
	int status = ctl_find_session(ctl, word, &s.row);

	if (status == 0 && s.row.multicast.state == SESSION_ENDED)
		status = ctl_error(EXIT_FAULT, "session %s has ended already",
		                   s.row.multicast.name);
	if (status == 0)
		status = end_session(ctl, &s);
	return status ? status : add_session_done(done, &s, "ended");
}

static int remove_session(struct ctl *ctl, const char *word, struct ctl_done *done)
{
	struct session_change s = { 0 };
	struct session *m = &s.row.multicast;
	int status = ctl_find_session(ctl, word, &s.row);

	if (status == 0 && m->state != SESSION_ENDED && m->joined && !ctl_given(ctl, &opt_force))
		status = ctl_error(EXIT_FAULT, "session %s has been joined by %u machine%s; end it "
		                   "with \"prebootctl multicast end %s\", or use --force", m->name,
		                   m->joined, ctl_plural(m->joined), m->name);
	if (status == 0 && m->state != SESSION_ENDED)
		status = end_session(ctl, &s);
	if (status == 0 && multicast_remove(&ctl->store, m->id))
		status = ctl_store_error(ctl);
	return status ? status : ctl_add_removed(done, "session", m->name);
}

static int ctl_multicast_add(struct ctl *ctl)
{
	struct session_change s = { 0 };
	int status = CTL_TRANSACTION(ctl, add_session(ctl, &s));

	if (status)
		return status;
	ctl_warn_bundle_id(ctl, s.row.bundle);
	note_too_few(&s.row);
	return ctl_say(ctl, ctl_json_multicast(&s.row), "session %s added, with %llu member%s",
	               s.row.multicast.name, (unsigned long long)s.row.members,
	               ctl_plural(s.row.members));
}

static int ctl_multicast_change(struct ctl *ctl)
{
	return ctl_change_each(ctl, ctl->word_count, change_session);
}

static int ctl_multicast_start(struct ctl *ctl)
{
	return ctl_change_each(ctl, ctl->word_count, start_session);
}

static int ctl_multicast_end(struct ctl *ctl)
{
	return ctl_change_each(ctl, ctl->word_count, end_open_session);
}

static int ctl_multicast_remove(struct ctl *ctl)
{
	return ctl_change_each(ctl, ctl->word_count, remove_session);
}

/* --- the noun --------------------------------------------------------------- */

static const struct verb verbs[] = {
	{ .name = "add", .alias = "new", .run = ctl_multicast_add, .min = 1, .max = NO_LIMIT,
	  .options = OPTIONS(&opt_bundle, &opt_clients, &opt_wait),
	  .usage = "NAME --bundle BUNDLE [--clients N] [--wait TIME] [TARGET]...",
	  .help = "Add a session of devices that start together: its members get the bundle at "
	          "their next boot and wait for each other. A member that comes later learns that "
	          "the session has started without it." },
	{ .name = "change", .alias = "set", .run = ctl_multicast_change, .min = 1,
	  .max = NO_LIMIT,
	  .options = OPTIONS(&opt_bundle, &opt_clients, &opt_wait),
	  .usage = "NAME... [--bundle BUNDLE] [--clients N] [--wait TIME]",
	  .help = "Change sessions that have not started, all or none." },
	{ .name = "list", .alias = "ls", .run = ctl_multicast_list, .help = "List the sessions." },
	{ .name = "show", .alias = "info", .run = ctl_multicast_show, .min = 1,
	  .max = NO_LIMIT, .usage = "NAME...",
	  .help = "Show sessions, their members, and the states of their jobs." },
	{ .name = "join", .run = ctl_multicast_join, .min = 2, .max = NO_LIMIT,
	  .usage = "NAME TARGET...",
	  .help = "Make devices members of a session that has not started." },
	{ .name = "leave", .run = ctl_multicast_leave, .min = 2, .max = NO_LIMIT,
	  .usage = "NAME TARGET...",
	  .help = "Take devices out of a session, and cancel their jobs of it." },
	{ .name = "start", .run = ctl_multicast_start, .min = 1, .max = NO_LIMIT,
	  .usage = "NAME...",
	  .help = "Start sessions with the members that have joined by now." },
	{ .name = "end", .alias = "stop", .run = ctl_multicast_end, .min = 1, .max = NO_LIMIT,
	  .usage = "NAME...", .help = "End sessions, and cancel the open jobs of their members." },
	{ .name = "remove", .alias = "delete", .run = ctl_multicast_remove, .min = 1,
	  .max = NO_LIMIT, .options = OPTIONS(&opt_force), .usage = "NAME... [--force]",
	  .help = "Delete sessions, all or none." },
	{ .run = NULL },
};

const struct noun noun_multicast = {
	.name = "multicast", .about = "sessions of machines that start together", .verbs = verbs,
};
