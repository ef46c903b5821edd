/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_CPUID_H
#define NBP_CPUID_H

#include "nbp/proto/message.h"

/**
 * Fills @request with what CPUID says about an x86 processor (Intel SDM volume 2A,
 * CPUID): brand, vendor, display family, and whether it runs 64-bit code.
 * @cpuid: runs CPUID of a leaf and stores EAX, EBX, ECX, EDX; it is not called for leaves
 *         above the largest one that leaf 0 or 0x80000000 names
 */
void cpuid_describe(void (*cpuid)(uint32_t leaf, uint32_t regs[4]), struct request *request);

#endif
