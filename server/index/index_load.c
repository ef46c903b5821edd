/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "server/index/index_internal.h"

/* Loading the index from the database. */

/* Reads one number. */
static int read_number(struct store *store, const char *sql, int64_t *out)
{
	struct store_rows *row;
	int rc = store_start(store, &row, sql, "");

	if (rc || (rc = store_step(row)) != 1)
		return rc;
	*out = store_number(row, 0);
	store_end(row);
	return 0;
}

static int put(void *data, const struct entry *entry, const struct block *block)
{
	return index_put(data, entry, block);
}

/* Sets the tables up for so many devices, so that they need not grow on the way. */
static int reserve(struct index *index, struct store *store)
{
	static const char devices[] = "SELECT count(*) FROM device";
	static const char uuids[] = "SELECT count(uuid) + count(claim_uuid) FROM device";
	static const char isds[] = "SELECT count(isd) FROM device";
	static const char macs[] =
		"SELECT (SELECT count(*) FROM mac) + (SELECT count(claim_mac) FROM device)";
	const struct {
		const char *sql;
		struct index_table *table;
	} all[] = {
		{ devices, &index->ids }, { uuids, &index->uuids }, { isds, &index->isds },
		{ macs, &index->macs },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(all) / sizeof(all[0]); i++) {
		int64_t count = 0;

		rc = read_number(store, all[i].sql, &count);
		/* And an eighth, for what comes. */
		if (rc == 0)
			rc = index_table_reserve(all[i].table, (size_t)(count + count / 8));
	}
	return rc;
}

void index_set_policy(struct index *index, struct policy *policy,
                      const struct warnings *warnings)
{
	policy_free(index->policy);
	index->policy = policy;
	if (strcmp(index->policy_warnings.text, warnings->text) == 0)
		return;
	index->policy_warnings = *warnings;
	warn_all(&index->warnings, warnings);
}

static int load(struct index *index, struct store *store, int64_t low, int64_t high)
{
	struct warnings warnings = { 0 };
	struct policy *policy;
	int rc = read_number(store, "SELECT ifnull(max(id), 0) FROM change", &index->change);

	if (rc == 0)
		rc = policy_read(store, &policy, &warnings);
	if (rc)
		return rc;
	index_set_policy(index, policy, &warnings);
	if (low != high)
		rc = reserve(index, store);
	return rc ? rc : devices_read(store, low, high, put, index, &index->warnings);
}

bool index_begin(struct store *store, int *rc)
{
	if (store_in_transaction(store))
		return false;
	*rc = store_begin_reading(store);
	return *rc == 0;
}

int index_load(struct index *index, struct store *store)
{
	int rc = 0;
	bool begun = index_begin(store, &rc);

	if (rc == 0)
		rc = load(index, store, INT64_MIN, INT64_MAX);
	if (begun)
		store_rollback(store);
	return rc;
}

int index_load_device(struct index *index, struct store *store, uint64_t device)
{
	int rc = 0;
	bool begun = index_begin(store, &rc);

	if (rc == 0)
		rc = load(index, store, (int64_t)device, (int64_t)device);
	if (begun)
		store_rollback(store);
	return rc;
}
