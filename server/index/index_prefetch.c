/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/index/index_internal.h"

/* Fetching from memory what finding a device will read. */

enum { PREFETCH_ISD, PREFETCH_UUID, PREFETCH_MAC, PREFETCH_END };

/* Goes on to the next of its keys that it has, and fetches where that leads to. */
static void next_key(const struct index *index, struct index_prefetch *prefetch)
{
	const struct index_table *table = NULL;
	uint32_t hash = 0;

	while (!table && prefetch->key < PREFETCH_END) {
		switch (prefetch->key++) {
		case PREFETCH_ISD:
			if (!prefetch->isd)
				continue;
			table = &index->isds;
			hash = index_hash_uuid(index, prefetch->isd);
			break;
		case PREFETCH_UUID:
			if (!prefetch->uuid)
				continue;
			table = &index->uuids;
			hash = index_hash_uuid(index, prefetch->uuid);
			break;
		default:
			table = &index->macs;
			hash = index_hash_mac(index, prefetch->mac);
		}
		if (!table->size)
			table = NULL;
	}
	prefetch->table = table;
	prefetch->hash = hash;
	if (table)
		__builtin_prefetch(&table->slots[index_table_home(table, hash)]);
}

void index_prefetch_begin(const struct index *index, struct index_prefetch *prefetch)
{
	prefetch->key = PREFETCH_ISD;
	prefetch->entry = NULL;
	next_key(index, prefetch);
}

void index_prefetch_next(const struct index *index, struct index_prefetch *prefetch)
{
	uint32_t slot, number;

	if (!prefetch->table)
		return;
	slot = index_table_home(prefetch->table, prefetch->hash);
	number = index_table_next(prefetch->table, prefetch->hash, &slot);
	if (!number) {
		next_key(index, prefetch);
		return;
	}
	prefetch->entry = index_at(index, number);
	__builtin_prefetch(prefetch->entry);
	__builtin_prefetch(entry_block(prefetch->entry));
	prefetch->table = NULL;
}
