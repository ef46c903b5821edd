/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_HARDWARE_H
#define NBP_HARDWARE_H

#include "message.h"
#include "platform.h"

/**
 * Puts into @request, which is all zero, what the machine is: the port's facts,
 * SMBIOS and CPUID.
 */
void hardware_describe(struct platform *p, struct request *request);

#endif
