/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/memory.h"

#include "nbp/proto/error.h"
#include "server/store/loaders.h"
#include "server/store/multicasts.h"

int catalog_list(struct store *store, enum catalog_table table, struct store_rows **rows)
{
	static const char *const queries[] = {
		[CATALOG_FOLDERS] = "SELECT id, name, parent FROM folder ORDER BY id",
		[CATALOG_GROUPS] = "SELECT id, name FROM device_group ORDER BY id",
		[CATALOG_BUNDLES] = "SELECT id, name, kind, " LOADERS_COLUMNS ", config,"
			" prefix, details, attempts, deadline, completes FROM bundle ORDER BY id",
		[CATALOG_RULES] = "SELECT id, name, bundle, applies, filter, repeat, enabled"
			" FROM rule ORDER BY position, id",
		[CATALOG_SESSIONS] = "SELECT id, name, bundle, state, clients, wait, last_joined, "
			MULTICAST_JOINED " FROM multicast AS m ORDER BY id",
		[CATALOG_ASSIGNMENTS] = "SELECT id, bundle, level, owner, mode, until, added"
			" FROM assignment WHERE level IN ('global', 'folder', 'group') ORDER BY"
			" CASE level WHEN 'global' THEN 1 WHEN 'folder' THEN 2 ELSE 3 END,"
			" owner, id",
		[CATALOG_UUIDS] = "SELECT uuid, state, time FROM uuid ORDER BY uuid",
		[CATALOG_SETTINGS] = "SELECT owner, key, value FROM setting WHERE level = 'folder'"
			" OR (level = 'global' AND owner = 0) ORDER BY owner, key",
	};

	return store_start(store, rows, queries[table], "");
}

/* --- devices --------------------------------------------------------------- */

static const char *const queries[DEVICE_TABLES] = {
	[DEVICE_ITSELF] = "SELECT id, name, uuid, isd, claim_uuid, claim_mac, added, folder FROM"
		" device WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
	[DEVICE_MACS] = "SELECT device, mac FROM mac WHERE device BETWEEN ?1 AND ?2 ORDER BY"
		" device, mac",
	[DEVICE_GROUPS] = "SELECT device, device_group FROM member WHERE device BETWEEN ?1 AND ?2"
		" ORDER BY device, device_group",
	[DEVICE_SESSIONS] = "SELECT device, multicast, joined FROM multicast_member"
		" WHERE device BETWEEN ?1 AND ?2 ORDER BY device, multicast",
	[DEVICE_OUTCOMES] = "SELECT device, kind, id, state FROM past WHERE device BETWEEN ?1 AND"
		" ?2 ORDER BY device, kind, id",
	[DEVICE_ASSIGNMENTS] = "SELECT owner, id, bundle, mode, until, added FROM assignment"
		" WHERE level = 'device' AND owner BETWEEN ?1 AND ?2 ORDER BY owner, id",
	[DEVICE_SETTINGS] = "SELECT owner, key, value FROM setting"
		" WHERE level = 'device' AND owner BETWEEN ?1 AND ?2 ORDER BY owner, key",
	[DEVICE_CARDS] = "SELECT device, mac, serial, board FROM card WHERE device BETWEEN ?1 AND"
		" ?2 ORDER BY device, mac",
};

int device_table_list(struct store *store, enum device_table table, int64_t low, int64_t high,
                      struct store_rows **rows)
{
	return store_start(store, rows, queries[table], "ii", low, high);
}

static void take_keys(struct store_rows *row, void *out)
{
	struct device_keys *keys = out;

	keys->ids = store_number(row, 0);
	keys->uuids = store_number(row, 1);
	keys->isds = store_number(row, 2);
	keys->macs = store_number(row, 3);
}

int device_count_keys(struct store *store, struct device_keys *keys)
{
	static const char sql[] =
		"SELECT count(*), count(uuid) + count(claim_uuid), count(isd),"
		" count(claim_mac) + (SELECT count(*) FROM mac) FROM device";

	return store_one(store, take_keys, keys, sql, "");
}

/* --- changes --------------------------------------------------------------- */

int change_list(struct store *store, int64_t after, struct store_rows **rows)
{
	static const char sql[] = "SELECT id, device FROM change WHERE id > ? ORDER BY id";

	return store_start(store, rows, sql, "i", after);
}

int change_newest(struct store *store, int64_t *number)
{
	return store_one(store, store_take_number, number,
	                 "SELECT ifnull(max(id), 0) FROM change", "");
}

int change_last_number(struct store *store, int64_t *number)
{
	int rc = store_one(store, store_take_number, number,
	                   "SELECT seq FROM sqlite_sequence WHERE name = 'change'", "");

	if (rc != ERR_NOT_FOUND)
		return rc;
	*number = 0;
	return 0;
}

int change_forget(struct store *store, int64_t number)
{
	return store_run(store, "DELETE FROM change WHERE id <= ?", "i", number);
}
