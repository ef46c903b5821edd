/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/whole.h"

#include <sqlite3.h>

#include "nbp/proto/error.h"
#include "server/model/folder.h"
#include "server/store/loaders.h"

/* How an assignment's owner and what it refers to become text; a is the assignment. */
#define OWNER_NAME \
	"CASE a.level WHEN 'global' THEN '/'" \
	" WHEN 'folder' THEN (SELECT path FROM temp.folder_path WHERE id = a.owner)" \
	" WHEN 'group' THEN 'group:' || (SELECT name FROM device_group WHERE id = a.owner)" \
	" ELSE (SELECT name FROM device WHERE id = a.owner) END"

/* In both, ?1 is the id of what the rows belong to. */
static const struct {
	const char *select, *insert;
} tables[] = {
	[TABLE_GLOBAL_SETTING] = {
		.select = "SELECT 0, key, value FROM setting WHERE level = 'global' AND owner = 0"
			" ORDER BY key",
		.insert = "INSERT INTO setting (level, owner, key, value) VALUES ('global', 0, ?2,"
			" ?3)",
	},
	[TABLE_FOLDER_SETTING] = {
		.select = "SELECT 0, key, value FROM setting WHERE level = 'folder' AND owner = ?1"
			" ORDER BY key",
		.insert = "INSERT INTO setting (level, owner, key, value) VALUES ('folder', ?1, ?2,"
			" ?3)",
	},
	[TABLE_DEVICE_SETTING] = {
		.select = "SELECT 0, key, value FROM setting WHERE level = 'device' AND owner = ?1"
			" ORDER BY key",
		.insert = "INSERT INTO setting (level, owner, key, value) VALUES ('device', ?1, ?2,"
			" ?3)",
	},
	[TABLE_FOLDER] = {
		.select = "SELECT folder.id, path FROM folder LEFT JOIN temp.folder_path USING (id)"
			" ORDER BY path",
		.insert = "INSERT INTO folder (parent, name) VALUES (?2, ?3)",
	},
	[TABLE_GROUP] = {
		.select = "SELECT id, name FROM device_group ORDER BY name",
		.insert = "INSERT INTO device_group (name) VALUES (?2)",
	},
	[TABLE_MAC] = {
		.select = "SELECT 0, mac FROM mac WHERE device = ?1 ORDER BY mac",
		.insert = "INSERT INTO mac (device, mac) VALUES (?1, ?2)",
	},
	[TABLE_MEMBER] = {
		.select = "SELECT 0, name FROM member JOIN device_group ON id = device_group"
			" WHERE device = ?1 ORDER BY name",
		.insert = "INSERT INTO member (device, device_group) VALUES (?1, ?2)",
	},
	[TABLE_CARD] = {
		.select = "SELECT 0, nullif(mac, zeroblob(6)), model, serial, board, time FROM card"
			" WHERE device = ?1 ORDER BY mac",
		.insert = "INSERT INTO card (device, mac, model, serial, board, time)"
			" VALUES (?1, ifnull(?2, zeroblob(6)), ?3, ?4, ?5, ?6)",
	},
	[TABLE_DEVICE] = {
		.select = "SELECT device.id, name, path, uuid, isd, claim_uuid, claim_mac, added"
			" FROM device LEFT JOIN temp.folder_path ON folder_path.id = device.folder"
			" ORDER BY name",
		/* A device that was there by this name keeps its number, and so its story. */
		.insert = "INSERT INTO device (id, name, folder, uuid, isd, claim_uuid, claim_mac,"
			" added) VALUES ((SELECT id FROM temp.old_device WHERE name = ?2),"
			" ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	},
	[TABLE_UUID] = {
		.select = "SELECT 0, uuid, state, time FROM uuid ORDER BY uuid",
		/* The database may have begun to doubt the same by itself. */
		.insert = "INSERT INTO uuid (uuid, state, time) VALUES (?2, ?3, ?4)"
			" ON CONFLICT (uuid) DO UPDATE SET (state, time) = (?3, ?4)",
	},
	[TABLE_WITNESS] = {
		.select = "SELECT 0, uuid, nullif(mac, zeroblob(6)), model, serial, board, first,"
			" last FROM witness ORDER BY uuid, first, last, mac, serial, board",
		/* Of one that nothing is known of there is none: NULL is refused. */
		.insert = "INSERT INTO witness (uuid, mac, model, serial, board, first, last)"
			" VALUES ((SELECT uuid FROM uuid WHERE uuid = ?2), ifnull(?3, zeroblob(6)),"
			" ?4, ?5, ?6, ?7, ?8)",
	},
	[TABLE_BUNDLE] = {
		.select = "SELECT id, name, kind, " LOADERS_COLUMNS ", config, prefix,"
			" details, attempts, deadline, added, completes FROM bundle ORDER BY name",
		/* Older files know UEFI on x64 alone. */
		.insert = "INSERT INTO bundle (name, kind, " LOADERS_COLUMNS ", config,"
			" prefix, details, attempts, deadline, added, completes) VALUES (?2, ?3,"
			" ?4, ?5, ifnull(?6, iif(?5 = '', '', '*')), ifnull(?7, iif(?5 = '', '', '*')),"
			" ?8, ?9, ?10, ?11, ?12, ?13, ifnull(nullif(?14, ''), 'agent'))",
	},
	[TABLE_ASSIGNMENT] = {
		.select = "SELECT a.id, bundle.name, " OWNER_NAME ", a.mode, a.until, a.added"
			" FROM assignment a LEFT JOIN bundle ON bundle.id = a.bundle ORDER BY a.id",
		.insert = "INSERT INTO assignment (bundle, level, owner, mode, until, added)"
			" VALUES (?2, ?3, ?4, ?5, ?6, ?7)",
	},
	[TABLE_RULE] = {
		.select = "SELECT rule.id, rule.name, bundle.name, applies, filter, repeat, enabled"
			" FROM rule LEFT JOIN bundle ON bundle.id = rule.bundle ORDER BY position,"
			" rule.id",
		.insert = "INSERT INTO rule (position, name, bundle, applies, filter, repeat,"
			" enabled) VALUES ((SELECT ifnull(max(position), 0) + 1 FROM rule), ?2, ?3,"
			" ?4, ?5, ?6, ?7)",
	},
	[TABLE_SESSION_MEMBER] = {
		.select = "SELECT 0, name, joined FROM multicast_member"
			" LEFT JOIN device ON device.id = device WHERE multicast = ?1 ORDER BY"
			" name",
		.insert = "INSERT INTO multicast_member (multicast, device, joined) VALUES (?1, ?2,"
			" ?3)",
	},
	[TABLE_SESSION] = {
		.select = "SELECT multicast.id, multicast.name, bundle.name, clients, wait, state,"
			" last_joined, started, ended, multicast.added FROM multicast"
			" LEFT JOIN bundle ON bundle.id = multicast.bundle ORDER BY multicast.id",
		.insert = "INSERT INTO multicast (name, bundle, clients, wait, state, last_joined,"
			" started, ended, added) VALUES (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	},
	[TABLE_OFFER] = {
		.select = "SELECT 0, attempt, nonce, time FROM offer WHERE job = ?1 ORDER BY"
			" attempt",
		.insert = "INSERT INTO offer (job, attempt, nonce, time) VALUES (?1, ?2, ?3, ?4)",
	},
	[TABLE_JOB] = {
		.select = "SELECT w.id, w.id, device.name, w.state, w.attempt, w.attempts,"
			" w.deadline, w.assigned, w.offered, w.begun, w.ended, w.loader_bios,"
			" w.loader_uefi, w.loader_uefi_ia32, w.loader_uefi_arm64, w.config, w.prefix, w.details, w.reason, bundle.name,"
			" CASE w.source WHEN 'rule' THEN"
			"  'rule' || ifnull(' ' || (SELECT name FROM rule WHERE id = w.source_id),"
			" '') WHEN 'multicast' THEN 'multicast' ||"
			"  ifnull(' ' || (SELECT name FROM multicast WHERE id = w.source_id), '')"
			" WHEN 'assignment' THEN 'assignment' || ifnull((SELECT ' ' || b.name || '"
			" to ' || "
			OWNER_NAME " FROM assignment a JOIN bundle b ON b.id = a.bundle"
			"  WHERE a.id = w.source_id), '')"
			" ELSE w.source END, w.completes, w.given_up"
			" FROM job w LEFT JOIN device ON device.id = w.device"
			" LEFT JOIN bundle ON bundle.id = w.bundle ORDER BY w.id",
		.insert = "INSERT INTO job (id, device, state, attempt, attempts, deadline,"
			" assigned, offered, begun, ended, " LOADERS_COLUMNS ", config,"
			" prefix, details, reason, bundle, source, source_id, completes, given_up)"
			" VALUES (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
			" ifnull(?14, ''), ifnull(?15, ''), ?16, ?17, ?18, ?19, ?20, ?21, ?22,"
			" ifnull(nullif(?23, ''), 'agent'), ifnull(?24, 0))",
	},
};

int table_list(struct store *store, enum store_table table, int64_t around,
               struct store_rows **rows)
{
	int rc = store_start(store, rows, tables[table].select, "");

	if (rc == 0 && sqlite3_bind_parameter_count((*rows)->statement) > 0)
		rc = store_bind_number(*rows, 1, around);
	return rc;
}

int table_insert(struct store *store, enum store_table table, int64_t around,
                 struct store_rows **rows)
{
	int rc = store_start(store, rows, tables[table].insert, "");

	return rc ? rc : store_bind_number(*rows, 1, around);
}

/* --- parameters ------------------------------------------------------------ */

static int bound(int code)
{
	return code == SQLITE_OK ? 0 : code == SQLITE_NOMEM ? ERR_SPACE : ERR_IO;
}

int store_bind_number(struct store_rows *rows, int parameter, int64_t value)
{
	return bound(sqlite3_bind_int64(rows->statement, parameter, value));
}

int store_bind_text(struct store_rows *rows, int parameter, const char *text)
{
	return bound(sqlite3_bind_text(rows->statement, parameter, text, -1, SQLITE_TRANSIENT));
}

int store_bind_bytes(struct store_rows *rows, int parameter, const void *bytes, size_t length)
{
	return bound(sqlite3_bind_blob64(rows->statement, parameter, bytes, length,
	                                 SQLITE_TRANSIENT));
}

int store_bind_null(struct store_rows *rows, int parameter)
{
	return bound(sqlite3_bind_null(rows->statement, parameter));
}

/* --- finding --------------------------------------------------------------- */

int table_find(struct store *store, enum store_table table, const char *name, int64_t *id)
{
	static const char *const queries[] = {
		[TABLE_FOLDER] = "SELECT id FROM temp.folder_path WHERE path = ?",
		[TABLE_GROUP] = "SELECT id FROM device_group WHERE name = ?",
		[TABLE_DEVICE] = "SELECT id FROM device WHERE name = ?",
		[TABLE_BUNDLE] = "SELECT id FROM bundle WHERE name = ?",
		[TABLE_RULE] = "SELECT id FROM rule WHERE name = ?",
		[TABLE_SESSION] = "SELECT id FROM multicast WHERE name = ?",
	};

	return store_one(store, store_take_number, id, queries[table], "t", name);
}

/* --- importing ------------------------------------------------------------- */

static int run_all(struct store *store, const char *const *sql)
{
	int rc = 0;

	for (; rc == 0 && *sql; sql++)
		rc = store_run(store, *sql, "");
	return rc;
}

int whole_begin(struct store *store)
{
	static const char *const prepare[] = {
		"CREATE TEMP TABLE IF NOT EXISTS old_device"
		" (name TEXT PRIMARY KEY COLLATE NOCASE, id INTEGER NOT NULL)",
		"DELETE FROM temp.old_device", NULL,
	};
	/* Else the events of a device would go with its old row. */
	int rc = store_run(store, "PRAGMA foreign_keys=OFF", "");

	if (rc == 0)
		rc = store_begin(store);
	return rc ? rc : run_all(store, prepare);
}

int whole_is_empty(struct store *store)
{
	static const char sql[] =
		"SELECT 1 FROM folder UNION ALL SELECT 1 FROM device UNION ALL"
		" SELECT 1 FROM device_group UNION ALL SELECT 1 FROM bundle UNION ALL"
		" SELECT 1 FROM setting UNION ALL SELECT 1 FROM job UNION ALL"
		" SELECT 1 FROM uuid WHERE state <> 'shared' LIMIT 1";
	struct store_rows *row;
	int rc = store_start(store, &row, sql, "");

	if (rc || (rc = store_step(row)) <= 0)
		return rc;
	store_end(row);
	return ERR_REFUSED;
}

int whole_clear(struct store *store)
{
	static const char *const all[] = {
		"INSERT INTO temp.old_device (name, id) SELECT name, id FROM device",
		"DELETE FROM setting", "DELETE FROM offer", "DELETE FROM job",
		"DELETE FROM multicast_member",
		"DELETE FROM multicast", "DELETE FROM rule", "DELETE FROM assignment",
		"DELETE FROM bundle", "DELETE FROM member", "DELETE FROM device_group",
		"DELETE FROM mac", "DELETE FROM card", "DELETE FROM device", NULL,
	};
	/* Those that have none within them first: the audit trail has their paths. */
	static const char lowest[] =
		"DELETE FROM folder WHERE id NOT IN"
		" (SELECT parent FROM folder WHERE parent IS NOT NULL)";
	static const char rest[] = "DELETE FROM folder";
	int rc = run_all(store, all);

	for (int depth = 0; rc == 0 && depth < FOLDER_DEPTH; depth++)
		rc = store_run(store, lowest, "");
	return rc ? rc : store_run(store, rest, "");
}

int whole_clear_uuids(struct store *store, bool only_sightings)
{
	return store_run(store, only_sightings ? "DELETE FROM witness" : "DELETE FROM uuid", "");
}

int whole_finish(struct store *store)
{
	static const char *const all[] = {
		"DELETE FROM event WHERE device NOT IN (SELECT id FROM device)",
		"DELETE FROM seen WHERE device NOT IN (SELECT id FROM device)",
		"DELETE FROM admission WHERE device NOT IN (SELECT id FROM device)",
		"DELETE FROM witness WHERE uuid NOT IN (SELECT uuid FROM uuid)", NULL,
	};

	return run_all(store, all);
}

void whole_end(struct store *store)
{
	store_rollback(store);
	store_run(store, "PRAGMA foreign_keys=ON", "");
}
