/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/faults.h"

#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "nbp/proto/error.h"
#include "server/store/folders.h"
#include "server/store/store_file.h"
#include "server/store/store_schema.h"
#include "server/store/store_upgrade.h"

/* --- rows ------------------------------------------------------------------ */

#define TO_SQL "stop prebootd, and let sqlite3 run "

/* Each query's rows are a problem and its remedy. */
static const char *const queries[] = {
	"SELECT integrity_check, '" STORE_DAMAGED_REMEDY "' FROM pragma_integrity_check"
	" WHERE integrity_check <> 'ok'",

	/* What may do without is kept. */
	"SELECT count(*) || ' rows of ' || c.\"table\" || ' are of a ' || c.parent"
	" || ' that is gone', '" TO_SQL "\"' ||"
	" iif(c.\"table\" || l.\"from\" IN ('devicefolder', 'folderparent', 'jobbundle'),"
	" 'UPDATE ' || c.\"table\" || ' SET ' || l.\"from\" || ' = NULL',"
	" 'DELETE FROM ' || c.\"table\")"
	" || ' WHERE ' || l.\"from\" || ' NOT IN (SELECT ' ||"
	" iif(c.parent = 'uuid', 'uuid', 'rowid') || ' FROM ' || c.parent || ')\"'"
	" FROM pragma_foreign_key_check c JOIN pragma_foreign_key_list(c.\"table\") l"
	" ON l.id = c.fkid GROUP BY c.\"table\", c.fkid",

	"SELECT 'setting ' || key || ' is of ' || level || ' ' || owner || ', which is gone',"
	" '" TO_SQL "\"DELETE FROM setting WHERE level = ''' || level || ''' AND owner = ' || owner"
	" || '\"' FROM setting WHERE (level = 'global' AND owner <> 0)"
	" OR (level = 'folder' AND owner NOT IN (SELECT id FROM folder))"
	" OR (level = 'device' AND owner NOT IN (SELECT id FROM device))",

	"SELECT 'assignment ' || id || ' is of ' || level || ' ' || owner || ', which is gone',"
	" '" TO_SQL "\"DELETE FROM assignment WHERE id = ' || id || '\"'"
	" FROM assignment WHERE (level = 'global' AND owner <> 0)"
	" OR (level = 'folder' AND owner NOT IN (SELECT id FROM folder))"
	" OR (level = 'group' AND owner NOT IN (SELECT id FROM device_group))"
	" OR (level = 'device' AND owner NOT IN (SELECT id FROM device))",

	"SELECT 'folder ' || name || ' is within itself',"
	" '" TO_SQL "\"UPDATE folder SET parent = NULL WHERE id = ' || id || '\"'"
	" FROM folder WHERE id NOT IN (SELECT id FROM temp.folder_path)",

	/* As triggers keep it, see store_past.c. */
	"WITH had AS (SELECT device, 0 AS kind, 0 AS id, max(id), state FROM job GROUP BY device"
	" UNION ALL SELECT device, 1, source_id, max(id), state FROM job"
	"  WHERE source = 'assignment' GROUP BY device, source_id"
	" UNION ALL SELECT device, 2, bundle, max(id), state FROM job"
	"  WHERE bundle IS NOT NULL GROUP BY device, bundle"
	" UNION ALL SELECT device, 3, source_id, max(id), state FROM job"
	"  WHERE source = 'multicast' GROUP BY device, source_id)"
	" SELECT 'what is kept of the jobs of device ' || name || ' is not what it has had:"
	" prebootd may choose wrongly', '" TO_SQL "\"DELETE FROM past WHERE device = ' || device.id"
	" || '; UPDATE job SET bundle = bundle WHERE device = ' || device.id || '\"'"
	" FROM device WHERE id IN (SELECT device FROM (SELECT * FROM had EXCEPT SELECT * FROM past)"
	" UNION SELECT device FROM (SELECT * FROM past EXCEPT SELECT * FROM had))",

	"SELECT 'device ' || ifnull((SELECT name FROM device WHERE id = device), device)"
	" || ' has ' || count(*) || ' open jobs', 'cancel all but one, the last is '"
	" || max(id) || ': \"prebootctl job cancel ' || min(id) || '\"'"
	" FROM job NOT INDEXED WHERE state IN ('pending', 'offered', 'begun')"
	" GROUP BY device HAVING count(*) > 1",

	"SELECT 'job ' || id || ' is begun in the future',"
	" 'check the clock of this host; then \"prebootctl job cancel ' || id || '\"'"
	" FROM job WHERE state = 'begun' AND begun > unixepoch() + 86400",

	"SELECT 'rule ' || rule.name || ' has bundle ' || bundle.name || ', which has no loader:"
	" no machine can do it', 'give it one: \"prebootctl bundle change ' || bundle.name ||"
	" ' --loader-bios FILE\"'"
	" FROM rule JOIN bundle ON bundle.id = bundle WHERE loader_bios = '' AND loader_uefi = ''"
	" AND loader_uefi_ia32 = '' AND loader_uefi_arm64 = ''",

	"SELECT 'rules ' || group_concat(name, ' and ') || ' have the same place, ' || position,"
	" 'move one of them: \"prebootctl rule move ' || min(name) || ' ' || position || '\"'"
	" FROM rule GROUP BY position HAVING count(*) > 1",

	"SELECT 'UUID ' || iif(name IS NULL, '', 'of device ' || name || ', ') || text ||"
	" ', came with MACs of several machines, or that may be several',"
	" 'see which with \"prebootctl uuid show ' || text || '\"; if they are one machine:"
	" \"prebootctl uuid allow ' || text || '\"; else \"prebootctl uuid ignore ' || text || '\","
	" and \"prebootctl device admit\" with the MACs of those that are unknown'"
	" FROM (SELECT d.name, lower(substr(hex(u.uuid), 1, 8) || '-' || substr(hex(u.uuid), 9, 4)"
	" || '-' || substr(hex(u.uuid), 13, 4) || '-' || substr(hex(u.uuid), 17, 4) || '-' ||"
	" substr(hex(u.uuid), 21)) AS text"
	" FROM uuid u LEFT JOIN device d ON d.uuid = u.uuid OR d.claim_uuid = u.uuid"
	" WHERE u.state = 'shared')",

	"SELECT 'device ' || name || ' has nothing but a UUID that is ignored: it cannot be known'"
	" || ' again', 'give it a MAC: \"prebootctl device change ' || name || ' --mac MAC\"'"
	" FROM device JOIN uuid USING (uuid) WHERE state = 'ignored' AND isd IS NULL"
	" AND NOT EXISTS (SELECT 1 FROM mac WHERE mac.device = device.id)",

	"SELECT 'device ' || name || ' is claimed, though it has a UUID or MAC',"
	" 'release it: \"prebootctl device release ' || name || '\"'"
	" FROM device WHERE (claim_uuid IS NOT NULL OR claim_mac IS NOT NULL)"
	" AND (uuid IS NOT NULL OR (claim_mac IS NOT NULL"
	" AND EXISTS (SELECT 1 FROM mac WHERE mac.device = device.id)))",

	"SELECT what || ' ' || name || ' has the number ' || id || ', which prebootd cannot hold',"
	" 'put the data into a new database: \"prebootctl export\", then \"prebootctl --database"
	" NEW import\"' FROM (SELECT 'device' AS what, name, id, 4294967295 AS most FROM device"
	" UNION ALL SELECT 'group', name, id, 4294967295 FROM device_group"
	" UNION ALL SELECT 'folder', name, id, 268435455 FROM folder"
	" UNION ALL SELECT 'bundle', name, id, 268435455 FROM bundle"
	" UNION ALL SELECT 'rule', name, id, 268435455 FROM rule"
	" UNION ALL SELECT 'session', name, id, 268435455 FROM multicast"
	" UNION ALL SELECT 'assignment', '', id, 268435455 FROM assignment) WHERE id > most",

	"SELECT 'the last job has the number ' || seq || ', and there can be no more',"
	" '\"prebootctl export\", lower \"last_job\" and each \"job\" in that file, then"
	" \"prebootctl --database NEW import\"' FROM sqlite_sequence WHERE name = 'job'"
	" AND seq >= 999999999999999",

	"SELECT 'job numbers up to ' || max(id) || ' would be used again',"
	" '" TO_SQL "\"UPDATE sqlite_sequence SET seq = ' || max(id) ||"
	" ' WHERE name = ''job''\"' FROM job"
	" HAVING max(id) > ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'job'), 0)",
};

static int report(struct store *store, const char *sql, store_fault *found, void *data)
{
	struct store_rows *rows;
	int rc = store_start(store, &rows, sql, "");

	while (store_next(rows, &rc)) {
		const char *problem = store_string(rows, 0), *remedy = store_string(rows, 1);

		found(data, problem ? problem : "?", remedy ? remedy : "?");
	}
	return rc;
}

int store_row_faults(struct store *store, store_fault *found, void *data)
{
	int rc = folder_write_paths(store);

	for (size_t i = 0; rc == 0 && i < sizeof(queries) / sizeof(queries[0]); i++)
		rc = report(store, queries[i], found, data);
	return rc;
}

/* --- the schema ------------------------------------------------------------ */

/* Makes a database in memory that is as it should be. */
static int make_model(sqlite3 **model)
{
	int code = sqlite3_open_v2(":memory:", model, SQLITE_OPEN_READWRITE, NULL);

	return code == SQLITE_OK ? store_upgrade(*model) : code;
}

/* Reports that the table, index or trigger @name was not made by @sql. */
static int compare(struct store *store, const char *type, const char *name, const char *sql,
                   store_fault *found, void *data)
{
	static const char find[] = "SELECT sql FROM sqlite_schema WHERE type = ? AND name = ?";
	const char *is = NULL;
	struct store_rows *row;
	char problem[200];
	int rc = store_start(store, &row, find, "tt", type, name);
	bool there;

	if (rc || (rc = store_step(row)) < 0)
		return rc;
	there = rc == 1;
	if (there)
		is = store_string(row, 0);
	if (strcmp(is ? is : "", sql) != 0) {
		snprintf(problem, sizeof(problem), "%s %s is %s", type, name,
		         there ? "not as it should be" : "missing");
		found(data, problem, "put the data into a new database: \"prebootctl export\", then"
		      " \"prebootctl --database NEW import\"");
	}
	store_end(row);
	return 0;
}

int store_schema_faults(struct store *store, store_fault *found, void *data)
{
	static const char sql[] =
		"SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";
	sqlite3_stmt *rows = NULL;
	sqlite3 *model = NULL;
	int code = make_model(&model), rc = 0;

	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(model, sql, -1, &rows, NULL);
	while (code == SQLITE_OK && rc == 0 && sqlite3_step(rows) == SQLITE_ROW)
		rc = compare(store, (const char *)sqlite3_column_text(rows, 0),
		             (const char *)sqlite3_column_text(rows, 1),
		             (const char *)sqlite3_column_text(rows, 2), found, data);
	if (code != SQLITE_OK) {
		snprintf(store->message, sizeof(store->message), "%s", sqlite3_errstr(code));
		rc = ERR_IO;
	}
	sqlite3_finalize(rows);
	sqlite3_close(model);
	return rc;
}
