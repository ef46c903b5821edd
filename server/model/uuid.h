/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_MODEL_UUID_H
#define SERVER_MODEL_UUID_H

#include <stdbool.h>
#include <stdint.h>

/* Which UUIDs identify a machine, and what is known against those that may not. */

enum uuid_state {
	UUID_FREE,    /* nothing is known against it */
	UUID_SHARED,  /* it came with MACs of machines that are, or may be, different ones */
	UUID_IGNORED, /* the administrator says that it identifies nobody */
	UUID_ALLOWED, /* the administrator says that it is one machine's, with any MAC */
};

struct uuid_record {
	uint8_t uuid[16];
	enum uuid_state state;
	int64_t time; /* Unix time: since when */
};

/* The names of states, by value; NULL past the last. */
extern const char *const uuid_state_names[];

/** Returns the name of a state, in static memory. */
const char *uuid_state_name(enum uuid_state state);
/** Finds a state by its name. Returns 0 or ERR_NOT_FOUND. */
int uuid_state_parse(const char *name, enum uuid_state *state);

/**
 * Says whether @uuid identifies a machine: not all bytes the same, no pattern, and not one
 * of the constants that manufacturers forget to fill in, in either byte order.
 */
bool device_uuid_ok(const uint8_t uuid[16]);

/** Writes @uuid in the other byte order: some firmware and tools give its first 8 bytes so. */
void device_uuid_swap(const uint8_t uuid[16], uint8_t swapped[16]);

#endif
