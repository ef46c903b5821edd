/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "index_internal.h"
#include "message_fields.h"

/* The devices in the index: finding them, putting them in and taking them out. */

/* --- finding --------------------------------------------------------------- */

uint32_t index_number(const struct index *index, uint32_t id)
{
	uint32_t hash = index_hash_id(index, id), number;
	uint32_t slot = index_table_home(&index->ids, hash);

	while ((number = index_table_next(&index->ids, hash, &slot)) != 0)
		if (index_at(index, number)->id == id)
			return number;
	return 0;
}

const struct entry *index_by_id(const struct index *index, uint64_t id)
{
	uint32_t number = id && id <= INDEX_DEVICE_MAX ? index_number(index, (uint32_t)id) : 0;

	return number ? index_at(index, number) : NULL;
}

const struct entry *index_by_isd(const struct index *index, const uint8_t isd[UUID_SIZE])
{
	uint32_t hash = index_hash_uuid(index, isd), number;
	uint32_t slot = index_table_home(&index->isds, hash);

	if (all_zero(isd, UUID_SIZE))
		return NULL;
	while ((number = index_table_next(&index->isds, hash, &slot)) != 0)
		if (memcmp(index_at(index, number)->isd, isd, UUID_SIZE) == 0)
			return index_at(index, number);
	return NULL;
}

const struct entry *index_by_uuid(const struct index *index, const uint8_t uuid[UUID_SIZE])
{
	uint32_t hash = index_hash_uuid(index, uuid), number;
	uint32_t slot = index_table_home(&index->uuids, hash);
	const struct entry *claimed = NULL;

	if (all_zero(uuid, UUID_SIZE))
		return NULL;
	while ((number = index_table_next(&index->uuids, hash, &slot)) != 0) {
		const struct entry *entry = index_at(index, number);

		if (memcmp(entry->uuid, uuid, UUID_SIZE) == 0)
			return entry;
		if (entry->flags & ENTRY_CLAIM_UUID &&
		    memcmp(block_claim_uuid(entry_block(index, entry)), uuid, UUID_SIZE) == 0)
			claimed = entry;
	}
	return claimed;
}

/* Says whether @mac is one of those it was registered with, but the first. */
static bool has_further_mac(const struct index *index, const struct entry *entry,
                            const uint8_t mac[MAC_SIZE])
{
	const struct block *block = entry_block(index, entry);
	const uint8_t *macs = block_macs(block, entry->flags);

	for (size_t i = 0; i < block->macs; i++)
		if (memcmp(macs + i * MAC_SIZE, mac, MAC_SIZE) == 0)
			return true;
	return false;
}

const struct entry *index_by_mac(const struct index *index, const uint8_t mac[MAC_SIZE])
{
	uint32_t hash = index_hash_mac(index, mac), number;
	uint32_t slot = index_table_home(&index->macs, hash);
	const struct entry *claimed = NULL;

	if (all_zero(mac, MAC_SIZE))
		return NULL;
	while ((number = index_table_next(&index->macs, hash, &slot)) != 0) {
		const struct entry *entry = index_at(index, number);

		if (memcmp(entry->mac, mac, MAC_SIZE) == 0 ||
		    (entry->flags & ENTRY_MORE_MACS && has_further_mac(index, entry, mac)))
			return entry;
		if (entry->flags & ENTRY_CLAIM_MAC &&
		    memcmp(block_claim_mac(entry_block(index, entry), entry->flags), mac,
		           MAC_SIZE) == 0)
			claimed = entry;
	}
	return claimed;
}

/* --- ahead of time --------------------------------------------------------- */

/* Returns the entry of the first number with @hash; NULL: none. */
static const struct entry *first_of(const struct index *index, const struct index_table *table,
                                    uint32_t hash)
{
	uint32_t slot = index_table_home(table, hash);
	uint32_t number = index_table_next(table, hash, &slot);

	return number ? index_at(index, number) : NULL;
}

/* Takes one step towards a device: its slot, its entry, its block. */
static void go_ahead(const struct index *index, const struct index_table *table, uint32_t hash,
                     int step)
{
	const struct entry *entry;

	if (!table->size)
		return;
	if (step == 0) {
		__builtin_prefetch(&table->slots[index_table_home(table, hash)]);
		return;
	}
	entry = first_of(index, table, hash);
	if (entry)
		__builtin_prefetch(step == 1 ? (const void *)entry : entry_block(index, entry));
}

void index_prefetch(const struct index *index, const struct index_key *keys, size_t count)
{
	/* One step for all at a time, so that memory has as much to do as it can. */
	for (int step = 0; step < 3; step++) {
		for (size_t i = 0; i < count; i++) {
			const struct index_key *key = &keys[i];

			if (key->isd)
				go_ahead(index, &index->isds, index_hash_uuid(index, key->isd),
				         step);
			if (key->uuid)
				go_ahead(index, &index->uuids, index_hash_uuid(index, key->uuid),
				         step);
			if (key->mac)
				go_ahead(index, &index->macs, index_hash_mac(index, key->mac),
				         step);
		}
	}
}

/* --- changing -------------------------------------------------------------- */

/* A key in one of the tables. */
struct key {
	struct index_table *table;
	uint32_t hash;
};

/* Goes through all that an entry is found by. Returns false behind the last. */
static bool next_key(struct index *index, const struct entry *entry, size_t i, struct key *key)
{
	const struct block *block = entry_block(index, entry);
	const uint8_t *mac = NULL, *uuid = NULL;

	key->table = NULL;
	switch (i) {
	case 0:
		key->table = &index->ids;
		key->hash = index_hash_id(index, entry->id);
		return true;
	case 1: uuid = all_zero(entry->uuid, UUID_SIZE) ? NULL : entry->uuid; break;
	case 2: uuid = entry->flags & ENTRY_CLAIM_UUID ? block_claim_uuid(block) : NULL; break;
	case 3:
		if (all_zero(entry->isd, UUID_SIZE))
			return true;
		key->table = &index->isds;
		key->hash = index_hash_uuid(index, entry->isd);
		return true;
	case 4: mac = entry->flags & ENTRY_MAC ? entry->mac : NULL; break;
	case 5:
		if (entry->flags & ENTRY_CLAIM_MAC)
			mac = block_claim_mac(block, entry->flags);
		break;
	default:
		if (i - 6 >= block->macs)
			return false;
		mac = block_macs(block, entry->flags) + (i - 6) * MAC_SIZE;
	}
	if (uuid) {
		key->table = &index->uuids;
		key->hash = index_hash_uuid(index, uuid);
	} else if (mac) {
		key->table = &index->macs;
		key->hash = index_hash_mac(index, mac);
	}
	return true;
}

static void remove_keys(struct index *index, uint32_t number)
{
	struct key key;

	for (size_t i = 0; next_key(index, index_at(index, number), i, &key); i++)
		if (key.table)
			index_table_remove(key.table, key.hash, number);
}

static int add_keys(struct index *index, uint32_t number)
{
	struct key key;

	for (size_t i = 0; next_key(index, index_at(index, number), i, &key); i++)
		if (key.table && index_table_add(key.table, key.hash, number))
			return ERR_SPACE;
	return 0;
}

static int add_chunk(struct index *index)
{
	struct entry **chunks, *chunk;

	chunks = realloc(index->chunks, (index->chunk_count + 1) * sizeof(chunks[0]));
	if (!chunks)
		return ERR_SPACE;
	index->chunks = chunks;
	chunk = memory_take(CHUNK * sizeof(chunk[0]));
	if (!chunk)
		return ERR_SPACE;
	index->chunks[index->chunk_count++] = chunk;
	return 0;
}

/* Returns the number of an entry that is free, 0 without memory. */
static uint32_t take_number(struct index *index)
{
	uint32_t number = index->free;

	if (number) {
		index->free = index_at(index, number)->block;
		return number;
	}
	if (index->next / CHUNK == index->chunk_count && add_chunk(index))
		return 0;
	return index->next++;
}

static void give_number(struct index *index, uint32_t number)
{
	struct entry *entry = index_at(index, number);

	memset(entry, 0, sizeof(*entry));
	entry->block = index->free;
	index->free = number;
}

static void give_block(struct index *index, const struct entry *entry)
{
	arena_give(&index->arena, entry->block, entry_block(index, entry)->size);
}

void index_take(struct index *index, uint32_t id)
{
	uint32_t number = index_number(index, id);

	if (!number)
		return;
	remove_keys(index, number);
	give_block(index, index_at(index, number));
	give_number(index, number);
	index->count--;
}

int index_put(struct index *index, const struct entry *entry, const struct block *block)
{
	uint32_t number, place = arena_take(&index->arena, block->size);

	if (!place)
		return ERR_SPACE;
	index_take(index, entry->id);
	number = take_number(index);
	if (!number) {
		arena_give(&index->arena, place, block->size);
		return ERR_SPACE;
	}
	memcpy(arena_at(&index->arena, place), block, block->size);
	*index_at(index, number) = *entry;
	index_at(index, number)->block = place;
	index->count++;
	return add_keys(index, number);
}
