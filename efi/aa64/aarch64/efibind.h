/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef AARCH64_EFIBIND_H
#define AARCH64_EFIBIND_H

/*
 * GNU-EFI's headers ask for this file, which Debian has in the package of an ARM64 machine alone.
 * All types have the sizes that they have on x64; without GNU_EFI_USE_MS_ABI calls are plain.
 */
#include <x86_64/efibind.h>

#endif
