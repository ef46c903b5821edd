/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BIOS_PACK_PACK_STEPS_H
#define BIOS_PACK_PACK_STEPS_H

#include <stdbool.h>

#include "bios/pack.h"

#define PACK_PROBABILITIES (sizeof(struct unpack_model) / sizeof(uint16_t))

/* How often each bit was 0 and 1, in the order of struct unpack_model. */
struct pack_counts {
	uint32_t of[PACK_PROBABILITIES][2];
};

struct pack_step {
	uint32_t length; /* bytes; 1 for a literal */
	uint32_t offset; /* of the last match, this step included; 0: there was none */
	bool match;      /* false: a literal */
	bool repeated;   /* the offset is that of the match before */
};

/**
 * Finds the steps that take the fewest bits if bits are as frequent as in @counts.
 * @steps: array of @size; receives each step at the index of the data that it begins at
 */
void pack_find_steps(const uint8_t *data, size_t size, const struct pack_counts *counts,
                     struct pack_step *steps);

#endif
