/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_INDEX_INDEX_TABLE_H
#define SERVER_INDEX_INDEX_TABLE_H

#include <stddef.h>
#include <stdint.h>

/*
 * A hash table of numbers that are not 0, with open addressing. It knows their hashes and not what
 * they stand for: its user compares that. A number may be in it several times, with the same hash
 * or others. The index has a table of its own because a device is found by four kinds of keys, at
 * 8 bytes each: in a library's chains of pointers they would take most of the 200 bytes that a
 * device may have.
 */
struct index_table {
	struct index_slot {
		uint32_t number; /* 0: free */
		uint32_t hash;
	} *slots;
	uint32_t size, used;
};

/** Makes room for @count numbers in all. Returns 0, or ERR_SPACE: all is as before. */
int index_table_reserve(struct index_table *table, size_t count);
void index_table_free(struct index_table *table);

/** Adds a number. Returns 0 or ERR_SPACE. */
int index_table_add(struct index_table *table, uint32_t hash, uint32_t number);
/** Removes it, once; harmless if it is not there. */
void index_table_remove(struct index_table *table, uint32_t hash, uint32_t number);

/** Returns the slot, if any, at which the search for @hash begins. */
static inline uint32_t index_table_home(const struct index_table *table, uint32_t hash)
{
	return (uint32_t)(((uint64_t)hash * table->size) >> 32);
}

/**
 * Goes through the numbers added with @hash, 0 behind the last.
 * @slot: index_table_home() for the first, then as it was left
 */
static inline uint32_t index_table_next(const struct index_table *table, uint32_t hash,
                                        uint32_t *slot)
{
	if (!table->size)
		return 0;
	for (;;) {
		const struct index_slot *at = &table->slots[*slot];

		*slot = *slot + 1 == table->size ? 0 : *slot + 1;
		if (!at->number || at->hash == hash)
			return at->number;
	}
}

#endif
