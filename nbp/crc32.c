/* SPDX-License-Identifier: BSD-2-Clause */
#include "crc32.h"

#define POLYNOMIAL 0xedb88320 /* the bits reversed, as they go over the wire */

uint32_t crc32(const void *data, size_t length)
{
	const uint8_t *at = data;
	uint32_t crc = ~(uint32_t)0;

	while (length--) {
		crc ^= *at++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
	}
	return ~crc;
}
