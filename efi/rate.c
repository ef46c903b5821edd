/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/rate.h"

#include <stdbool.h>

/* What a processor with UEFI can have, in ticks a millisecond: 100 MHz to 10 GHz. */
#define RATE_MIN 100000
#define RATE_MAX 10000000
#define RATE_LIKELY 2000000 /* where nobody tells: by a few times wrong, at worst */

static bool possible(uint64_t rate)
{
	return rate >= RATE_MIN && rate <= RATE_MAX;
}

/* Intel SDM, volume 2A, CPUID: a crystal's hertz and its multiple, else megahertz. */
static uint64_t told(const uint32_t leaf15[4], const uint32_t leaf16[4])
{
	uint64_t rate = 0;

	if (leaf15[0] != 0)
		rate = (uint64_t)leaf15[2] * leaf15[1] / leaf15[0] / 1000;
	if (!possible(rate))
		rate = (leaf16[0] & 0xffff) * 1000u;
	return possible(rate) ? rate : 0;
}

uint32_t rate_per_ms(uint64_t measured, const uint32_t leaf15[4], const uint32_t leaf16[4])
{
	uint64_t rate = told(leaf15, leaf16);

	if (rate != 0 && (measured < rate / 2 || measured > rate * 2))
		return (uint32_t)rate;
	return possible(measured) ? (uint32_t)measured : RATE_LIKELY;
}
