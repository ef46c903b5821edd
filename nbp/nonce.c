/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/nonce.h"

#include "nbp/proto/memory.h"

#define ROUNDS 12

static uint32_t rotate(uint32_t value, int bits)
{
	return value << bits | value >> (32 - bits);
}

/* Mixes all 128 bits by additions, rotations and exclusive ors. */
static void permute(uint32_t s[4])
{
	for (int i = 0; i < ROUNDS; i++) {
		s[0] += s[1];
		s[3] = rotate(s[3] ^ s[0], 16);
		s[2] += s[3];
		s[1] = rotate(s[1] ^ s[2], 12);
		s[0] += s[1];
		s[3] = rotate(s[3] ^ s[0], 8);
		s[2] += s[3];
		s[1] = rotate(s[1] ^ s[2], 7);
		s[0] ^= (uint32_t)i; /* the rounds differ */
	}
}

/* Mixes @size bytes, and their number, into the state. */
static void absorb(uint32_t state[4], const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	state[3] ^= (uint32_t)size;
	for (size_t done = 0; done < size; done += 12) {
		uint8_t block[12] = { 0 };

		memcpy(block, at + done, size - done < sizeof(block) ? size - done : sizeof(block));
		for (int i = 0; i < 12; i++)
			state[i / 4] ^= (uint32_t)block[i] << 8 * (i % 4);
		permute(state);
	}
	permute(state);
}

void nonce_make(struct platform *p, uint8_t nonce[NONCE_SIZE])
{
	/* Any start value would do but zero, which an empty input would leave unchanged. */
	uint32_t state[4] = { 0x4f504250, 0x6e6f6e63, 0x65000001, 0x9e3779b9 };
	uint8_t seed[64];
	size_t got = p->entropy(p, seed, sizeof(seed));

	absorb(state, seed, got <= sizeof(seed) ? got : sizeof(seed));
	absorb(state, p->machine.mac, sizeof(p->machine.mac));
	absorb(state, p->machine.dhcp.discover.data, p->machine.dhcp.discover.length);
	absorb(state, p->machine.dhcp.ack.data, p->machine.dhcp.ack.length);
	if (!(state[0] | state[1] | state[2] | state[3]))
		state[0] = 1;
	for (int i = 0; i < NONCE_SIZE; i++)
		nonce[i] = (uint8_t)(state[i / 4] >> 8 * (i % 4));
}
