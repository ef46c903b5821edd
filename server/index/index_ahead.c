/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/index/index_internal.h"

/* Finding devices, ahead of time: fetching from memory what that will read. */

enum { AHEAD_ISD, AHEAD_UUID, AHEAD_MAC, AHEAD_END };

/* Goes on to the next of its keys that it has, and fetches where that leads to. */
static void next_key(const struct index *index, struct index_ahead *ahead)
{
	const struct index_table *table = NULL;
	uint32_t hash = 0;

	while (!table && ahead->key < AHEAD_END) {
		switch (ahead->key++) {
		case AHEAD_ISD:
			if (!ahead->isd)
				continue;
			table = &index->isds;
			hash = index_hash_uuid(index, ahead->isd);
			break;
		case AHEAD_UUID:
			if (!ahead->uuid)
				continue;
			table = &index->uuids;
			hash = index_hash_uuid(index, ahead->uuid);
			break;
		default:
			table = &index->macs;
			hash = index_hash_mac(index, ahead->mac);
		}
		if (!table->size)
			table = NULL;
	}
	ahead->table = table;
	ahead->hash = hash;
	if (table)
		__builtin_prefetch(&table->slots[index_table_home(table, hash)]);
}

void index_ahead_begin(const struct index *index, struct index_ahead *ahead)
{
	ahead->key = AHEAD_ISD;
	ahead->entry = NULL;
	next_key(index, ahead);
}

void index_ahead_next(const struct index *index, struct index_ahead *ahead)
{
	uint32_t slot, number;

	if (!ahead->table)
		return;
	slot = index_table_home(ahead->table, ahead->hash);
	number = index_table_next(ahead->table, ahead->hash, &slot);
	if (!number) {
		next_key(index, ahead);
		return;
	}
	ahead->entry = index_at(index, number);
	__builtin_prefetch(ahead->entry);
	__builtin_prefetch(entry_block(ahead->entry));
	ahead->table = NULL;
}
