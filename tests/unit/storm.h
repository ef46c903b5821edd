/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_STORM_H
#define TESTS_UNIT_STORM_H

#include <stddef.h>
#include <stdint.h>

#include "nbp/proto/message.h"

/*
 * Datagrams as a hostile or broken network brings them: sound ones of a site's
 * machines and of unknown machines, the golden vectors, noise, and all of these damaged.
 * The same seed gives the same ones.
 */

#define STORM_MACHINES 200 /* devices of storm_site(); there are as many unknown machines */
#define STORM_VECTORS  8

struct storm {
	uint64_t random;
	uint64_t jobs[2 * STORM_MACHINES]; /* what each machine was offered last */
	uint8_t vectors[STORM_VECTORS][MESSAGE_MAX];
	size_t lengths[STORM_VECTORS];
	/* What mutations take from: the last datagram made. */
	uint8_t last[MESSAGE_MAX + 1];
	size_t last_length;
};

/** SQL that fills an empty database with machines that have jobs, and rules and more. */
extern const char storm_site[];

void storm_start(struct storm *storm, uint64_t seed);

/** Returns a number below @bound. */
uint32_t storm_below(struct storm *storm, uint32_t bound);

/** Writes the next datagram of at most MESSAGE_MAX + 1 bytes to @out. Returns its length. */
size_t storm_next(struct storm *storm, uint8_t *out);

/**
 * Requires that @reply is what may be sent to a datagram: no longer, of the type
 * that answers it, sound, with its nonce and sequence. Learns from it what was offered.
 */
void storm_check(struct storm *storm, const uint8_t *data, size_t length, const uint8_t *reply,
                 size_t reply_length);

#endif
