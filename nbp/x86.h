/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_X86_H
#define NBP_X86_H

#include <stdint.h>

/*
 * Instructions of x86, for bios/ and efi/x86/. They are the processor's, not the
 * firmware's; the core itself includes none of them.
 */

static inline void x86_cpuid(uint32_t leaf, uint32_t regs[4])
{
	__asm__ volatile("cpuid"
	                 : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3])
	                 : "a"(leaf), "c"(0));
}

static inline uint64_t x86_rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static inline uint8_t x86_in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void x86_out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

/* Milliseconds by the time stamp counter. */
struct x86_clock {
	uint64_t start;  /* the counter at the NBP's first instruction */
	uint32_t per_ms; /* ticks in a millisecond; 0: not calibrated */
};

/**
 * Returns the milliseconds since clock->start; 0 if not calibrated. It divides by
 * one divl, since a 32-bit program has no 64-bit division without libgcc; the high
 * word is reduced first so that the quotient cannot overflow and trap.
 */
static inline uint32_t x86_clock_ms(const struct x86_clock *clock)
{
	uint64_t ticks = x86_rdtsc() - clock->start;
	uint32_t high = (uint32_t)(ticks >> 32), low = (uint32_t)ticks, quotient;

	if (clock->per_ms == 0)
		return 0;
	high %= clock->per_ms;
	__asm__("divl %2" : "=a"(quotient), "+d"(high) : "r"(clock->per_ms), "0"(low) : "cc");
	return quotient;
}

static inline void x86_pause(void)
{
	__asm__ volatile("pause");
}

#endif
