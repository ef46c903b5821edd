/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/port.h"
#include "nbp/cpuid.h"
#include "nbp/proto/memory.h"

void cpuid_read(uint32_t leaf, uint32_t regs[4])
{
	if (entry_cpuid)
		x86_cpuid(leaf, regs);
	else
		memset(regs, 0, 4 * sizeof(regs[0]));
}

void cpuid_describe_cpu(struct request *request)
{
	cpuid_describe(cpuid_read, request);
}
