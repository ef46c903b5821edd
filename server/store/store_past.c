/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/store_schema.h"

#include <sqlite3.h>

/*
 * The table past: how the newest job stands of each device, and of each thing that a device had
 * jobs from. Whatever writes to a job keeps it, so that nobody need read what was before.
 *
 * Versions differ in names: @table has the jobs, @number is that table's column of a job's number
 * and @kept that of the table past.
 */

/* What the job of a trigger's @row was made for, as kind and id. */
#define KEYS(row) \
	"(SELECT 0 AS kind, 0 AS id" \
	" UNION ALL SELECT 1, " row ".source_id WHERE " row ".source = 'assignment'" \
	" UNION ALL SELECT 2, " row ".bundle WHERE " row ".bundle IS NOT NULL" \
	" UNION ALL SELECT 3, " row ".source_id WHERE " row ".source = 'multicast')"

#define PUT(number, kept) \
	"INSERT INTO past SELECT NEW.device, kind, id, NEW." number ", NEW.state FROM " \
	KEYS("NEW") " WHERE true ON CONFLICT (device, kind, id) DO UPDATE SET " \
	kept " = excluded." kept ", state = excluded.state WHERE excluded." kept \
	" >= past." kept ";"

/* What was before it, if it was the newest, is the newest again. */
#define TAKE(table, number, kept) \
	"DELETE FROM past WHERE device = OLD.device AND " kept " = OLD." number ";" \
	"INSERT INTO past SELECT OLD.device, k.kind, k.id, w." number ", w.state FROM " \
	KEYS("OLD") " AS k JOIN " table " AS w ON w." number " = (SELECT max(x." number ")" \
	" FROM " table " AS x" \
	" WHERE x.device = OLD.device AND iif(k.kind = 0, 1, iif(k.kind = 2, x.bundle = k.id," \
	" x.source = iif(k.kind = 1, 'assignment', 'multicast') AND x.source_id = k.id)))" \
	" WHERE NOT EXISTS (SELECT 1 FROM past WHERE device = OLD.device AND kind = k.kind" \
	" AND id = k.id);"

#define IS_NEWEST(number, kept) \
	" WHEN EXISTS (SELECT 1 FROM past WHERE device = OLD.device AND " kept " = OLD." \
	number ")"

#define TRIGGERS(table, number, kept) \
	"CREATE TRIGGER past_insert AFTER INSERT ON " table " BEGIN " PUT(number, kept) " END;" \
	"CREATE TRIGGER past_state AFTER UPDATE OF state ON " table " BEGIN" \
	" UPDATE past SET state = NEW.state WHERE device = NEW.device AND " kept " = NEW." \
	number "; END;" \
	"CREATE TRIGGER past_move AFTER UPDATE OF " number ", device, source, source_id," \
	" bundle ON " table " BEGIN " TAKE(table, number, kept) PUT(number, kept) " END;" \
	"CREATE TRIGGER past_delete AFTER DELETE ON " table IS_NEWEST(number, kept) \
	" BEGIN " TAKE(table, number, kept) " END;"

#define FILL(kind, id, where, by) \
	"INSERT INTO past SELECT device, " kind ", " id ", max(lease), state FROM work" \
	" WHERE " where " GROUP BY " by ";"

int store_keep_pasts(sqlite3 *db)
{
	static const char sql[] =
		TRIGGERS("work", "lease", "lease")
		FILL("0", "0", "true", "device")
		FILL("1", "source_id", "source = 'assignment'", "device, source_id")
		FILL("2", "bundle", "bundle IS NOT NULL", "device, bundle")
		FILL("3", "source_id", "source = 'multicast'", "device, source_id");

	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

int store_keep_job_pasts(sqlite3 *db)
{
	static const char sql[] = TRIGGERS("job", "id", "job");

	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}
