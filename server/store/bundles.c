/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/bundles.h"
#include "server/store/loaders.h"

#include <string.h>

#define COLUMNS \
	"id, name, kind, " LOADERS_COLUMNS ", config, prefix, details, attempts, deadline, added," \
	" completes"

void bundle_row(struct store_rows *row, struct bundle_whole *bundle)
{
	struct bundle *b = &bundle->bundle;
	size_t length;
	const void *details = store_blob(row, 9, &length);
	char kind[32], completes[16];

	memset(bundle, 0, sizeof(*bundle));
	b->id = (uint64_t)store_number(row, 0);
	store_text(row, 1, b->name, sizeof(b->name));
	store_text(row, 2, kind, sizeof(kind));
	bundle_kind_parse(kind, &b->kind); /* the schema allows no others */
	loaders_row(row, 3, &b->loaders);
	store_text(row, 7, b->config, sizeof(b->config));
	store_text(row, 8, b->prefix, sizeof(b->prefix));
	if (length && length <= sizeof(bundle->details.details)) {
		memcpy(bundle->details.details, details, length);
		bundle->details.details[length - 1] = '\0';
		bundle->details.details_length = (uint16_t)length;
	}
	b->attempts = (uint32_t)store_number(row, 10);
	b->deadline = (uint32_t)store_number(row, 11);
	bundle->added = store_number(row, 12);
	store_text(row, 13, completes, sizeof(completes));
	completion_parse(completes, &b->completion);
}

static void read_bundle(struct store_rows *row, void *bundle)
{
	bundle_row(row, bundle);
}

int bundle_find(struct store *store, const char *name, struct bundle_whole *bundle)
{
	static const char sql[] = "SELECT " COLUMNS " FROM bundle WHERE name = ?";

	return store_one(store, read_bundle, bundle, sql, "t", name);
}

int bundle_by_id(struct store *store, uint64_t id, struct bundle_whole *bundle)
{
	static const char sql[] = "SELECT " COLUMNS " FROM bundle WHERE id = ?";

	return store_one(store, read_bundle, bundle, sql, "i", (int64_t)id);
}

int bundle_add(struct store *store, struct bundle_whole *bundle)
{
	static const char sql[] =
		"INSERT INTO bundle (name, kind, " LOADERS_COLUMNS ", config, prefix, details,"
		" attempts, deadline, added, completes)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
	struct bundle *b = &bundle->bundle;
	int rc = store_run(store, sql, "ttttttttbiiit", b->name, bundle_kind_name(b->kind),
	                   LOADERS_VALUES(b->loaders), b->config, b->prefix,
	                   bundle->details.details, (size_t)bundle->details.details_length,
	                   (int64_t)b->attempts, (int64_t)b->deadline, bundle->added,
	                   completion_name(b->completion));

	b->id = store_last_id(store);
	return rc;
}

int bundle_change(struct store *store, const struct bundle_whole *bundle)
{
	static const char sql[] =
		"UPDATE bundle SET (name, kind, " LOADERS_COLUMNS ", config, prefix, details,"
		" attempts, deadline, completes)"
		" = (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) WHERE id = ?1";
	const struct bundle *b = &bundle->bundle;

	return store_run(store, sql, "ittttttttbiit", (int64_t)b->id, b->name,
	                 bundle_kind_name(b->kind), LOADERS_VALUES(b->loaders), b->config,
	                 b->prefix, bundle->details.details,
	                 (size_t)bundle->details.details_length, (int64_t)b->attempts,
	                 (int64_t)b->deadline, completion_name(b->completion));
}

int bundle_remove(struct store *store, uint64_t id)
{
	static const char sql[] = "DELETE FROM bundle WHERE id = ?";

	return store_run(store, sql, "i", (int64_t)id);
}

int bundle_list(struct store *store, struct store_rows **rows)
{
	static const char sql[] = "SELECT " COLUMNS " FROM bundle ORDER BY name";

	return store_start(store, rows, sql, "");
}

static void take_uses(struct store_rows *row, void *out)
{
	struct bundle_uses *uses = out;

	uses->assignments = (uint64_t)store_number(row, 0);
	uses->rules = (uint64_t)store_number(row, 1);
	uses->sessions = (uint64_t)store_number(row, 2);
	uses->open = (uint64_t)store_number(row, 3);
	uses->done = (uint64_t)store_number(row, 4);
	uses->failed = (uint64_t)store_number(row, 5);
}

int bundle_uses(struct store *store, uint64_t id, struct bundle_uses *uses)
{
	static const char sql[] =
		"SELECT (SELECT count(*) FROM assignment WHERE bundle = ?1),"
		" (SELECT count(*) FROM rule WHERE bundle = ?1),"
		" (SELECT count(*) FROM multicast WHERE bundle = ?1),"
		" count(*) FILTER (WHERE state IN ('pending', 'offered', 'begun')),"
		" count(*) FILTER (WHERE state = 'done'),"
		" count(*) FILTER (WHERE state = 'failed') FROM job WHERE bundle = ?1";

	return store_one(store, take_uses, uses, sql, "i", (int64_t)id);
}
