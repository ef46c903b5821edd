/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_CPU_H
#define NBP_CPU_H

#include <stdint.h>

/* What CPUID says of the processor (Intel SDM volume 2A, CPUID). */
struct cpu {
	char brand[64]; /* the brand string, or the vendor's where there is none */
	uint8_t long_mode; /* 1: runs 64-bit code */
};

/**
 * Reads the processor's facts.
 * @cpuid: runs CPUID of a leaf, as in struct platform; leaves above the largest
 *         that leaf 0 or 0x80000000 names are not asked for
 */
void cpu_read(void (*cpuid)(uint32_t leaf, uint32_t regs[4]), struct cpu *cpu);

#endif
