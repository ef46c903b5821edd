/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "server/ctl/ctl_multicast.h"
#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl_verbs.h"
#include "server/tool/output.h"

#define WAIT_MAX (7 * 86400)
#define CLIENTS_MAX 100000

int ctl_find_session(struct ctl *ctl, const char *name, struct multicast_row *row)
{
	int rc = multicast_find(&ctl->store, name, row);

	return ctl_found(ctl, rc, name, "session", "multicast");
}

static int check_name(struct ctl *ctl, const char *name, uint64_t id)
{
	struct multicast_row other;
	int rc = multicast_find(&ctl->store, name, &other);

	if (rc == 0 && other.multicast.id == id)
		rc = ERR_NOT_FOUND;
	return ctl_check_name(ctl, rc, name, "session");
}

/* --- add and change -------------------------------------------------------- */

/* Reads the options of a session, and leaves what was not given. */
static int read_session(struct ctl *ctl, struct multicast_row *row)
{
	const char *clients = ctl->option[OPT_CLIENTS], *wait = ctl->option[OPT_WAIT];
	struct session *m = &row->multicast;
	struct bundle_whole bundle;
	int status = 0;

	if (ctl_given(ctl, OPT_BUNDLE)) {
		status = ctl_find_bundle(ctl, ctl->option[OPT_BUNDLE], &bundle);
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

static int adding(struct ctl *ctl, void *data)
{
	struct session_change *s = data;
	int status = check_name(ctl, ctl->words[0], 0);

	if (status == 0 && !ctl_given(ctl, OPT_BUNDLE))
		status = ctl_error(EXIT_USAGE, "multicast add: needs --bundle NAME");
	if (status == 0)
		status = read_session(ctl, &s->row);
	if (status)
		return status;
	text_format(s->row.multicast.name, NAME_SIZE, "%s", ctl->words[0]);
	s->row.added = time(NULL);
	if (multicast_add(&ctl->store, &s->row))
		return ctl_store_error(ctl);
	return session_join_words(ctl, s);
}

static int changing(struct ctl *ctl, void *data)
{
	struct session_change *s = data;
	int status = session_find_waiting(ctl, ctl->words[0], &s->row);

	/* Also where all of them failed: they may be retried. */
	if (status == 0 && ctl_given(ctl, OPT_BUNDLE) && s->row.multicast.last_joined)
		status = ctl_error(EXIT_FAULT, "session %s: machines have joined it for %s "
		                   "already; end it and add another one", s->row.multicast.name,
		                   s->row.bundle_name);
	if (status == 0)
		status = read_session(ctl, &s->row);
	if (status == 0 && multicast_change(&ctl->store, &s->row))
		status = ctl_store_error(ctl);
	return status;
}

/* --- start, end, remove ---------------------------------------------------- */

static int starting(struct ctl *ctl, void *data)
{
	struct session_change *s = data;
	int status = session_find_waiting(ctl, ctl->words[0], &s->row);

	if (status == 0 && s->row.multicast.joined == 0)
		status = ctl_error(EXIT_FAULT, s->row.multicast.last_joined
		                   ? "session %s: of those that have joined it nobody is left"
		                   : "session %s: nobody has joined it yet",
		                   s->row.multicast.name);
	if (status == 0 && multicast_start(&ctl->store, s->row.multicast.id, time(NULL)))
		status = ctl_store_error(ctl);
	s->row.multicast.state = SESSION_STARTED;
	return status;
}

static int end_for(struct ctl *ctl, const struct device *device, void *data)
{
	return session_cancel(ctl, data, device->id, "the multicast session was ended");
}

/* Ends the session, and what its members have to do for it. */
static int end(struct ctl *ctl, struct session_change *s)
{
	int status = ctl_each_member(ctl, s->row.multicast.id, end_for, s);

	if (status == 0 && multicast_end(&ctl->store, s->row.multicast.id, time(NULL)))
		status = ctl_store_error(ctl);
	s->row.multicast.state = SESSION_ENDED;
	return status;
}

static int ending(struct ctl *ctl, void *data)
{
	struct session_change *s = data;
	int status = ctl_find_session(ctl, ctl->words[0], &s->row);

	if (status == 0 && s->row.multicast.state == SESSION_ENDED)
		status = ctl_error(EXIT_FAULT, "session %s has ended already",
		                   s->row.multicast.name);
	return status ? status : end(ctl, s);
}

static int removing(struct ctl *ctl, void *data)
{
	struct session_change *s = data;
	struct session *m = &s->row.multicast;
	int status = ctl_find_session(ctl, ctl->words[0], &s->row);

	if (status == 0 && m->state != SESSION_ENDED && m->joined && !ctl_given(ctl, OPT_FORCE))
		status = ctl_error(EXIT_FAULT, "session %s: %u machines have joined it; end it "
		                   "with \"prebootctl multicast end %s\", or use --force", m->name,
		                   m->joined, m->name);
	if (status == 0 && m->state != SESSION_ENDED)
		status = end(ctl, s);
	if (status == 0 && multicast_remove(&ctl->store, m->id))
		status = ctl_store_error(ctl);
	return status;
}

/* Tells of a session whose members, all joined, would wait for more. None yet: some will come. */
static void note_too_few(const struct multicast_row *row)
{
	const struct session *m = &row->multicast;

	if (m->wait == 0 && row->members && row->members < m->clients)
		output_line("prebootctl: note", "session %s waits for %u machines and has %llu "
		            "members; it starts by itself only with more of them, or with --wait",
		            m->name, m->clients, (unsigned long long)row->members);
}

static int change(struct ctl *ctl, int (*how)(struct ctl *ctl, void *data), const char *done)
{
	struct session_change s = { 0 };
	int status = ctl_transaction(ctl, how, &s);

	if (status == 0 && (how == adding || how == changing))
		ctl_warn_bundle_id(ctl, s.row.bundle);
	if (status == 0 && s.row.multicast.state == SESSION_WAITING)
		note_too_few(&s.row);
	return status ? status : ctl_say(ctl, ctl_json_multicast(&s.row), "session %s %s, with "
	                                 "%llu members", s.row.multicast.name, done,
	                                 (unsigned long long)s.row.members);
}

int ctl_multicast_add(struct ctl *ctl)
{
	return change(ctl, adding, "added");
}

int ctl_multicast_change(struct ctl *ctl)
{
	return change(ctl, changing, "changed");
}

int ctl_multicast_start(struct ctl *ctl)
{
	return change(ctl, starting, "started");
}

int ctl_multicast_end(struct ctl *ctl)
{
	return change(ctl, ending, "ended");
}

int ctl_multicast_remove(struct ctl *ctl)
{
	struct session_change s = { 0 };
	int status = ctl_transaction(ctl, removing, &s);

	return status ? status : ctl_say(ctl, json_pack("{s:s}", "removed", s.row.multicast.name),
	                                 "session %s removed", s.row.multicast.name);
}
