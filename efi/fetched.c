/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/fetched.h"

#include "nbp/proto/error.h"

/*
 * So much of the pattern is no file's own end. It differs from place to place,
 * so that a file may end in any byte repeated; and it has neither zeros nor
 * ASCII, in which programs and texts end.
 */
#define SURE 8

static uint8_t pattern(size_t at)
{
	return (uint8_t)(0x80 | ((uint32_t)at * 0x9e3779b1u) >> 25);
}

void fetched_prepare(void *data, size_t room)
{
	for (size_t i = 0; i < room; i++)
		((uint8_t *)data)[i] = pattern(i);
}

/* Returns where the pattern begins that goes on to the end. */
static size_t filled(const uint8_t *data, size_t room)
{
	while (room > 0 && data[room - 1] == pattern(room - 1))
		room--;
	return room;
}

int fetched_length(const void *data, size_t room, uint64_t told, uint64_t read, size_t *length)
{
	*length = read < room ? (size_t)read : filled(data, room);
	if (told == 0)
		return *length != 0 ? 0 : ERR_TRUNCATED;
	/* The last bytes of a whole file may look like the pattern, by chance. */
	if (read == told && room - *length < SURE)
		*length = room;
	return *length == told ? 0 : ERR_TRUNCATED;
}
