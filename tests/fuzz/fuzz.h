/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "nbp/platform.h"
#include "nbp/proto/wire.h"

/*
 * What the fuzzers share. Each fuzz_NAME.c has one entry point, which libFuzzer
 * calls with inputs it makes up, and replay.c with those of corpus/NAME/.
 */

/** Feeds one input to the code under test. Always returns 0; dies of what is amiss. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program where @condition does not hold, which a fuzzer takes for a find. */
#define REQUIRE(condition) \
	do { \
		if (!(condition)) \
			fuzz_fail(#condition, __FILE__, __LINE__); \
	} while (0)

void fuzz_fail(const char *condition, const char *file, int line) __attribute__((noreturn));

/**
 * Takes @count bytes of the input, or what is left of it, into memory of exactly
 * that size, so that AddressSanitizer sees every step outside. free() it.
 */
uint8_t *fuzz_take(struct wire *in, size_t count, size_t *taken);

/** Requires a NUL within @size bytes at @text, and only printable ASCII before it. */
void fuzz_require_text(const char *text, size_t size);

/*
 * A platform whose clock moves while the core rests and whose network is what the
 * input says. Embed it first in a structure of the harness.
 */
struct fuzz_net {
	struct platform platform;
	uint32_t clock;
	struct wire script;  /* of what arrives */
	bool open;
	int send_result;
	unsigned int sent;   /* datagrams */
	/**
	 * Makes the next datagram of the script, of at most 1,500 bytes. Returns what
	 * udp_receive() is to: a datagram of 0, or that there is none.
	 */
	int (*next)(struct fuzz_net *net, struct endpoint *from, uint8_t *datagram,
	            size_t *length);
	/** Looks at what is sent; may be NULL. */
	void (*look)(struct fuzz_net *net, const struct endpoint *to, const uint8_t *datagram,
	             size_t length);
};

#define FUZZ_DATAGRAM_MAX 1500

/** Fills the clock, the console, the entropy and the network of net->platform. */
void fuzz_net_start(struct fuzz_net *net);

#endif
