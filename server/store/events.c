/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/events.h"

#include <string.h>

#include "nbp/proto/error.h"

/* The database holds these, so they must not change. */
static const char *const names[] = {
	[EVENT_STARTED] = "started", [EVENT_HARDWARE] = "hardware",
	[EVENT_IDENTITY] = "identity", [EVENT_ASKED] = "asked", [EVENT_ANSWERED] = "answered",
	[EVENT_MENU] = "menu", [EVENT_CHOSEN] = "chosen", [EVENT_LOADED] = "loaded",
	[EVENT_HANDOVER] = "handover", [EVENT_LOCAL] = "local-boot", [EVENT_ERROR] = "error",
};

const char *event_name(uint8_t code)
{
	if (code < sizeof(names) / sizeof(names[0]) && names[code])
		return names[code];
	return "other";
}

const char *event_step_at(size_t index)
{
	/* Those of the NBP, of prebootd, of jobs, and of administrators. */
	static const char *const steps[] = {
		"started", "hardware", "identity", "asked", "answered", "menu", "chosen", "loaded",
		"handover", "local-boot", "error", "other",
		"request", "refused", "conflict",
		"assigned", "pending", "offered", "begun", "done", "failed", "cancelled",
		"unassigned", "admitted", "moved", "renamed", "released", "joined", "left",
		"member",
	};

	return index < sizeof(steps) / sizeof(steps[0]) ? steps[index] : NULL;
}

/* The source of an event. A machine, or whoever sends messages in its name, can report any number
 * of events of source 0, and cause those of source 1, conflicts. Each source has its own limit, so
 * that neither displaces source 2: what the server and its administrators did. */
#define SOURCE(STEP) \
	"CASE WHEN " STEP " IN ('request', 'refused', 'started', 'hardware', 'identity', 'asked'," \
	" 'answered', 'menu', 'chosen', 'loaded', 'handover', 'local-boot', 'error', 'other')" \
	" THEN 0 WHEN " STEP " = 'conflict' THEN 1 ELSE 2 END"

static int prune(struct store *store, uint64_t device, const char *step)
{
	static const char sql[] =
		"DELETE FROM event WHERE device = ?1 AND " SOURCE("step") " = " SOURCE("?3")
		" AND id <= (SELECT id FROM event WHERE device = ?1"
		" AND " SOURCE("step") " = " SOURCE("?3") " ORDER BY id DESC LIMIT 1 OFFSET ?2)";

	return store_run(store, sql, "iit", (int64_t)device, (int64_t)EVENTS_PER_DEVICE, step);
}

int event_add(struct store *store, const struct event_record *event)
{
	static const char sql[] =
		"INSERT INTO event (device, time, step, job, milliseconds, reason, boot, time_ms)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
	int rc = store_run(store, sql, "iitiitui", (int64_t)event->device, event->time, event->step,
	                   (int64_t)event->job, (int64_t)event->milliseconds, event->reason,
	                   event->boot, (int64_t)event->time_ms);

	/* Counting costs more than adding, so it is done for some. */
	if (rc == 0 && store_last_id(store) % EVENTS_SLACK == 0)
		rc = prune(store, event->device, event->step);
	return rc;
}

int event_newest(struct store *store, int64_t *time)
{
	static const char sql[] = "SELECT ifnull(max(time), 0) FROM event";

	return store_one(store, store_take_number, time, sql, "");
}

int event_any_before(struct store *store, int64_t time, bool *any)
{
	static const char sql[] = "SELECT 1 FROM event WHERE time < ? LIMIT 1";
	struct store_rows *row;
	int rc = store_start(store, &row, sql, "i", time);

	*any = false;
	if (rc || (rc = store_step(row)) != 1)
		return rc;
	store_end(row);
	*any = true;
	return 0;
}

int event_expire(struct store *store, int64_t time)
{
	static const char sql[] =
		"DELETE FROM event WHERE id IN"
		" (SELECT id FROM event WHERE time < ?1 ORDER BY time LIMIT ?2)";

	return store_run(store, sql, "ii", time, (int64_t)EVENTS_EXPIRE);
}

int event_add_once(struct store *store, const struct event_record *event)
{
	static const char sql[] =
		"SELECT 1 FROM (SELECT boot, step FROM event WHERE device = ? ORDER BY id DESC"
		" LIMIT ?) WHERE boot IS ? AND step = ? LIMIT 1";
	struct store_rows *row;
	int rc = store_start(store, &row, sql, "iiut", (int64_t)event->device,
	                     (int64_t)EVENTS_SLACK, event->boot, event->step);

	if (rc || (rc = store_step(row)) < 0)
		return rc;
	if (rc == 0)
		return event_add(store, event);
	store_end(row);
	return 0;
}

/* --- boots ----------------------------------------------------------------- */

int event_boot_of(struct store *store, uint64_t job, uint8_t boot[NONCE_SIZE])
{
	static const char sql[] =
		"SELECT nonce FROM offer WHERE job = ? ORDER BY attempt DESC LIMIT 1";
	struct store_rows *row;
	int rc = store_start(store, &row, sql, "i", (int64_t)job);

	memset(boot, 0, NONCE_SIZE);
	if (rc || (rc = store_step(row)) != 1)
		return rc;
	store_bytes(row, 0, boot, NONCE_SIZE);
	store_end(row);
	return 0;
}

int event_came_back(struct store *store, const struct job *job, bool *came_back)
{
	static const char sql[] =
		"SELECT 1 FROM event WHERE device = ?1 AND step = 'local-boot' AND boot ="
		" (SELECT nonce FROM offer WHERE job = ?2 AND attempt = ?3) LIMIT 1";
	struct store_rows *row;
	int rc = store_start(store, &row, sql, "iii", (int64_t)job->device,
	                     (int64_t)job->number, (int64_t)job->attempt);

	*came_back = false;
	if (rc || (rc = store_step(row)) != 1)
		return rc;
	*came_back = true;
	store_end(row);
	return 0;
}

int event_find_boot(struct store *store, uint64_t device, uint32_t back,
                    uint8_t boot[NONCE_SIZE], uint32_t *count)
{
	static const char sql[] =
		"SELECT boot FROM event WHERE device = ? AND boot IS NOT NULL"
		" GROUP BY boot HAVING max(step <> 'conflict') ORDER BY min(id) DESC";
	struct store_rows *rows;
	int rc = store_start(store, &rows, sql, "i", (int64_t)device);

	*count = 0;
	while (store_next(rows, &rc)) {
		if (*count == back)
			store_bytes(rows, 0, boot, NONCE_SIZE);
		(*count)++;
	}
	return rc ? rc : *count > back ? 0 : ERR_NOT_FOUND;
}

int event_list_boot(struct store *store, uint64_t device, const uint8_t boot[NONCE_SIZE],
                    struct store_rows **rows)
{
	static const char sql[] =
		"SELECT * FROM event WHERE device = ? AND boot = ? ORDER BY id";

	return store_start(store, rows, sql, "ib", (int64_t)device, boot, (size_t)NONCE_SIZE);
}

/* --- lists ----------------------------------------------------------------- */

int event_list(struct store *store, uint64_t device, uint32_t limit, struct store_rows **rows)
{
	static const char of_all[] =
		"SELECT * FROM (SELECT * FROM event ORDER BY id DESC LIMIT ?) ORDER BY id";
	static const char of_device[] =
		"SELECT * FROM (SELECT * FROM event WHERE device = ? ORDER BY id DESC LIMIT ?)"
		" ORDER BY id";

	if (device)
		return store_start(store, rows, of_device, "ii", (int64_t)device, (int64_t)limit);
	return store_start(store, rows, of_all, "i", (int64_t)limit);
}

#define OF_STEP_AND_TIME \
	" (?2 = '' OR step = ?2) AND time >= ?3 AND time <= ?4 ORDER BY id DESC LIMIT ?5)" \
	" ORDER BY id"

int event_select(struct store *store, const struct event_query *query, struct store_rows **rows)
{
	static const char of_all[] =
		"SELECT * FROM (SELECT * FROM event WHERE ?1 = ''" /* all of them */
		" AND" OF_STEP_AND_TIME;
	static const char of_devices[] =
		"SELECT * FROM (SELECT * FROM event WHERE device IN (SELECT value FROM"
		" json_each(?1)) AND" OF_STEP_AND_TIME;

	return store_start(store, rows, query->devices ? of_devices : of_all, "ttiii",
	                   query->devices ? query->devices : "",
	                   query->step ? query->step : "", query->since,
	                   query->until ? query->until : INT64_MAX, (int64_t)query->limit);
}

void event_row(struct store_rows *row, struct event_record *event)
{
	memset(event, 0, sizeof(*event));
	event->device = (uint64_t)store_number(row, 1);
	event->time = store_number(row, 2);
	store_text(row, 3, event->step, sizeof(event->step));
	event->job = (uint64_t)store_number(row, 4);
	event->milliseconds = (uint32_t)store_number(row, 5);
	store_text(row, 6, event->reason, sizeof(event->reason));
	store_bytes(row, 7, event->boot, sizeof(event->boot));
	event->time_ms = (uint32_t)store_number(row, 8);
}

/* --- watching -------------------------------------------------------------- */

int event_list_after(struct store *store, const struct event_filter *filter,
                     struct store_rows **rows)
{
	static const char sql[] =
		"WITH RECURSIVE within (id) AS (SELECT value FROM json_each(?3) UNION"
		" SELECT folder.id FROM folder JOIN within ON folder.parent = within.id)"
		" SELECT event.id, event.device, time, step, job, milliseconds, reason, boot,"
		" time_ms, device.name FROM event JOIN device ON device.id = event.device"
		" WHERE event.id > ?1 AND (?5 OR device.id IN (SELECT value FROM json_each(?2))"
		" OR device.folder IN (SELECT id FROM within)"
		" OR device.id IN (SELECT device FROM member WHERE device_group IN"
		" (SELECT value FROM json_each(?4)))) ORDER BY event.id";

	return store_start(store, rows, sql, "ittti", filter->after,
	                   filter->all ? "[]" : filter->devices,
	                   filter->all ? "[]" : filter->folders,
	                   filter->all ? "[]" : filter->groups, (int64_t)filter->all);
}

int64_t event_row_number(struct store_rows *row)
{
	return store_number(row, 0);
}

void event_row_device(struct store_rows *row, char name[NAME_SIZE])
{
	store_text(row, 9, name, NAME_SIZE);
}

int event_number_before(struct store *store, uint32_t limit, int64_t *number)
{
	static const char last[] = "SELECT ifnull(max(id), 0) FROM event";
	static const char before[] = "SELECT ifnull((SELECT min(id) - 1 FROM"
		" (SELECT event.id FROM event ORDER BY id DESC LIMIT ?)), 0)";

	if (!limit)
		return store_one(store, store_take_number, number, last, "");
	return store_one(store, store_take_number, number, before, "i", (int64_t)limit);
}
