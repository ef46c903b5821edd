/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/noun.h"
#include "server/ctl/noun_multicast.h"
#include "server/store/jobs.h"
#include "server/store/multicasts.h"

json_t *ctl_json_multicast(const struct multicast_row *row)
{
	const struct session *m = &row->multicast;

	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:I, s:i, s:o, s:o, s:o, s:o}", "session",
	                 m->name, "bundle", row->bundle_name, "state",
	                 session_state_name(m->state), "clients",
	                 m->clients ? json_integer(m->clients) : json_null(), "wait",
	                 m->wait ? json_integer(m->wait) : json_null(), "members",
	                 (json_int_t)row->members, "joined", (int)m->joined, "added",
	                 ctl_json_time(row->added), "last_joined", ctl_json_time(m->last_joined),
	                 "started", ctl_json_time(row->started), "ended",
	                 ctl_json_time(row->ended));
}

/* Says when it starts: "3 joined or 5 min". */
static void starts_text(const struct session *m, char *out, size_t size)
{
	char wait[32] = "", clients[32] = "";

	if (m->clients)
		text_format(clients, sizeof(clients), "%u joined", m->clients);
	if (m->wait && m->wait % 60 == 0)
		text_format(wait, sizeof(wait), "%u min", m->wait / 60);
	else if (m->wait)
		text_format(wait, sizeof(wait), "%u s", m->wait);
	text_format(out, size, "%s%s%s", clients, m->clients && m->wait ? " or " : "", wait);
}

int ctl_multicast_list(struct ctl *ctl)
{
	struct table table = { .columns = 6 };
	json_t *array = json_array();
	struct multicast_row row;
	struct store_rows *rows;
	int rc = multicast_list(&ctl->store, &rows);

	table_add(&table, "SESSION", "BUNDLE", "STATE", "JOINED", "STARTS AT", "SINCE");
	while (store_next(rows, &rc)) {
		char joined[48], starts[80], since[32];

		multicast_row(rows, &row);
		text_format(joined, sizeof(joined), "%u of %" PRIu64, row.multicast.joined,
		            row.members);
		starts_text(&row.multicast, starts, sizeof(starts));
		ctl_time(row.ended ? row.ended : row.started ? row.started : row.added, since,
		         sizeof(since));
		table_add(&table, row.multicast.name, row.bundle_name,
		          session_state_name(row.multicast.state), joined, starts, since);
		json_array_append_new(array, ctl_json_multicast(&row));
	}
	return ctl_answer_list(ctl, rc, &table, array);
}

/* --- show ------------------------------------------------------------------ */

/* Reads a member's newest job if it is the session's; number 0: it is not. */
static int member_job(struct ctl *ctl, const struct multicast_row *session, uint64_t device,
                   struct job *job)
{
	struct origin origin;
	int rc = job_newest(&ctl->store, device, job);

	if (rc == 0)
		rc = job_origin(&ctl->store, job->number, &origin);
	if (rc || origin.source != SOURCE_MULTICAST || origin.source_id != session->multicast.id)
		job->number = 0;
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

static int list_members(struct ctl *ctl, const struct multicast_row *session,
                        struct table *table, json_t *array)
{
	struct device device;
	struct store_rows *rows;
	int rc = multicast_members(&ctl->store, session->multicast.id, &rows);

	table_add(table, "MEMBER", "JOINED", "JOB");
	while (store_next(rows, &rc)) {
		int64_t joined = store_number(rows, MULTICAST_JOINED_COLUMN);
		char when[32], state[64] = "-";
		struct job job;

		device_row(rows, &device);
		rc = member_job(ctl, session, device.id, &job);
		if (job.number)
			text_format(state, sizeof(state), "%" PRIu64 " %s", job.number,
			            job_state_name(job.state));
		ctl_time(joined, when, sizeof(when));
		table_add(table, device.name, joined ? when : "not yet", state);
		json_array_append_new(array, json_pack(
			"{s:s, s:o, s:o, s:o}", "device", device.name, "joined",
			ctl_json_time(joined), "job", job.number ?
			json_integer((json_int_t)job.number) : json_null(), "state", job.number ?
			json_string(job_state_name(job.state)) : json_null()));
	}
	return rc;
}

static void print_session(const struct multicast_row *row)
{
	const struct session *m = &row->multicast;
	char text[80];

	printf("multicast session %s\n", m->name);
	ctl_line("bundle", "%s", row->bundle_name);
	ctl_line("state", "%s", session_state_name(m->state));
	starts_text(m, text, sizeof(text));
	ctl_line("starts at", "%s%s", text, m->wait ? " after the last one" : "");
	ctl_line("joined", "%u of %llu", m->joined, (unsigned long long)row->members);
	ctl_time(row->started, text, sizeof(text));
	if (row->started)
		ctl_line("started", "%s", text);
	ctl_time(row->ended, text, sizeof(text));
	if (row->ended)
		ctl_line("ended", "%s", text);
}

static int show_session(struct ctl *ctl, const char *word, json_t *shown)
{
	struct table table = { .columns = 3 };
	struct multicast_row row;
	json_t *array, *object;
	int rc, status = ctl_find_session(ctl, word, &row);

	if (status)
		return status;
	array = json_array();
	rc = list_members(ctl, &row, &table, array);
	if (rc == 0 && ctl->json) {
		object = ctl_json_multicast(&row);
		json_object_set(object, "members", array);
		json_array_append_new(shown, object);
	} else if (rc == 0) {
		print_session(&row);
		if (table.rows > 1) {
			puts("");
			table_print(&table);
		}
	}
	table_free(&table);
	json_decref(array);
	return rc ? ctl_store_error(ctl) : 0;
}

int ctl_multicast_show(struct ctl *ctl)
{
	return ctl_show_each(ctl, show_session);
}
