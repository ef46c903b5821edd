/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/cpuid.h"

#include "nbp/proto/text.h"

enum { EAX, EBX, ECX, EDX };

#define LEAF_VENDOR    0x00000000u
#define LEAF_FAMILY    0x00000001u
#define LEAF_EXTENDED  0x80000000u
#define LEAF_FEATURES  0x80000001u
#define LEAF_BRAND     0x80000002u /* and the two after it */
#define EDX_LONG_MODE  (1u << 29)

/* The extended family is added only to the largest plain one. */
static uint16_t display_family(uint32_t signature)
{
	uint32_t family = signature >> 8 & 0xf;

	return (uint16_t)(family == 0xf ? family + (signature >> 20 & 0xff) : family);
}

void cpuid_describe(void (*cpuid)(uint32_t leaf, uint32_t regs[4]), struct request *request)
{
	uint32_t regs[4], text[12], last;

	cpuid(LEAF_VENDOR, regs);
	last = regs[EAX];
	/* The vendor's twelve letters come in the order EBX, EDX, ECX. */
	text[0] = regs[EBX];
	text[1] = regs[EDX];
	text[2] = regs[ECX];
	text_clean(request->cpu_vendor, sizeof(request->cpu_vendor), text, 12);
	if (last >= LEAF_FAMILY) {
		cpuid(LEAF_FAMILY, regs);
		request->cpu_family = display_family(regs[EAX]);
	}

	cpuid(LEAF_EXTENDED, regs);
	last = regs[EAX];
	/* A processor without extended leaves returns the values of a plain one. */
	if (last < LEAF_FEATURES || last > LEAF_EXTENDED + 0x1000)
		return;
	cpuid(LEAF_FEATURES, regs);
	request->cpu_64bit = (regs[EDX] & EDX_LONG_MODE) != 0;
	if (last < LEAF_BRAND + 2)
		return;
	for (uint32_t i = 0; i < 3; i++)
		cpuid(LEAF_BRAND + i, text + 4 * i);
	text_clean(request->cpu, sizeof(request->cpu), text, sizeof(text));
}
