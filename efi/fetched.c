/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/fetched.h"

#include "nbp/proto/error.h"

/*
 * No file ends in this many bytes of the pattern by chance. The pattern differs from one
 * position to the next, so that a file may end in any byte repeated; and it has neither
 * zeros nor ASCII, in which programs and texts end.
 */
#define CHANCE_MAX 8

static uint8_t pattern_at(size_t at)
{
	return (uint8_t)(0x80 | ((uint32_t)at * 0x9e3779b1u) >> 25);
}

void fetched_prepare(void *data, size_t capacity)
{
	for (size_t i = 0; i < capacity; i++)
		((uint8_t *)data)[i] = pattern_at(i);
}

/* Returns where the pattern begins that reaches the end of the buffer. */
static size_t find_pattern(const uint8_t *data, size_t capacity)
{
	while (capacity > 0 && data[capacity - 1] == pattern_at(capacity - 1))
		capacity--;
	return capacity;
}

int fetched_length(const void *data, size_t capacity, uint64_t announced, uint64_t read,
                   size_t *length)
{
	*length = read < capacity ? (size_t)read : find_pattern(data, capacity);
	if (announced == 0)
		return *length != 0 ? 0 : ERR_TRUNCATED;
	/* The last bytes of a whole file may look like the pattern, by chance. */
	if (read == announced && capacity - *length < CHANCE_MAX)
		*length = capacity;
	return *length == announced ? 0 : ERR_TRUNCATED;
}
