/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/cpu.h"
#include "efi/x86/clock_rate.h"
#include "nbp/cpuid.h"
#include "nbp/proto/memory.h"
#include "nbp/x86.h"

#define CPUID_1_ECX_RDRAND (1u << 30)
#define CPUID_CRYSTAL 0x15
#define CPUID_FREQUENCY 0x16
#define DEBUG_PORT 0xE9

uint64_t cpu_counter(void)
{
	return x86_rdtsc();
}

uint32_t cpu_counter_rate(uint64_t measured)
{
	uint32_t highest[4], crystal[4] = { 0 }, frequency[4] = { 0 };

	x86_cpuid(0, highest);
	if (highest[0] >= CPUID_CRYSTAL)
		x86_cpuid(CPUID_CRYSTAL, crystal);
	if (highest[0] >= CPUID_FREQUENCY)
		x86_cpuid(CPUID_FREQUENCY, frequency);
	return clock_rate(measured, crystal, frequency);
}

size_t cpu_random(uint8_t *out, size_t size)
{
	uint32_t regs[4];
	size_t count = 0;

	x86_cpuid(1, regs);
	if (!(regs[2] & CPUID_1_ECX_RDRAND))
		return 0;
	/* Intel's own bound is ten tries a word; a broken unit gives no word at all. */
	for (int tries = 0; tries < 20 && count + sizeof(UINTN) <= size; tries++) {
		UINTN word;
		uint8_t good;

		__asm__ volatile("rdrand %0; setc %1" : "=r"(word), "=qm"(good) : : "cc");
		if (!good)
			continue;
		memcpy(out + count, &word, sizeof(word));
		count += sizeof(word);
	}
	return count;
}

void cpu_describe(struct request *request)
{
	cpuid_describe(x86_cpuid, request);
}

/* The debug console's port reads as its own number; without one it reads as something else. */
void cpu_write_debug(const char *text, size_t length)
{
	if (x86_in8(DEBUG_PORT) != DEBUG_PORT)
		return;
	for (size_t i = 0; i < length; i++)
		x86_out8(DEBUG_PORT, (uint8_t)text[i]);
}

/* --- faults ------------------------------------------------------------------- */

/* #DE #BP #OF #UD #NM #DF #TS #NP #SS #GP #PF #MF #AC #XM, neither NMI nor a debugger's. */
const uint32_t cpu_fault_vectors = 0x000b7dd9;

void cpu_fault_instruction(void)
{
	__asm__ volatile("ud2");
}

void cpu_fault_divide(void)
{
	__asm__ volatile("xor %%edx, %%edx; xor %%eax, %%eax; div %%eax" ::: "eax", "edx");
}
