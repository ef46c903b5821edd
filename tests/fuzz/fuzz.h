/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "nbp/platform.h"
#include "nbp/proto/wire.h"

/*
 * What the fuzzers share. Each fuzz_NAME.c has one entry point, which libFuzzer
 * calls with inputs it makes up, and replay.c with those of corpus/NAME/.
 */

/** Feeds one input to the code under test. Returns 0; any fault ends the program. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program if @condition does not hold, which a fuzzer reports. */
#define REQUIRE(condition) \
	do { \
		if (!(condition)) \
			fuzz_fail(#condition, __FILE__, __LINE__); \
	} while (0)

void fuzz_fail(const char *condition, const char *file, int line) __attribute__((noreturn));

/**
 * Copies @count bytes of the input, or what is left of it, into memory of exactly
 * that size, so that AddressSanitizer finds every access outside. The caller frees it.
 */
uint8_t *fuzz_take(struct wire *in, size_t count, size_t *taken);

/** Requires a NUL within @size bytes at @text, and only printable ASCII before it. */
void fuzz_require_text(const char *text, size_t size);

/*
 * A platform whose clock moves while the core rests and whose network the input
 * drives. It is embedded first in a structure of the harness.
 */
struct fuzz_net {
	struct platform platform;
	uint32_t clock;
	struct wire script;  /* the datagrams that arrive */
	bool open;
	int send_result;
	unsigned int sent;   /* datagrams */
	/**
	 * Makes the next datagram of the script, of at most 1,500 bytes. Returns what
	 * udp_receive() is to: a datagram of 0, or that there is none.
	 */
	int (*next)(struct fuzz_net *net, struct endpoint *from, uint8_t *datagram,
	            size_t *length);
	/** Called for each datagram sent; may be NULL. */
	void (*look)(struct fuzz_net *net, const struct endpoint *to, const uint8_t *datagram,
	             size_t length);
};

#define FUZZ_DATAGRAM_MAX 1500

/** Fills the clock, the console, the entropy and the network of net->platform. */
void fuzz_net_start(struct fuzz_net *net);

#endif
