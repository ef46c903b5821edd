/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_INDEX_INDEX_ARENA_H
#define SERVER_INDEX_INDEX_ARENA_H

#include <stddef.h>
#include <stdint.h>

/*
 * Memory for many small blocks that come and go, each known by a number of 32 bits and aligned to
 * ARENA_UNIT. The index has an allocator of its own because a million devices are to fit 200 bytes
 * each: malloc() keeps a header beside each block, a pointer takes twice the room of a number, and
 * a device is to begin at a line of the processor's cache.
 */

#define ARENA_UNIT    64      /* a line of the processor's cache */
#define ARENA_EXACT   64      /* blocks of up to so many units are of any number of units, */
#define ARENA_LARGE   9       /* larger ones of a power of two: of so many */
#define ARENA_SEGMENT 32768   /* units in a segment: the largest block */

struct index_arena {
	uint8_t **segments;
	uint32_t count, room;       /* of segments, and for how many there is room */
	uint32_t next;              /* the first unit of the last segment that was never used */
	uint32_t exact[ARENA_EXACT], large[ARENA_LARGE]; /* freed blocks; 0: none */
	uint64_t any;               /* bit n: exact[n] has some, which are of n + 1 units */
};

/**
 * Allocates @size bytes, zeros, to be freed with free(). What is large is put on
 * large pages: looking up where in memory a small one is takes longer than all else.
 */
void *arena_memory_take(size_t size);

/** Returns a block of @size bytes, of 1 to ARENA_UNIT * ARENA_SEGMENT; 0 without memory. */
uint32_t arena_take(struct index_arena *arena, size_t size);
/** Gives one back, with its size. */
void arena_give(struct index_arena *arena, uint32_t block, size_t size);
/** Returns the bytes of memory that are taken from the system. */
size_t arena_memory(const struct index_arena *arena);
void arena_free(struct index_arena *arena);

/** Returns where a block is. */
static inline void *arena_at(const struct index_arena *arena, uint32_t block)
{
	return arena->segments[block / ARENA_SEGMENT] +
	       (size_t)(block % ARENA_SEGMENT) * ARENA_UNIT;
}

#endif
