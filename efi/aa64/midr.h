/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EFI_AA64_MIDR_H
#define EFI_AA64_MIDR_H

#include "nbp/proto/message.h"

/**
 * Fills @request with what MIDR_EL1 says about an ARM processor (Arm Architecture Reference
 * Manual for A-profile, MIDR_EL1): vendor and name as far as they are known, the part number
 * as the family. Its name is "Cortex-A57 r1p0", or "part 0xd07 r1p0" if we have none.
 */
void midr_describe(uint32_t midr, struct request *request);

#endif
