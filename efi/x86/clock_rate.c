/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/x86/clock_rate.h"

#include <stdbool.h>

/* Ticks a millisecond that a processor with UEFI can have: 100 MHz to 10 GHz. */
#define RATE_MIN 100000
#define RATE_MAX 10000000
#define RATE_DEFAULT 2000000 /* where nothing says it: wrong by a few times at worst */

static bool is_possible(uint64_t rate)
{
	return rate >= RATE_MIN && rate <= RATE_MAX;
}

/* Returns the rate that CPUID reports (Intel SDM, volume 2A): leaf 15h has a crystal's hertz
 * and its multiple, leaf 16h megahertz; 0: neither says it. */
static uint64_t reported_rate(const uint32_t leaf15[4], const uint32_t leaf16[4])
{
	uint64_t rate = 0;

	if (leaf15[0] != 0)
		rate = (uint64_t)leaf15[2] * leaf15[1] / leaf15[0] / 1000;
	if (!is_possible(rate))
		rate = (leaf16[0] & 0xffff) * 1000u;
	return is_possible(rate) ? rate : 0;
}

uint32_t clock_rate(uint64_t measured, const uint32_t leaf15[4], const uint32_t leaf16[4])
{
	uint64_t rate = reported_rate(leaf15, leaf16);

	if (rate != 0 && (measured < rate / 2 || measured > rate * 2))
		return (uint32_t)rate;
	return is_possible(measured) ? (uint32_t)measured : RATE_DEFAULT;
}
