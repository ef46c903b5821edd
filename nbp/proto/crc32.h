/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_PROTO_CRC32_H
#define NBP_PROTO_CRC32_H

#include <stddef.h>
#include <stdint.h>

/**
 * Returns the CRC-32 of ISO 3309, Ethernet, GPT and zlib, of @length bytes at @data.
 * It is computed four bits at a time: the usual table would cost an NBP 1 KiB.
 */
uint32_t crc32(const void *data, size_t length);

#endif
