/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>

/*
 * The compiler calls this for each division of 64-bit numbers. That of libgcc takes its arguments
 * otherwise than our functions, some of which are in registers.
 */
uint64_t __udivdi3(uint64_t dividend, uint64_t divisor);

/* Bit by bit, as on paper; a division by 0 gives all ones. */
uint64_t __udivdi3(uint64_t dividend, uint64_t divisor)
{
	uint64_t quotient = 0, rest = 0;

	for (int bit = 63; bit >= 0; bit--) {
		rest = rest << 1 | (dividend >> bit & 1);
		quotient <<= 1;
		if (rest >= divisor) {
			rest -= divisor;
			quotient |= 1;
		}
	}
	return quotient;
}
