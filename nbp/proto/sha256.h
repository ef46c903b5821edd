/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_PROTO_SHA256_H
#define NBP_PROTO_SHA256_H

#include <stddef.h>
#include <stdint.h>

/*
 * SHA-256 (FIPS 180-4) for the NBP's few hundred bytes, small rather than fast.
 * Programs of the server use a library.
 */

#define SHA256_SIZE  32 /* bytes of a digest */
#define SHA256_BLOCK 64

struct sha256 {
	uint32_t state[8];
	uint32_t length; /* bytes so far; below 2^29 */
	uint8_t block[SHA256_BLOCK];
};

void sha256_start(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *bytes, size_t count);
/** Writes the digest of all bytes added; @sha cannot be used after that. */
void sha256_end(struct sha256 *sha, uint8_t digest[SHA256_SIZE]);

#endif
