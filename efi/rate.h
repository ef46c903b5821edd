/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EFI_RATE_H
#define EFI_RATE_H

#include <stdint.h>

/*
 * How fast the time stamp counter runs: our only clock, which must move, or no
 * wait would ever end. No firmware is called here.
 */

/**
 * Returns the counter's ticks a millisecond, never 0.
 * @measured: the ticks that a firmware's millisecond took. One that does not
 *            wait, or for far too long, is not believed
 * @leaf15: CPUID's leaf 15h, EAX to EDX; zeros where there is none
 * @leaf16: and 16h
 */
uint32_t rate_per_ms(uint64_t measured, const uint32_t leaf15[4], const uint32_t leaf16[4]);

#endif
