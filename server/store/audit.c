/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/audit.h"

#include <stdio.h>

void audit_start(struct store *store, const struct audit_actor *actor)
{
	snprintf(store->audit.user, sizeof(store->audit.user), "%s", actor->user);
	snprintf(store->audit.verb, sizeof(store->audit.verb), "%s", actor->verb);
	store->audit.uid = actor->uid;
	store->audit.wanted = true;
}

/* --- a transaction's records ----------------------------------------------- */

int audit_begin(struct store *store)
{
	static const char sql[] = "SELECT ifnull(max(id), 0) FROM audit";

	return store_one(store, store_take_number, &store->audit.from, sql, "");
}

/*
 * Of several changes of one value the first stays, with what the last made of it, and what was
 * undone goes: "rule move" numbers all rules twice, and an import removes and adds everything.
 */
int audit_settle(struct store *store)
{
	static const char *const steps[] = {
		"DELETE FROM temp.audit_batch",
		"INSERT INTO temp.audit_batch SELECT id, first_value(id) OVER same,"
		" last_value(becomes) OVER same FROM audit WHERE id > ?1 WINDOW same AS"
		" (PARTITION BY noun, name, field, iif(field IN ('mac', 'member'),"
		"  ifnull(was, becomes), '') ORDER BY id"
		"  ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)",
		"UPDATE audit SET becomes = b.becomes FROM temp.audit_batch b"
		" WHERE audit.id > ?1 AND audit.id = b.id AND b.first = b.id",
		"DELETE FROM audit WHERE id > ?1 AND (was IS becomes OR"
		" id IN (SELECT id FROM temp.audit_batch WHERE first <> id))",
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(steps) / sizeof(steps[0]); i++)
		rc = store_run(store, steps[i], i ? "i" : "", store->audit.from);
	return rc;
}

/* --- reading and forgetting ------------------------------------------------ */

/* Says whether the name of a record begins with "NAME MIDDLE", or ends in "MIDDLE NAME". */
#define BEGINS(parameter, middle) "instr(lower(name), lower(" parameter ") || '" middle "') = 1"
#define ENDS(parameter, middle) \
	"substr(name, -length('" middle "' || " parameter ")) =" \
	" '" middle "' || " parameter " COLLATE NOCASE"
/* Says whether a record is of the thing that is called as @parameter says: a job by its number. */
#define IS_OF(parameter) \
	" (name = " parameter " COLLATE NOCASE" \
	"  OR (field IN ('name', 'member', 'mac', 'bundle')" \
	"   AND " parameter " COLLATE NOCASE IN (was, becomes))" \
	"  OR (noun = 'job' AND (" BEGINS(parameter, " of ") " OR " ENDS(parameter, " of ") "))" \
	"  OR (noun = 'assignment' AND (" BEGINS(parameter, " to ") " OR " ENDS(parameter, " to ") \
	"   OR " ENDS(parameter, " to group:") ")))"

int audit_list(struct store *store, const struct audit_filter *filter, struct store_rows **rows)
{
	/*
	 * What has the name @thing was called otherwise up to the record of its renaming, @until.
	 * Another kind of things may have had that other name; settings have their owner's.
	 */
	static const char sql[] =
		"WITH RECURSIVE called (thing, kind, until) AS ("
		" SELECT value, '', ?6 FROM json_each(?4) UNION"
		" SELECT was, noun, id FROM called JOIN audit ON field = 'name' AND was IS NOT NULL"
		" AND becomes = thing COLLATE NOCASE AND id < until AND kind IN ('', noun))"
		" SELECT * FROM (SELECT id, time, user, uid, verb, noun, name, field, was, becomes"
		" FROM audit WHERE time >= ?1 AND (?2 = '' OR noun = ?2) AND (?3 = '' OR user = ?3)"
		" AND (?4 = '[]' OR EXISTS (SELECT 1 FROM called WHERE id <= until AND"
		" (kind IN ('', noun) OR noun = 'settings' OR name <> thing COLLATE NOCASE) AND"
		IS_OF("thing") ")) ORDER BY id DESC LIMIT ?5) ORDER BY id";

	return store_start(store, rows, sql, "itttii", filter->since,
	                   filter->noun ? filter->noun : "", filter->user ? filter->user : "",
	                   filter->names ? filter->names : "[]",
	                   filter->limit ? (int64_t)filter->limit : (int64_t)-1, INT64_MAX);
}

void audit_row(struct store_rows *row, struct audit_record *record)
{
	record->id = (uint64_t)store_number(row, 0);
	record->time = store_number(row, 1);
	record->user = store_string(row, 2);
	record->uid = (uint32_t)store_number(row, 3);
	record->verb = store_string(row, 4);
	record->noun = store_string(row, 5);
	record->name = store_string(row, 6);
	record->field = store_string(row, 7);
	record->was = store_string(row, 8);
	record->becomes = store_string(row, 9);
}

int audit_knows(struct store *store, const char *name, bool *any)
{
	static const char sql[] = "SELECT EXISTS (SELECT 1 FROM audit WHERE" IS_OF("?1") ")";
	int64_t found = 0;
	int rc = store_one(store, store_take_number, &found, sql, "t", name);

	*any = found;
	return rc;
}

int audit_any_before(struct store *store, int64_t time, bool *any)
{
	static const char sql[] = "SELECT EXISTS (SELECT 1 FROM audit WHERE time < ?)";
	int64_t found = 0;
	int rc = store_one(store, store_take_number, &found, sql, "i", time);

	*any = found;
	return rc;
}

int audit_expire(struct store *store, int64_t time)
{
	static const char sql[] =
		"DELETE FROM audit WHERE id IN"
		" (SELECT id FROM audit WHERE time < ?1 ORDER BY time LIMIT ?2)";

	return store_run(store, sql, "ii", time, (int64_t)AUDIT_EXPIRE);
}
