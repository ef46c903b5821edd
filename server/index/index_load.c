/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "server/index/catalog_read.h"
#include "server/index/index_internal.h"
#include "server/store/memory.h"

/* Loading the index from the database. */

static int put_device(void *data, const struct entry *entry, const struct block *block)
{
	return index_put(data, entry, block);
}

/* Sets the tables up for so many devices, so that they need not grow on the way. */
static int reserve(struct index *index, struct store *store)
{
	struct device_keys keys = { 0 };
	int rc = device_count_keys(store, &keys);
	const struct {
		int64_t count;
		struct index_table *table;
	} all[] = {
		{ keys.ids, &index->ids }, { keys.uuids, &index->uuids },
		{ keys.isds, &index->isds }, { keys.macs, &index->macs },
	};

	/* And an eighth, for what comes. */
	for (size_t i = 0; rc == 0 && i < sizeof(all) / sizeof(all[0]); i++)
		rc = index_table_reserve(all[i].table, (size_t)(all[i].count + all[i].count / 8));
	return rc;
}

void index_set_catalog(struct index *index, struct catalog *catalog,
                      const struct warnings *warnings)
{
	catalog_free(index->catalog);
	index->catalog = catalog;
	if (strcmp(index->catalog_warnings.text, warnings->text) == 0)
		return;
	index->catalog_warnings = *warnings;
	warnings_add_all(&index->warnings, warnings);
}

static int load(struct index *index, struct store *store, int64_t low, int64_t high)
{
	struct warnings warnings = { 0 };
	struct catalog *catalog;
	int rc = change_newest(store, &index->change);

	if (rc == 0)
		rc = catalog_read(store, &catalog, &warnings);
	if (rc)
		return rc;
	index_set_catalog(index, catalog, &warnings);
	if (low != high)
		rc = reserve(index, store);
	return rc ? rc : devices_read(store, low, high, put_device, index, &index->warnings);
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
