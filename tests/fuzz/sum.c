/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/proto/crc32.h"

#include <string.h>

/*
 * In place of the core's, which goes bit by bit through 4 KiB: fuzzing with it
 * would take days. What the harnesses make gets sums by the same function.
 */
uint32_t crc32(const void *data, size_t length)
{
	const uint8_t *bytes = data;
	uint32_t sum = (uint32_t)length, word;

	for (size_t at = 0; at + 4 <= length; at += 4) {
		memcpy(&word, bytes + at, 4);
		sum = (sum ^ word) * 0x9e3779b1 + 1;
	}
	return sum;
}
