/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_CPU_H
#define NBP_CPU_H

#include "nbp/proto/message.h"

/**
 * Fills @request with what CPUID says about the processor (Intel SDM volume 2A,
 * CPUID): brand, vendor, display family, and whether it runs 64-bit code.
 * @cpuid: runs CPUID of a leaf, as in struct platform; it is not called for leaves
 *         above the largest one that leaf 0 or 0x80000000 names
 */
void cpu_describe(void (*cpuid)(uint32_t leaf, uint32_t regs[4]), struct request *request);

#endif
