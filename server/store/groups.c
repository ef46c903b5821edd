/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/groups.h"

#include "nbp/proto/error.h"
#include "server/store/devices.h"

int group_find(struct store *store, const char *name, uint64_t *id)
{
	static const char sql[] = "SELECT id FROM device_group WHERE name = ?";

	return store_one(store, store_take_number, id, sql, "t", name);
}

static void take_name(struct store_rows *row, void *name)
{
	store_text(row, 0, name, NAME_SIZE);
}

int group_name(struct store *store, uint64_t id, char name[NAME_SIZE])
{
	static const char sql[] = "SELECT name FROM device_group WHERE id = ?";

	return store_one(store, take_name, name, sql, "i", (int64_t)id);
}

int group_add(struct store *store, const char *name, uint64_t *id)
{
	static const char sql[] = "INSERT INTO device_group (name) VALUES (?)";
	int rc = store_run(store, sql, "t", name);

	*id = store_last_id(store);
	return rc;
}

int group_rename(struct store *store, uint64_t id, const char *name)
{
	static const char sql[] = "UPDATE device_group SET name = ?2 WHERE id = ?1";

	return store_run(store, sql, "it", (int64_t)id, name);
}

int group_remove(struct store *store, uint64_t id)
{
	static const char sql[] = "DELETE FROM device_group WHERE id = ?";

	return store_run(store, sql, "i", (int64_t)id);
}

int group_join(struct store *store, uint64_t id, uint64_t device)
{
	static const char sql[] =
		"INSERT INTO member (device_group, device) VALUES (?, ?) ON CONFLICT DO NOTHING";
	int rc = store_run(store, sql, "ii", (int64_t)id, (int64_t)device);

	return rc == 0 && store_changes(store) == 0 ? ERR_REFUSED : rc;
}

int group_leave(struct store *store, uint64_t id, uint64_t device)
{
	static const char sql[] = "DELETE FROM member WHERE device_group = ? AND device = ?";
	int rc = store_run(store, sql, "ii", (int64_t)id, (int64_t)device);

	return rc == 0 && store_changes(store) == 0 ? ERR_NOT_FOUND : rc;
}

int group_list(struct store *store, uint64_t device, struct store_rows **rows)
{
	static const char sql[] =
		"SELECT id, name, (SELECT count(*) FROM member WHERE device_group = g.id),"
		" (SELECT count(*) FROM assignment WHERE level = 'group' AND owner = g.id)"
		" FROM device_group AS g WHERE ?1 = 0 OR EXISTS"
		" (SELECT 1 FROM member WHERE device_group = g.id AND device = ?1) ORDER BY name";

	return store_start(store, rows, sql, "i", (int64_t)device);
}

void group_row(struct store_rows *row, struct group_row *out)
{
	out->id = (uint64_t)store_number(row, 0);
	store_text(row, 1, out->name, sizeof(out->name));
	out->devices = (uint64_t)store_number(row, 2);
	out->assignments = (uint64_t)store_number(row, 3);
}

int group_devices(struct store *store, uint64_t id, struct store_rows **rows)
{
	static const char sql[] = "SELECT " DEVICE_COLUMNS
		" FROM member JOIN device ON device.id = member.device WHERE device_group = ?"
		" ORDER BY device.name";

	return store_start(store, rows, sql, "i", (int64_t)id);
}
