/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "nonce.h"

static const char *source;   /* what the firmware's entropy is */
static size_t source_length; /* what it says that it gave */

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
	assert_memory_equal(nonces[0], nonces[1], NONCE_SIZE); /* nothing else is in it */
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

/* One that says it gave more than it was asked for is taken at the size asked. */
static void a_source_that_boasts(void **state)
{
	struct platform p = { .entropy = entropy };
	uint8_t nonce[NONCE_SIZE];

	(void)state;
	source = "0123456789012345678901234567890123456789012345678901234567890123456789";
	source_length = 1000;
	make(&p, nonce);
}

/* Whichever bit of a source differs, each of the nonce's does half the time. */
static void every_bit_is_stirred_into_all(void **state)
{
	static uint8_t packet[240];
	struct platform p = { .entropy = entropy, .machine.dhcp.ack = { packet, sizeof(packet) } };
	unsigned int changes[8 * NONCE_SIZE] = { 0 };
	uint8_t first[NONCE_SIZE], second[NONCE_SIZE];

	(void)state;
	source = "";
	source_length = 0;
	for (uint8_t boot = 0; boot < 32; boot++) {
		packet[0] = boot;
		make(&p, first);
		/* The last bytes are stirred least. */
		for (size_t bit = 8 * (sizeof(packet) - 12); bit < 8 * sizeof(packet); bit++) {
			packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
			make(&p, second);
			packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
			for (size_t i = 0; i < COUNT(changes); i++)
				changes[i] += (first[i / 8] ^ second[i / 8]) >> i % 8 & 1;
		}
	}
	for (size_t i = 0; i < COUNT(changes); i++) /* of 3072; the deviation is 28 */
		assert_in_range(changes[i], 1536 - 170, 1536 + 170);
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
