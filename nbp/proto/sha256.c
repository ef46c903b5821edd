/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/proto/sha256.h"

/* FIPS 180-4 section 4.2.2: fractions of the cube roots of the first 64 primes. */
static const uint32_t constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static inline uint32_t rotate(uint32_t x, unsigned int by)
{
	return x >> by | x << (32 - by);
}

/* Section 6.2.2. The eight variables change places by the round's number
 * instead of being moved, and so do the last 16 words of the schedule. */
static void compress(struct sha256 *sha)
{
	uint32_t words[16], v[8];

	for (unsigned int i = 0; i < 8; i++)
		v[i] = sha->state[i];
	for (unsigned int i = 0; i < 64; i++) {
		const uint8_t *in = sha->block + 4 * (i & 15);
		uint32_t *word = &words[i & 15];
		uint32_t a = v[-i & 7], b = v[(1 - i) & 7], c = v[(2 - i) & 7];
		uint32_t e = v[(4 - i) & 7], f = v[(5 - i) & 7], g = v[(6 - i) & 7];
		uint32_t *h = &v[(7 - i) & 7];

		if (i < 16) {
			*word = (uint32_t)in[0] << 24 | in[1] << 16 | in[2] << 8 | in[3];
		} else {
			uint32_t near = words[(i + 1) & 15], far = words[(i + 14) & 15];

			*word += words[(i + 9) & 15] +
			         (rotate(near, 7) ^ rotate(near, 18) ^ near >> 3) +
			         (rotate(far, 17) ^ rotate(far, 19) ^ far >> 10);
		}
		*h += (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (g ^ (e & (f ^ g))) +
		      constants[i] + *word;
		v[(3 - i) & 7] += *h;
		*h += (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) | (c & (a | b)));
	}
	for (unsigned int i = 0; i < 8; i++)
		sha->state[i] += v[i];
}

void sha256_start(struct sha256 *sha)
{
	static const uint32_t start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		                           0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

	for (int i = 0; i < 8; i++)
		sha->state[i] = start[i];
	sha->length = 0;
}

void sha256_add(struct sha256 *sha, const void *bytes, size_t count)
{
	const uint8_t *from = bytes;

	while (count--) {
		sha->block[sha->length++ % SHA256_BLOCK] = *from++;
		if (sha->length % SHA256_BLOCK == 0)
			compress(sha);
	}
}

void sha256_end(struct sha256 *sha, uint8_t digest[SHA256_SIZE])
{
	uint32_t bits = sha->length * 8;
	uint8_t byte = 0x80;

	do {
		sha256_add(sha, &byte, 1);
		byte = 0;
	} while (sha->length % SHA256_BLOCK != SHA256_BLOCK - 8);
	for (int shift = 56; shift >= 0; shift -= 8) {
		byte = (uint8_t)(shift < 32 ? bits >> shift : 0);
		sha256_add(sha, &byte, 1);
	}
	for (int i = 0; i < SHA256_SIZE; i++)
		digest[i] = (uint8_t)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
}
