/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/multicasts.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "server/store/devices.h"
#include "server/store/jobs.h"

/* --- sessions -------------------------------------------------------------- */

#define SELECT \
	"SELECT m.id, m.name, m.bundle, bundle.name, clients, wait, state, last_joined," \
	" started, ended, m.added," \
	" (SELECT count(*) FROM multicast_member WHERE multicast = m.id), " MULTICAST_JOINED \
	" FROM multicast AS m JOIN bundle ON bundle.id = m.bundle"

void multicast_row(struct store_rows *row, struct multicast_row *out)
{
	struct session *m = &out->multicast;
	char state[16];

	memset(out, 0, sizeof(*out));
	m->id = (uint64_t)store_number(row, 0);
	store_text(row, 1, m->name, sizeof(m->name));
	out->bundle = (uint64_t)store_number(row, 2);
	store_text(row, 3, out->bundle_name, sizeof(out->bundle_name));
	m->clients = (uint32_t)store_number(row, 4);
	m->wait = (uint32_t)store_number(row, 5);
	store_text(row, 6, state, sizeof(state));
	(void)session_state_parse(state, &m->state); /* the schema allows no others */
	m->last_joined = store_number(row, 7);
	out->started = store_number(row, 8);
	out->ended = store_number(row, 9);
	out->added = store_number(row, 10);
	out->members = (uint64_t)store_number(row, 11);
	m->joined = (uint32_t)store_number(row, 12);
}

static void read_multicast(struct store_rows *row, void *out)
{
	multicast_row(row, out);
}

int multicast_find(struct store *store, const char *name, struct multicast_row *out)
{
	static const char sql[] = SELECT " WHERE m.name = ?";

	return store_one(store, read_multicast, out, sql, "t", name);
}

int multicast_list(struct store *store, struct store_rows **rows)
{
	static const char sql[] = SELECT " ORDER BY m.name";

	return store_start(store, rows, sql, "");
}

int multicast_add(struct store *store, struct multicast_row *row)
{
	static const char sql[] =
		"INSERT INTO multicast (name, bundle, clients, wait, state, added)"
		" VALUES (?, ?, ?, ?, 'waiting', ?)";
	struct session *m = &row->multicast;
	int rc = store_run(store, sql, "tiiii", m->name, (int64_t)row->bundle,
	                   (int64_t)m->clients, (int64_t)m->wait, row->added);

	m->id = store_last_id(store);
	m->state = SESSION_WAITING;
	return rc;
}

int multicast_change(struct store *store, const struct multicast_row *row)
{
	static const char sql[] =
		"UPDATE multicast SET (name, bundle, clients, wait) = (?2, ?3, ?4, ?5)"
		" WHERE id = ?1";
	const struct session *m = &row->multicast;

	return store_run(store, sql, "itiii", (int64_t)m->id, m->name, (int64_t)row->bundle,
	                 (int64_t)m->clients, (int64_t)m->wait);
}

/* Says whether a session that waits is to start; never with nobody. */
static bool is_due(const struct session *session, int64_t now)
{
	return (session->clients && session->joined >= session->clients) ||
	       (session->wait && session->joined &&
	        session->last_joined + session->wait <= now);
}

/* Says whether none of those that joined is at it any more. */
static int is_over(struct store *store, const struct session *session, int64_t now, bool *over)
{
	static const char sql[] =
		"SELECT 1 FROM multicast_member AS m JOIN job ON job.device = m.device"
		" AND (job.state IN ('pending', 'offered')"
		" OR (job.state = 'begun' AND job.begun + job.deadline > ?2))"
		" WHERE m.multicast = ?1 AND job.source = 'multicast' AND job.source_id = ?1"
		" LIMIT 1";
	struct store_rows *row;
	int rc = store_start(store, &row, sql, "ii", (int64_t)session->id, now);

	if (rc || (rc = store_step(row)) < 0)
		return rc;
	*over = rc == 0;
	if (rc == 1)
		store_end(row);
	return 0;
}

int multicast_next(struct store *store, const struct session *session, int64_t now,
                   enum session_state *next)
{
	bool over = false;
	int rc = 0;

	*next = session->state;
	if (session->state == SESSION_WAITING && is_due(session, now))
		*next = SESSION_STARTED;
	if (session->state == SESSION_STARTED)
		rc = is_over(store, session, now, &over);
	if (over)
		*next = SESSION_ENDED;
	return rc;
}

int multicast_start(struct store *store, uint64_t id, int64_t now)
{
	static const char sql[] =
		"UPDATE multicast SET state = 'started', started = ?2 WHERE id = ?1";

	return store_run(store, sql, "ii", (int64_t)id, now);
}

int multicast_end(struct store *store, uint64_t id, int64_t now)
{
	static const char sql[] = "UPDATE multicast SET state = 'ended', ended = ?2 WHERE id = ?1";

	return store_run(store, sql, "ii", (int64_t)id, now);
}

int multicast_remove(struct store *store, uint64_t id)
{
	static const char sql[] = "DELETE FROM multicast WHERE id = ?";

	return store_run(store, sql, "i", (int64_t)id);
}

/* --- members --------------------------------------------------------------- */

int multicast_join(struct store *store, uint64_t id, uint64_t device)
{
	static const char sql[] =
		"INSERT INTO multicast_member (multicast, device) VALUES (?, ?)"
		" ON CONFLICT DO NOTHING";
	int rc = store_run(store, sql, "ii", (int64_t)id, (int64_t)device);

	return rc == 0 && store_changes(store) == 0 ? ERR_REFUSED : rc;
}

int multicast_leave(struct store *store, uint64_t id, uint64_t device)
{
	static const char sql[] =
		"DELETE FROM multicast_member WHERE multicast = ? AND device = ?";
	int rc = store_run(store, sql, "ii", (int64_t)id, (int64_t)device);

	return rc == 0 && store_changes(store) == 0 ? ERR_NOT_FOUND : rc;
}

int multicast_joined(struct store *store, uint64_t id, uint64_t device, int64_t now)
{
	static const char member[] =
		"UPDATE multicast_member SET joined = ?3 WHERE multicast = ?1 AND device = ?2";
	static const char session[] = "UPDATE multicast SET last_joined = ?2 WHERE id = ?1";
	int rc = store_run(store, member, "iii", (int64_t)id, (int64_t)device, now);

	return rc ? rc : store_run(store, session, "ii", (int64_t)id, now);
}

int multicast_membership(struct store *store, uint64_t id, uint64_t device, int64_t *joined)
{
	static const char sql[] =
		"SELECT joined FROM multicast_member WHERE multicast = ? AND device = ?";

	return store_one(store, store_take_number, joined, sql, "ii", (int64_t)id, (int64_t)device);
}

int multicast_members(struct store *store, uint64_t id, struct store_rows **rows)
{
	static const char sql[] = "SELECT " DEVICE_COLUMNS ", joined"
		" FROM multicast_member JOIN device ON device.id = multicast_member.device"
		" WHERE multicast = ? ORDER BY device.name";

	return store_start(store, rows, sql, "i", (int64_t)id);
}

int multicast_job(struct store *store, uint64_t id, uint64_t device, struct job *job)
{
	static const char sql[] =
		"SELECT id FROM job WHERE device = ? AND source = 'multicast' AND source_id = ?"
		" AND state IN ('pending', 'offered', 'begun')";
	uint64_t number;
	int rc = store_one(store, store_take_number, &number, sql, "ii", (int64_t)device,
	                   (int64_t)id);

	return rc ? rc : job_by_number(store, number, job);
}

int multicast_shift_times(struct store *store, int64_t seconds)
{
	static const char sql[] = "UPDATE multicast SET last_joined = last_joined + ?"
		" WHERE state = 'waiting' AND last_joined > 0";

	return store_run(store, sql, "i", seconds);
}
