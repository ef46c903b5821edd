/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/nonce.h"

static const char *source;   /* the firmware's entropy */
static size_t source_length; /* the number of bytes that it says it has given */

static size_t entropy(struct platform *p, void *buffer, size_t size)
{
	size_t length = strlen(source);

	(void)p;
	memcpy(buffer, source, length < size ? length : size);
	return source_length;
}

static void make(struct platform *p, uint8_t nonce[NONCE_SIZE])
{
	static const uint8_t zeros[NONCE_SIZE];

	nonce_make(p, nonce);
	assert_memory_not_equal(nonce, zeros, NONCE_SIZE);
}

/* Each source alone makes two machines, or two boots, differ. */
static void every_source_counts(void **state)
{
	static const uint8_t packet[] = "xid 1", other[] = "xid 2";
	struct platform p = { .entropy = entropy };
	uint8_t nonces[6][NONCE_SIZE];

	(void)state;
	source = "";
	source_length = 0;
	make(&p, nonces[0]);
	make(&p, nonces[1]);
	assert_memory_equal(nonces[0], nonces[1], NONCE_SIZE); /* nothing else is mixed in */
	p.machine.mac[5] = 1;
	make(&p, nonces[1]);
	p.machine.dhcp.discover = (struct span){ packet, sizeof(packet) };
	make(&p, nonces[2]);
	p.machine.dhcp.discover.data = other;
	make(&p, nonces[3]);
	p.machine.dhcp.ack = (struct span){ packet, sizeof(packet) };
	make(&p, nonces[4]);
	source = "thirteen bytes";
	source_length = 13;
	make(&p, nonces[5]);
	for (size_t i = 0; i < COUNT(nonces); i++)
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(nonces[i], nonces[j], NONCE_SIZE);
}

/* A source that reports more than the buffer holds counts for the buffer alone. */
static void a_source_that_boasts(void **state)
{
	struct platform p = { .entropy = entropy };
	uint8_t nonce[NONCE_SIZE];

	(void)state;
	source = "0123456789012345678901234567890123456789012345678901234567890123456789";
	source_length = 1000;
	make(&p, nonce);
}

/*
 * If one bit of a source differs, each bit of the nonce differs half of the time. Each
 * pair of bits is counted by itself, since pairs that hardly ever change and pairs that
 * nearly always do would balance. Everything absorbed is permuted at least twice, so with
 * ROUNDS 1, where pairs reach 35 and 220, the test fails, while 2 rounds are as even as
 * 12. That nobody can reverse the permutation, for which the others are, cannot be counted.
 */
static void every_bit_is_stirred_into_all(void **state)
{
	static unsigned int changes[96][8 * NONCE_SIZE];
	static uint8_t packet[240];
	struct platform p = { .entropy = entropy, .machine.dhcp.ack = { packet, sizeof(packet) } };
	uint8_t first[NONCE_SIZE], second[NONCE_SIZE];
	/* The last block is mixed least. */
	uint8_t *block = packet + sizeof(packet) - COUNT(changes) / 8;

	(void)state;
	source = "";
	source_length = 0;
	for (unsigned int boot = 0; boot < 256; boot++) {
		packet[0] = (uint8_t)boot;
		make(&p, first);
		for (size_t bit = 0; bit < COUNT(changes); bit++) {
			block[bit / 8] ^= (uint8_t)(1 << bit % 8);
			make(&p, second);
			block[bit / 8] ^= (uint8_t)(1 << bit % 8);
			for (size_t i = 0; i < COUNT(changes[0]); i++)
				changes[bit][i] += (first[i / 8] ^ second[i / 8]) >> i % 8 & 1;
		}
	}
	for (size_t bit = 0; bit < COUNT(changes); bit++)
		for (size_t i = 0; i < COUNT(changes[0]); i++) /* of 256; the deviation is 8 */
			assert_in_range(changes[bit][i], 128 - 60, 128 + 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_source_counts),
		cmocka_unit_test(a_source_that_boasts),
		cmocka_unit_test(every_bit_is_stirred_into_all),
	};

	return cmocka_run_group_tests_name("nonce", tests, NULL, NULL);
}
