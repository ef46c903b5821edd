/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/store_schema.h"

/*
 * The table past: how the newest job stands of each device, and of each thing that a device had
 * work from. Whatever writes to work keeps it, so that nobody need read what was before.
 */

/* What the job of a trigger's @row is a piece of, as kind and id. */
#define KEYS(row) \
	"(SELECT 0 AS kind, 0 AS id" \
	" UNION ALL SELECT 1, " row ".source_id WHERE " row ".source = 'assignment'" \
	" UNION ALL SELECT 2, " row ".bundle WHERE " row ".bundle IS NOT NULL" \
	" UNION ALL SELECT 3, " row ".source_id WHERE " row ".source = 'multicast')"

#define PUT \
	"INSERT INTO past SELECT NEW.device, kind, id, NEW.lease, NEW.state FROM " KEYS("NEW") \
	" WHERE true ON CONFLICT (device, kind, id) DO UPDATE SET lease = excluded.lease," \
	" state = excluded.state WHERE excluded.lease >= past.lease;"

/* What was before it, if it was the newest, is the newest again. */
#define TAKE \
	"DELETE FROM past WHERE device = OLD.device AND lease = OLD.lease;" \
	"INSERT INTO past SELECT OLD.device, k.kind, k.id, w.lease, w.state FROM " KEYS("OLD") \
	" AS k JOIN work AS w ON w.lease = (SELECT max(x.lease) FROM work AS x" \
	" WHERE x.device = OLD.device AND iif(k.kind = 0, 1, iif(k.kind = 2, x.bundle = k.id," \
	" x.source = iif(k.kind = 1, 'assignment', 'multicast') AND x.source_id = k.id)))" \
	" WHERE NOT EXISTS (SELECT 1 FROM past WHERE device = OLD.device AND kind = k.kind" \
	" AND id = k.id);"

#define IS_NEWEST \
	" WHEN EXISTS (SELECT 1 FROM past WHERE device = OLD.device AND lease = OLD.lease)"

#define FILL(kind, id, where, by) \
	"INSERT INTO past SELECT device, " kind ", " id ", max(lease), state FROM work" \
	" WHERE " where " GROUP BY " by ";"

int store_keep_pasts(sqlite3 *db)
{
	static const char sql[] =
		"CREATE TRIGGER past_insert AFTER INSERT ON work BEGIN " PUT " END;"
		"CREATE TRIGGER past_state AFTER UPDATE OF state ON work BEGIN"
		" UPDATE past SET state = NEW.state WHERE device = NEW.device AND lease = NEW.lease;"
		" END;"
		"CREATE TRIGGER past_move AFTER UPDATE OF lease, device, source, source_id, bundle"
		" ON work BEGIN " TAKE PUT " END;"
		"CREATE TRIGGER past_delete AFTER DELETE ON work" IS_NEWEST " BEGIN " TAKE " END;"
		FILL("0", "0", "true", "device")
		FILL("1", "source_id", "source = 'assignment'", "device, source_id")
		FILL("2", "bundle", "bundle IS NOT NULL", "device, bundle")
		FILL("3", "source_id", "source = 'multicast'", "device, source_id");

	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}
