/* SPDX-License-Identifier: BSD-2-Clause */
#include "events.h"

#include <string.h>

#include "error.h"

const char *event_name(uint8_t code)
{
	switch (code) {
	case EVENT_HANDOVER: return "handover";
	case EVENT_LOCAL: return "local-boot";
	case EVENT_ERROR: return "error";
	default: return "other";
	}
}

int event_add(struct store *store, const struct happening *event)
{
	static const char add[] =
		"INSERT INTO event (device, time, step, lease, milliseconds, reason)"
		" VALUES (?, ?, ?, ?, ?, ?)";
	static const char prune[] =
		"DELETE FROM event WHERE device = ?1 AND id <= (SELECT id FROM event"
		" WHERE device = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)";
	int rc = store_run(store, add, "iitiit", (int64_t)event->device, event->time, event->step,
	                   (int64_t)event->lease, (int64_t)event->milliseconds, event->reason);

	if (rc == 0)
		rc = store_run(store, prune, "ii", (int64_t)event->device,
		               (int64_t)EVENTS_PER_DEVICE);
	return rc;
}

int event_list(struct store *store, uint64_t device, uint32_t limit, sqlite3_stmt **rows)
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

void event_row(sqlite3_stmt *row, struct happening *event)
{
	memset(event, 0, sizeof(*event));
	event->device = (uint64_t)sqlite3_column_int64(row, 1);
	event->time = sqlite3_column_int64(row, 2);
	store_text(row, 3, event->step, sizeof(event->step));
	event->lease = (uint64_t)sqlite3_column_int64(row, 4);
	event->milliseconds = (uint32_t)sqlite3_column_int64(row, 5);
	store_text(row, 6, event->reason, sizeof(event->reason));
}
