/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_PROTO_POWER_ON_H
#define NBP_PROTO_POWER_ON_H

#include <stdint.h>

/*
 * The record of what was decided in this power-on. A boot order may hold several
 * network entries, and each starts the NBP again; so the NBP leaves a record where a
 * reset wipes it. The agent finds in it the server and the token of its job.
 */

#define POWER_ON_SIZE 16 /* bytes of a record; nbp/boot.md lays them out */

enum power_on_state {
	POWER_ON_LOCAL = 1,     /* the local disk is to boot */
	POWER_ON_HANDED_OVER = 2, /* a loader was given the machine */
};

struct power_on {
	uint8_t state;     /* enum power_on_state */
	uint8_t server[4]; /* the policy server that answered; zeros: none */
	uint8_t token[8];  /* the token of the job; zeros: no job */
};

/** Writes @power_on as a record. */
void power_on_encode(const struct power_on *power_on, uint8_t record[POWER_ON_SIZE]);

/** Reads a record. Returns 0, or ERR_NOT_FOUND if the bytes are no record. */
int power_on_decode(struct power_on *power_on, const uint8_t record[POWER_ON_SIZE]);

#endif
