/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu.h"

#include "memory.h"
#include "text.h"

enum { EAX, EBX, ECX, EDX };

#define CPUID_VENDOR    0x00000000u
#define CPUID_EXTENDED  0x80000000u
#define CPUID_FEATURES  0x80000001u
#define CPUID_BRAND     0x80000002u /* and the two after it */
#define EDX_LONG_MODE   (1u << 29)

void cpu_read(void (*cpuid)(uint32_t leaf, uint32_t regs[4]), struct cpu *cpu)
{
	uint32_t regs[4], brand[12], last;

	memset(cpu, 0, sizeof(*cpu));
	cpuid(CPUID_EXTENDED, regs);
	last = regs[EAX];
	if (last >= CPUID_FEATURES && last < CPUID_EXTENDED + 0x1000) {
		cpuid(CPUID_FEATURES, regs);
		cpu->long_mode = (regs[EDX] & EDX_LONG_MODE) != 0;
	}
	if (last >= CPUID_BRAND + 2 && last < CPUID_EXTENDED + 0x1000) {
		for (uint32_t i = 0; i < 3; i++)
			cpuid(CPUID_BRAND + i, brand + 4 * i);
		text_clean(cpu->brand, sizeof(cpu->brand), brand, sizeof(brand));
	}
	if (!cpu->brand[0]) {
		/* The vendor's twelve letters come in the order EBX, EDX, ECX. */
		cpuid(CPUID_VENDOR, regs);
		brand[0] = regs[EBX];
		brand[1] = regs[EDX];
		brand[2] = regs[ECX];
		text_clean(cpu->brand, sizeof(cpu->brand), brand, 12);
	}
}
