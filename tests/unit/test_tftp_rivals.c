/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/proto/error.h"
#include "nbp/tftp.h"
#include "tests/unit/tftp_server.h"

/* An attacker who sees no packets of a transfer, but sends in the server's name to our port. */

/* --- a forged answer that comes first ------------------------------------------ */

#define TWIN_PORT 1999

static void twin_says(struct net *net, const void *data, size_t length)
{
	uint32_t delay = net->delay;

	net->delay = 1; /* however slow the server is */
	net_answer(net, 1, TWIN_PORT, data, length);
	net->delay = delay;
}

static void sends_a_short_block(struct net *net)
{
	twin_says(net, "\0\3\0\1" "EVIL", 8);
}

static void sends_a_long_block(struct net *net)
{
	static const uint8_t block[4 + 513] = { 0, 3, 0, 1 };

	twin_says(net, block, sizeof(block));
}

static void says_not_found(struct net *net)
{
	twin_says(net, "\0\5\0\1" "no", 7);
}

static void refuses(struct net *net)
{
	twin_says(net, "\0\5\0\0" "no", 7);
}

static void refuses_options(struct net *net)
{
	twin_says(net, "\0\5\0\x8" "no", 7);
}

/* Sends a whole transfer without seeing a packet. */
static void sends_a_transfer(struct net *net)
{
	twin_says(net, "\0\6blksize\0" "1432\0tsize\0" "4", 23);
	sends_a_short_block(net);
}

static void twins_are_not_the_server(void **state)
{
	static const struct {
		void (*twin)(struct net *net);
		unsigned int hits, requests, plain_requests; /* plain: without options */
	} cases[] = {
		{ sends_a_short_block, 9, 1, 0 },
		{ sends_a_short_block, 1, 1, 2 },
		{ sends_a_long_block, 9, 1, 1 },
		{ says_not_found, 9, 1, 0 },
		{ says_not_found, 1, 1, 2 },
		{ refuses, 9, 1, 0 },
		{ refuses, 2, 1, 3 },
		{ refuses_options, 9, 1, 0 },
		{ refuses_options, 1, 1, 2 },
		{ sends_a_transfer, 1, 2, 0 }, /* no such server sends this: no file */
		{ sends_a_transfer, 2, 3, 0 },
	};

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		struct net *net = net_new(5000);
		unsigned int requests = cases[i / 2].requests;

		net->twin = cases[i / 2].twin;
		net->hits = cases[i / 2].hits;
		net->options = i % 2 == 0;
		net->delay = 100;
		if (!net->options)
			requests = cases[i / 2].plain_requests;
		if (!requests) {
			free(net);
			continue;
		}
		assert_int_equal(net_fetch(net, FILE_MAX), 0);
		assert_int_equal(net->length, 5000);
		for (size_t at = 0; at < net->length; at++)
			assert_int_equal(net->buffer[at], content(at));
		assert_int_equal(net->requests, requests);
		assert_int_equal(net->opened, requests); /* each from a port of its own */
		free(net);
	}
}

static void not_found_each_50_ms(struct platform *p)
{
	struct net *net = (struct net *)p;

	if (net->clock++ % 50 == 0)
		says_not_found(net);
}

/* A repeated answer is uncertain for no longer than a single one. */
static void an_error_is_believed_in_time(void **state)
{
	struct net *net = net_new(5000);

	(void)state;
	net->silent_from = 1;
	net->options = false;
	net->platform.idle = not_found_each_50_ms;
	assert_int_equal(net_fetch(net, FILE_MAX), ERR_NOT_FOUND);
	assert_in_range(net->clock, 250, 400);
	free(net);
}

/* Two servers answer each request: neither is trusted. */
static void rivals_are_refused(void **state)
{
	static void (*const twins[])(struct net *net) = { sends_a_transfer, sends_a_short_block,
		                                          says_not_found, refuses_options };

	(void)state;
	for (size_t i = 0; i < COUNT(twins); i++) {
		struct net *net = net_new(5000);

		net->options = i == 0;
		net->twin = twins[i];
		net->hits = 99;
		assert_int_equal(net_fetch(net, FILE_MAX), ERR_REFUSED);
		assert_int_equal(net->opened, 3);
		assert_in_range(net->clock, 0, 1000);
		free(net);
	}
}

/* A network that duplicates packets makes one server look like two. */
static void a_network_may_repeat(void **state)
{
	struct net *net = net_new(42430);

	(void)state;
	net->network_repeats = true;
	assert_int_equal(net_fetch(net, FILE_MAX), 0);
	assert_int_equal(net->length, 42430);
	assert_int_equal(net->opened, 3); /* the answer was not trusted at once */
	free(net);
}

/* A server that answers a repeated request, too, is no second server. */
static void a_server_may_be_slow(void **state)
{
	struct net *net = net_new(1000);

	(void)state;
	net->delay = 600;
	assert_int_equal(net_fetch(net, FILE_MAX), 0);
	assert_int_equal(net->length, 1000);
	assert_int_equal(net->requests, 2);
	assert_int_equal(net->opened, 1);
	free(net);
}

static void another_server_after_20_s(struct platform *p)
{
	struct net *net = (struct net *)p;

	if (net->clock++ == 20000)
		sends_a_transfer(net);
}

/* The time in all is the same however often the transfer begins again. */
static void a_late_rival_gains_no_time(void **state)
{
	struct net *net = net_new(FILE_MAX);

	(void)state;
	net->delay = 450;
	net->platform.idle = another_server_after_20_s;
	assert_int_equal(net_fetch(net, FILE_MAX), ERR_TIMEOUT);
	assert_int_equal(net->opened, 2);
	assert_in_range(net->clock, TFTP_TOTAL_MS, TFTP_TOTAL_MS + 10);
	free(net);
}

/* --- a crowd ------------------------------------------------------------------ */

static uint32_t dice(struct net *net, uint32_t sides)
{
	net->random = net->random * 1664525 + 1013904223;
	return (net->random >> 8) % sides;
}

/* Sends data of any block or the next one, the end, an error, or wrong options. */
static size_t make_evil(struct net *net, uint8_t *data)
{
	static const char oack[] = "\0\6blksize\0" "512\0tsize\0" "4";
	size_t block = dice(net, 2) ? dice(net, 3) + net->block : dice(net, 0x10000);
	size_t length = 4 + (dice(net, 2) ? net->block_size : dice(net, 600));

	switch (dice(net, 4)) {
	case 0:
		memcpy(data, oack, sizeof(oack));
		return sizeof(oack);
	case 1:
		memcpy(data, "\0\5\0", 3);
		data[3] = (uint8_t)dice(net, 9);
		return 4 + (size_t)snprintf((char *)data + 4, 8, "no") + 1;
	default:
		memset(data, 0xee, length);
		memcpy(data, (uint8_t[]){ 0, 3, (uint8_t)(block >> 8), (uint8_t)block }, 4);
		return length;
	}
}

/* Other hosts send a lot, old blocks are repeated, one datagram comes in the server's name. */
static void crowd(struct net *net)
{
	uint8_t data[2000];
	size_t length = make_evil(net, data), block = net->block;

	switch (dice(net, 6)) {
	case 0:
		net_answer(net, 2, dice(net, 2) ? net->port : TFTP_PORT, data, length);
		break;
	case 1:
		if (block)
			net_send_block(net, 1 + dice(net, (uint32_t)block));
		net->block = block;
		break;
	case 2:
		if (net->spoofs && dice(net, 4) == 0) {
			net->spoofs--;
			net_answer(net, 1, 1999, data, length);
		}
	}
}

/* Nothing of that gets into the file, and most transfers succeed. */
static void a_crowd_does_not_change_the_file(void **state)
{
	unsigned int had = 0, spoofed = 0;

	(void)state;
	for (uint32_t seed = 1; seed <= 300; seed++) {
		struct net *net = net_new(seed % 8 ? seed * 7 % 9000 : seed % 7 * 1432);
		int rc;

		net->random = seed * 2654435761u;
		net->crowd = crowd;
		net->options = dice(net, 3);
		net->refuses_options = dice(net, 5) == 0;
		net->delay = 1 + dice(net, 50);
		net->twice = dice(net, 2);
		net->spoofs = seed % 2;
		if (seed % 2 == 0) /* the server's first packet might be lost */
			net->lose = dice(net, 2) ? 0 : 5 + dice(net, 20);
		rc = net_fetch(net, FILE_MAX);
		spoofed += seed % 2;
		had += seed % 2 && rc == 0;
		if (seed % 2 == 0 && !net->lose && rc)
			fail_msg("seed %u: %s", seed, error_text(rc));
		if (rc == 0 && net->length != net->size)
			fail_msg("seed %u: %zu bytes of %zu", seed, net->length, net->size);
		for (size_t at = 0; rc == 0 && at < net->length; at++)
			if (net->buffer[at] != content(at))
				fail_msg("seed %u: byte %zu", seed, at);
		assert_true(net->clock <= TFTP_TOTAL_MS + 10);
		free(net);
	}
	assert_in_range(had, spoofed / 2, spoofed);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(twins_are_not_the_server),
		cmocka_unit_test(an_error_is_believed_in_time),
		cmocka_unit_test(rivals_are_refused),
		cmocka_unit_test(a_network_may_repeat),
		cmocka_unit_test(a_server_may_be_slow),
		cmocka_unit_test(a_late_rival_gains_no_time),
		cmocka_unit_test(a_crowd_does_not_change_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
