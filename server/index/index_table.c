/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/index/index_table.h"

#include <stdlib.h>

#include "nbp/proto/error.h"
#include "server/index/index_arena.h"

#define SIZE_MIN 16

static uint32_t following(const struct index_table *table, uint32_t slot)
{
	return slot + 1 == table->size ? 0 : slot + 1;
}

/* Puts a number in, of which there is room. */
static void insert(struct index_table *table, uint32_t hash, uint32_t number)
{
	uint32_t slot = index_table_home(table, hash);

	while (table->slots[slot].number)
		slot = following(table, slot);
	table->slots[slot].number = number;
	table->slots[slot].hash = hash;
	table->used++;
}

int index_table_reserve(struct index_table *table, size_t count)
{
	/* At most three quarters full, so that a search takes few steps. */
	size_t size = count + count / 3 + 1;
	struct index_table larger = { 0 };

	if (size <= table->size)
		return 0;
	if (size < SIZE_MIN)
		size = SIZE_MIN;
	if (size > UINT32_MAX)
		return ERR_SPACE;
	larger.size = (uint32_t)size;
	larger.slots = arena_memory_take(size * sizeof(larger.slots[0]));
	if (!larger.slots)
		return ERR_SPACE;
	for (uint32_t i = 0; i < table->size; i++)
		if (table->slots[i].number)
			insert(&larger, table->slots[i].hash, table->slots[i].number);
	free(table->slots);
	*table = larger;
	return 0;
}

void index_table_free(struct index_table *table)
{
	free(table->slots);
	table->slots = NULL;
	table->size = table->used = 0;
}

int index_table_add(struct index_table *table, uint32_t hash, uint32_t number)
{
	/* Room grows by half of what there is, as copying takes time. */
	size_t used = table->used;

	if (used + 1 > (size_t)table->size * 3 / 4 &&
	    index_table_reserve(table, used + used / 2 + 1))
		return ERR_SPACE;
	insert(table, hash, number);
	return 0;
}

void index_table_remove(struct index_table *table, uint32_t hash, uint32_t number)
{
	uint32_t hole, slot;

	if (!table->size)
		return;
	hole = index_table_home(table, hash);
	while (table->slots[hole].number != number || table->slots[hole].hash != hash) {
		if (!table->slots[hole].number)
			return;
		hole = following(table, hole);
	}
	/* A search must not end at the hole before what is behind it: that moves up,
	 * unless its search begins behind the hole. */
	for (slot = following(table, hole); table->slots[slot].number;
	     slot = following(table, slot)) {
		uint32_t home = index_table_home(table, table->slots[slot].hash);
		uint32_t reach = slot >= home ? slot - home : slot + table->size - home;
		uint32_t back = slot >= hole ? slot - hole : slot + table->size - hole;

		if (reach < back)
			continue;
		table->slots[hole] = table->slots[slot];
		hole = slot;
	}
	table->slots[hole].number = 0;
	table->used--;
}
