/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/rules.h"

#include <string.h>

#define SELECT \
	"SELECT rule.id, position, rule.name, bundle, bundle.name, applies, filter, repeat," \
	" enabled FROM rule JOIN bundle ON bundle.id = rule.bundle"

void rule_row(struct store_rows *row, struct rule_row *out)
{
	struct rule *r = &out->rule;
	char applies[16];

	memset(out, 0, sizeof(*out));
	r->id = (uint64_t)store_number(row, 0);
	out->position = (uint32_t)store_number(row, 1);
	store_text(row, 2, r->name, sizeof(r->name));
	out->bundle = (uint64_t)store_number(row, 3);
	store_text(row, 4, out->bundle_name, sizeof(out->bundle_name));
	store_text(row, 5, applies, sizeof(applies));
	r->applies = RULE_KNOWN;
	rule_applies_parse(applies, &r->applies); /* the schema allows no others */
	store_text(row, 6, out->filter, sizeof(out->filter));
	r->repeat = store_number(row, 7) != 0;
	out->enabled = store_number(row, 8) != 0;
}

static void read_rule(struct store_rows *row, void *out)
{
	rule_row(row, out);
}

int rule_find(struct store *store, const char *name, struct rule_row *out)
{
	static const char sql[] = SELECT " WHERE rule.name = ?";

	return store_one(store, read_rule, out, sql, "t", name);
}

int rule_list(struct store *store, struct store_rows **rows)
{
	static const char sql[] = SELECT " ORDER BY position, rule.id";

	return store_start(store, rows, sql, "");
}

/* --- changing -------------------------------------------------------------- */

/* Makes the positions those of the order once more: 1, 2, 3. */
static int number(struct store *store)
{
	static const char sql[] =
		"UPDATE rule SET position = place FROM"
		" (SELECT id AS rule_id, row_number() OVER (ORDER BY position, id) AS place"
		" FROM rule) WHERE id = rule_id AND position <> place";

	return store_run(store, sql, "");
}

int rule_add(struct store *store, struct rule_row *row)
{
	static const char sql[] =
		"INSERT INTO rule (position, name, bundle, applies, filter, repeat, enabled)"
		" VALUES ((SELECT count(*) + 1 FROM rule), ?, ?, ?, ?, ?, ?) RETURNING position";
	struct rule *r = &row->rule;
	int64_t position;
	int rc = store_one(store, store_take_number, &position, sql, "tittii", r->name,
	                   (int64_t)row->bundle, rule_applies_name(r->applies), row->filter,
	                   (int64_t)r->repeat, (int64_t)row->enabled);

	if (rc)
		return rc;
	row->position = (uint32_t)position;
	r->id = store_last_id(store);
	return 0;
}

int rule_change(struct store *store, const struct rule_row *row)
{
	static const char sql[] =
		"UPDATE rule SET (name, bundle, applies, filter, repeat, enabled) ="
		" (?2, ?3, ?4, ?5, ?6, ?7) WHERE id = ?1";
	const struct rule *r = &row->rule;

	return store_run(store, sql, "itittii", (int64_t)r->id, r->name, (int64_t)row->bundle,
	                 rule_applies_name(r->applies), row->filter, (int64_t)r->repeat,
	                 (int64_t)row->enabled);
}

int rule_move(struct store *store, uint64_t id, uint32_t position)
{
	/* Twice as far apart leaves a place before each; the mover passes those it leaves. */
	static const char spread[] = "UPDATE rule SET position = 2 * position";
	static const char place[] =
		"UPDATE rule SET position = 2 * ?2 + iif(position < 2 * ?2, 1, -1) WHERE id = ?1";
	int rc = store_run(store, spread, "");

	if (rc == 0)
		rc = store_run(store, place, "ii", (int64_t)id, (int64_t)position);
	return rc ? rc : number(store);
}

int rule_remove(struct store *store, uint64_t id)
{
	static const char sql[] = "DELETE FROM rule WHERE id = ?";
	int rc = store_run(store, sql, "i", (int64_t)id);

	return rc ? rc : number(store);
}
