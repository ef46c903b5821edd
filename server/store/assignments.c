/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/assignments.h"

#include <string.h>

#define COLUMNS \
	"assignment.id, assignment.bundle, bundle.name, level, owner, mode, until," \
	" assignment.added"

void assignment_row(struct store_rows *row, struct assignment_row *out)
{
	struct assignment *a = &out->assignment;
	char text[16];

	memset(out, 0, sizeof(*out));
	a->id = (uint64_t)store_number(row, 0);
	out->bundle = (uint64_t)store_number(row, 1);
	store_text(row, 2, out->bundle_name, sizeof(out->bundle_name));
	store_text(row, 3, text, sizeof(text));
	(void)level_parse(text, &a->level); /* the schema allows no other names */
	a->owner = (uint64_t)store_number(row, 4);
	store_text(row, 5, text, sizeof(text));
	(void)assignment_mode_parse(text, &a->mode);
	a->until = store_number(row, 6);
	a->added = store_number(row, 7);
}

static void read_assignment(struct store_rows *row, void *out)
{
	assignment_row(row, out);
}

int assignment_add(struct store *store, struct assignment_row *row)
{
	static const char sql[] =
		"INSERT INTO assignment (bundle, level, owner, mode, until, added)"
		" VALUES (?, ?, ?, ?, ?, ?)";
	struct assignment *a = &row->assignment;
	int rc = store_run(store, sql, "ititii", (int64_t)row->bundle, level_name(a->level),
	                   (int64_t)a->owner, assignment_mode_name(a->mode), a->until, a->added);

	a->id = store_last_id(store);
	return rc;
}

int assignment_by_id(struct store *store, uint64_t id, struct assignment_row *row)
{
	static const char sql[] = "SELECT " COLUMNS
		" FROM assignment JOIN bundle ON bundle.id = assignment.bundle"
		" WHERE assignment.id = ?";

	return store_one(store, read_assignment, row, sql, "i", (int64_t)id);
}

int assignment_remove(struct store *store, uint64_t id)
{
	static const char sql[] = "DELETE FROM assignment WHERE id = ?";

	return store_run(store, sql, "i", (int64_t)id);
}

static const char filtered[] = "SELECT " COLUMNS
	" FROM assignment JOIN bundle ON bundle.id = assignment.bundle"
	" WHERE (?1 = 0 OR assignment.bundle = ?1)"
	" AND (?2 = '' OR (level = ?2 AND owner = ?3)) ORDER BY assignment.id";

int assignment_list(struct store *store, const struct assignment_filter *filter,
                    struct store_rows **rows)
{
	return store_start(store, rows, filtered, "iti", (int64_t)filter->bundle,
	                   level_name(filter->level), (int64_t)filter->owner);
}

int assignment_find(struct store *store, const struct assignment_filter *filter,
                    struct assignment_row *row)
{
	return store_one(store, read_assignment, row, filtered, "iti", (int64_t)filter->bundle,
	                 level_name(filter->level), (int64_t)filter->owner);
}

static void take_past(struct store_rows *row, void *out)
{
	struct assignment_past *past = out;

	past->open = (uint64_t)store_number(row, 0);
	past->done = (uint64_t)store_number(row, 1);
	past->failed = (uint64_t)store_number(row, 2);
	past->cancelled = (uint64_t)store_number(row, 3);
}

int assignment_past(struct store *store, uint64_t id, struct assignment_past *past)
{
	static const char sql[] =
		"SELECT count(*) FILTER (WHERE state IN ('pending', 'offered', 'begun')),"
		" count(*) FILTER (WHERE state = 'done'), count(*) FILTER (WHERE state = 'failed'),"
		" count(*) FILTER (WHERE state = 'cancelled')"
		" FROM job WHERE source = 'assignment' AND source_id = ?";

	return store_one(store, take_past, past, sql, "i", (int64_t)id);
}
