/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "server/index/index_internal.h"

/* The devices in the index: finding, adding and removing them. */

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
	const struct entry *bound = NULL;

	if (all_zero(uuid, UUID_SIZE))
		return NULL;
	while ((number = index_table_next(&index->uuids, hash, &slot)) != 0) {
		const struct entry *entry = index_at(index, number);

		if (memcmp(entry->uuid, uuid, UUID_SIZE) == 0)
			return entry;
		if (entry->flags & ENTRY_BOUND_UUID &&
		    memcmp(block_bound_uuid(entry_block(entry)), uuid, UUID_SIZE) == 0)
			bound = entry;
	}
	return bound;
}

/* Says whether @mac is one of those it was registered with, but the first. */
static bool has_further_mac(const struct entry *entry,
                            const uint8_t mac[MAC_SIZE])
{
	const struct block *block = entry_block(entry);
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
	const struct entry *bound = NULL;

	if (all_zero(mac, MAC_SIZE))
		return NULL;
	while ((number = index_table_next(&index->macs, hash, &slot)) != 0) {
		const struct entry *entry = index_at(index, number);

		if (memcmp(entry->mac, mac, MAC_SIZE) == 0 ||
		    (entry->flags & ENTRY_MORE_MACS && has_further_mac(entry, mac)))
			return entry;
		if (entry->flags & ENTRY_BOUND_MAC &&
		    memcmp(block_bound_mac(entry_block(entry), entry->flags), mac,
		           MAC_SIZE) == 0)
			bound = entry;
	}
	return bound;
}

/* --- changing -------------------------------------------------------------- */

/* A key in one of the tables. */
struct index_key {
	struct index_table *table;
	uint32_t hash;
};

/* Goes through all that an entry is found by. Returns false past the last. */
static bool next_key(struct index *index, const struct entry *entry, size_t i,
                     struct index_key *key)
{
	const struct block *block = entry_block(entry);
	const uint8_t *mac = NULL, *uuid = NULL;

	key->table = NULL;
	switch (i) {
	case 0:
		key->table = &index->ids;
		key->hash = index_hash_id(index, entry->id);
		return true;
	case 1: uuid = all_zero(entry->uuid, UUID_SIZE) ? NULL : entry->uuid; break;
	case 2: uuid = entry->flags & ENTRY_BOUND_UUID ? block_bound_uuid(block) : NULL; break;
	case 3:
		if (all_zero(entry->isd, UUID_SIZE))
			return true;
		key->table = &index->isds;
		key->hash = index_hash_uuid(index, entry->isd);
		return true;
	case 4: mac = entry->flags & ENTRY_MAC ? entry->mac : NULL; break;
	case 5:
		if (entry->flags & ENTRY_BOUND_MAC)
			mac = block_bound_mac(block, entry->flags);
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
	struct index_key key;

	for (size_t i = 0; next_key(index, index_at(index, number), i, &key); i++)
		if (key.table)
			index_table_remove(key.table, key.hash, number);
}

static int add_keys(struct index *index, uint32_t number)
{
	struct index_key key;

	for (size_t i = 0; next_key(index, index_at(index, number), i, &key); i++)
		if (key.table && index_table_add(key.table, key.hash, number))
			return ERR_SPACE;
	return 0;
}

/* Returns the room that a device takes in the arena. */
static size_t size_of(const struct block *block)
{
	return sizeof(struct entry) + block->size;
}

void index_remove(struct index *index, uint32_t id)
{
	uint32_t number = index_number(index, id);

	if (!number)
		return;
	remove_keys(index, number);
	arena_give(&index->arena, number, size_of(entry_block(index_at(index, number))));
	index->count--;
}

int index_put(struct index *index, const struct entry *entry, const struct block *block)
{
	uint32_t number = arena_take(&index->arena, size_of(block));

	if (!number)
		return ERR_SPACE;
	index_remove(index, entry->id);
	*index_at(index, number) = *entry;
	memcpy(index_at(index, number) + 1, block, block->size);
	index->count++;
	return add_keys(index, number);
}

int index_add_device(struct index *index, const struct device *device)
{
	struct {
		struct block block;
		char name[NAME_SIZE];
	} new = { .block.name = (uint8_t)strlen(device->name) };
	struct entry entry = { .id = (uint32_t)device->id, .added = (uint32_t)device->added };

	memcpy(new.name, device->name, (size_t)new.block.name + 1);
	new.block.size = (uint32_t)(sizeof(new.block) + new.block.name + 1);
	memcpy(entry.uuid, device->uuid, sizeof(entry.uuid));
	return index_put(index, &entry, &new.block);
}

int index_add_outcome(struct index *index, uint64_t device, enum outcome_of of, uint64_t id,
                      enum outcome outcome)
{
	uint32_t number = index_number(index, (uint32_t)device);
	uint32_t new = PACK_OUTCOME(id, of, outcome);
	const struct block *block = entry_block(index_at(index, number));
	const uint8_t *from = (const uint8_t *)block;
	const uint8_t *outcomes = (const uint8_t *)block_outcomes(block);
	size_t before = (size_t)(outcomes - from);
	struct entry entry = *index_at(index, number);
	struct block *with = malloc(block->size + sizeof(new));
	int rc;

	if (!with)
		return ERR_SPACE;
	/* The first counts. */
	memcpy(with, from, before);
	memcpy((uint8_t *)with + before, &new, sizeof(new));
	memcpy((uint8_t *)with + before + sizeof(new), outcomes, block->size - before);
	with->size += (uint32_t)sizeof(new);
	with->outcomes++;
	rc = index_put(index, &entry, with);
	free(with);
	return rc;
}
