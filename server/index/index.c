/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/index/index.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "nbp/proto/error.h"
#include "server/index/index_internal.h"

/* The index as a whole: its hashes, beginning and end. */

/* --- hashes ---------------------------------------------------------------- */

/* Multiplies to 128 bits and folds. The seed makes each index's hashes its own. */
static uint32_t hash(const struct index *index, uint64_t a, uint64_t b)
{
	unsigned __int128 wide = (unsigned __int128)(a ^ index->seed[0]) * (b ^ index->seed[1]);
	uint64_t folded = (uint64_t)wide ^ (uint64_t)(wide >> 64);

	wide = (unsigned __int128)(folded ^ index->seed[1]) * 0x9e3779b97f4a7c15u;
	return (uint32_t)(wide >> 64) ^ (uint32_t)(wide >> 32);
}

uint32_t index_hash_id(const struct index *index, uint32_t id)
{
	return hash(index, id, 0);
}

uint32_t index_hash_mac(const struct index *index, const uint8_t mac[MAC_SIZE])
{
	uint64_t a = 0;

	memcpy(&a, mac, MAC_SIZE);
	return hash(index, a, 0);
}

uint32_t index_hash_uuid(const struct index *index, const uint8_t uuid[UUID_SIZE])
{
	uint64_t halves[2];

	memcpy(halves, uuid, sizeof(halves));
	return hash(index, halves[0], halves[1]);
}

/* --- from start to end ----------------------------------------------------- */

struct index *index_new(void)
{
	struct index *index = calloc(1, sizeof(*index));

	if (!index)
		return NULL;
	index->catalog = calloc(1, sizeof(*index->catalog));
	if (!index->catalog) {
		free(index);
		return NULL;
	}
	settings_default(&index->catalog->settings);
	/* Without randomness, before the system has any, it is an index all the same. */
	if (getrandom(index->seed, sizeof(index->seed), GRND_NONBLOCK) < 0)
		index->seed[0] = (uintptr_t)index;
	return index;
}

void index_free(struct index *index)
{
	if (!index)
		return;
	index_table_free(&index->ids);
	index_table_free(&index->macs);
	index_table_free(&index->uuids);
	index_table_free(&index->isds);
	arena_free(&index->arena);
	catalog_free(index->catalog);
	free(index);
}

const struct catalog *index_catalog(const struct index *index)
{
	return index->catalog;
}

void index_set_state(struct index *index, uint64_t multicast, enum session_state state)
{
	struct catalog *catalog = index->catalog;

	for (size_t i = 0; i < catalog->multicast_count; i++)
		if (catalog->multicasts[i].id == multicast)
			catalog->multicasts[i].state = state;
}

size_t index_count(const struct index *index)
{
	return index->count;
}

size_t index_memory(const struct index *index)
{
	size_t slots = (size_t)index->ids.size + index->macs.size + index->uuids.size +
	               index->isds.size;

	return slots * sizeof(struct index_slot) + arena_memory(&index->arena);
}

const char *index_warnings(const struct index *index)
{
	return index->warnings.text;
}
