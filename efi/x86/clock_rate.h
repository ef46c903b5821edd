/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EFI_X86_CLOCK_RATE_H
#define EFI_X86_CLOCK_RATE_H

#include <stdint.h>

/*
 * How fast the time stamp counter runs. It is our only clock and must move, or no wait
 * would ever end. No firmware is called here.
 */

/**
 * Returns the counter's ticks a millisecond, never 0.
 * @measured: the ticks during a firmware's millisecond; a firmware that does not wait, or
 *            waits far too long, is not believed
 * @leaf15: EAX to EDX of CPUID's leaf 15h; zeros where there is none
 * @leaf16: likewise of leaf 16h
 */
uint32_t clock_rate(uint64_t measured, const uint32_t leaf15[4], const uint32_t leaf16[4]);

#endif
