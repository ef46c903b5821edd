/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/index/index_arena.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A block is known by its first unit, counted through all segments. The very first unit
 * is not used, as 0 is no block. */

void *arena_memory_take(size_t size)
{
	static const size_t page = 2 << 20;
	void *memory;

	if (size < page)
		return calloc(1, size);
	size = (size + page - 1) & ~(page - 1);
	memory = aligned_alloc(page, size);
	if (!memory)
		return NULL;
	/* Where there are none, it is slower. */
	madvise(memory, size, MADV_HUGEPAGE);
	memset(memory, 0, size);
	return memory;
}

static uint32_t units_of(size_t size)
{
	uint32_t units = (uint32_t)((size + ARENA_UNIT - 1) / ARENA_UNIT), power = ARENA_EXACT;

	if (units <= ARENA_EXACT)
		return units;
	while (power < units)
		power *= 2;
	return power;
}

/* The list of freed blocks of @units. */
static uint32_t *list_of(struct index_arena *arena, uint32_t units)
{
	unsigned power = 0;

	if (units <= ARENA_EXACT)
		return &arena->exact[units - 1];
	while ((uint32_t)ARENA_EXACT << (power + 1) < units)
		power++;
	return &arena->large[power];
}

static void push(struct index_arena *arena, uint32_t block, uint32_t units)
{
	uint32_t *list = list_of(arena, units);

	memcpy(arena_at(arena, block), list, sizeof(*list));
	*list = block;
	if (units <= ARENA_EXACT)
		arena->any |= (uint64_t)1 << (units - 1);
}

static uint32_t pop(struct index_arena *arena, uint32_t units)
{
	uint32_t *list = list_of(arena, units), block = *list;

	if (block)
		memcpy(list, arena_at(arena, block), sizeof(*list));
	if (!*list && units <= ARENA_EXACT)
		arena->any &= ~((uint64_t)1 << (units - 1));
	return block;
}

/* Takes a freed block of @units, or cuts one off from a larger one. */
static uint32_t reuse(struct index_arena *arena, uint32_t units)
{
	uint32_t block, larger;

	if (units > ARENA_EXACT)
		return pop(arena, units);
	if (!(arena->any >> (units - 1)))
		return 0;
	larger = units + (uint32_t)__builtin_ctzll(arena->any >> (units - 1));
	block = pop(arena, larger);
	if (larger > units)
		push(arena, block + units, larger - units);
	return block;
}

/* Begins a segment. What is left of the last one is kept as if it had been freed. */
static int add_segment(struct index_arena *arena)
{
	uint32_t room = arena->room ? arena->room * 2 : 16;
	uint8_t **segments = arena->segments, *segment;

	if (arena->count == UINT32_MAX / ARENA_SEGMENT - 1)
		return -1;
	if (arena->count == arena->room) {
		segments = realloc(arena->segments, room * sizeof(segments[0]));
		if (!segments)
			return -1;
		arena->segments = segments;
		arena->room = room;
	}
	segment = arena_memory_take((size_t)ARENA_SEGMENT * ARENA_UNIT);
	if (!segment)
		return -1;
	while (arena->count && arena->next < arena->count * ARENA_SEGMENT) {
		uint32_t left = arena->count * ARENA_SEGMENT - arena->next;
		uint32_t units = left < ARENA_EXACT ? left : ARENA_EXACT;

		push(arena, arena->next, units);
		arena->next += units;
	}
	segments[arena->count++] = segment;
	arena->next = (arena->count - 1) * ARENA_SEGMENT;
	return 0;
}

uint32_t arena_take(struct index_arena *arena, size_t size)
{
	uint32_t units = units_of(size), block = reuse(arena, units);

	if (block)
		return block;
	/* The first segment lacks its first unit: the largest block is for the next. */
	while (arena->count == 0 || arena->next + units > arena->count * ARENA_SEGMENT) {
		if (add_segment(arena))
			return 0;
		if (arena->count == 1)
			arena->next = 1;
	}
	block = arena->next;
	arena->next += units;
	return block;
}

void arena_give(struct index_arena *arena, uint32_t block, size_t size)
{
	push(arena, block, units_of(size));
}

size_t arena_memory(const struct index_arena *arena)
{
	return (size_t)arena->count * ARENA_SEGMENT * ARENA_UNIT +
	       arena->room * sizeof(arena->segments[0]);
}

void arena_free(struct index_arena *arena)
{
	for (uint32_t i = 0; i < arena->count; i++)
		free(arena->segments[i]);
	free(arena->segments);
	memset(arena, 0, sizeof(*arena));
}
