/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "../../bios/tftp.h"
#include "error.h"
#include "tftp_server.h"

static int fetch(struct net *net, size_t capacity)
{
	int rc = tftp_fetch(&net->platform, &server_69, "pxelinux.0", net->buffer, capacity,
	                    &net->length);

	assert_false(net->open);
	return rc;
}

static void expect_file(struct net *net)
{
	assert_int_equal(fetch(net, FILE_MAX), 0);
	assert_int_equal(net->length, net->size);
	for (size_t i = 0; i < net->size; i++)
		assert_int_equal(net->buffer[i], content(i));
	assert_int_equal(net->errors, 0);
	free(net);
}

static void files_of_every_kind_of_size(void **state)
{
	static const size_t sizes[] = { 0, 1, 511, 512, 513, 1431, 1432, 1433, 42430, FILE_MAX };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct net *net = net_new(sizes[i]);

		expect_file(net);
		net = net_new(sizes[i]);
		net->options = false;
		expect_file(net);
		net = net_new(sizes[i]);
		net->refuses_options = true;
		expect_file(net);
	}
}

static void loss_and_repetition(void **state)
{
	(void)state;
	for (unsigned int lose = 3; lose < 20; lose++) {
		struct net *net = net_new(42430);

		net->lose = lose;
		expect_file(net);
	}
	for (unsigned int twice = 1; twice < 4; twice++) {
		struct net *net = net_new(42430);

		net->twice = twice;
		expect_file(net);
		net = net_new(42430);
		net->twice = twice;
		net->lose = 7;
		expect_file(net);
	}
}

static void each_block_is_acknowledged_once(void **state)
{
	struct net *net = net_new(14320);

	(void)state;
	net->twice = 2;
	assert_int_equal(fetch(net, FILE_MAX), 0);
	assert_int_equal(net->sent, 1 + 1 + 11); /* request, OACK, ten blocks and an empty one */
	free(net);
}

static void strangers_are_not_heard(void **state)
{
	struct net *net = net_new(42430);

	(void)state;
	net->strangers = true;
	expect_file(net);

	net = net_new(42430);
	net->strangers = net->refuses_options = true;
	expect_file(net);
}

/* --- twins: somebody who sees nothing, but hits our port first --------------- */

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

/* A whole transfer, sent blindly. */
static void sends_a_transfer(struct net *net)
{
	twin_says(net, "\0\6blksize\0" "1432\0tsize\0" "4", 23);
	sends_a_short_block(net);
}

static void twins_are_not_the_server(void **state)
{
	static const struct {
		void (*twin)(struct net *net);
		unsigned int hits, requests, plain_requests; /* the latter where it knows no options */
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
		{ sends_a_transfer, 1, 2, 0 }, /* knows more than such a server: no file then */
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
		assert_int_equal(fetch(net, FILE_MAX), 0);
		assert_int_equal(net->length, 5000);
		for (size_t at = 0; at < net->length; at++)
			assert_int_equal(net->buffer[at], content(at));
		assert_int_equal(net->requests, requests);
		assert_int_equal(net->opened, requests); /* each from a port of its own */
		free(net);
	}
}

/* Two servers, to each request: neither is believed. */
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
		assert_int_equal(fetch(net, FILE_MAX), ERR_REFUSED);
		assert_int_equal(net->opened, 3);
		assert_in_range(net->clock, 0, 1000);
		free(net);
	}
}

/* But where a network sends each packet twice, they are one server. */
static void a_network_may_repeat(void **state)
{
	struct net *net = net_new(42430);

	(void)state;
	net->network_repeats = true;
	assert_int_equal(fetch(net, FILE_MAX), 0);
	assert_int_equal(net->length, 42430);
	assert_int_equal(net->opened, 3); /* it was not believed at once */
	free(net);
}

/* Nor is a server a rival of its own that answers a request sent again, too. */
static void a_server_may_be_slow(void **state)
{
	struct net *net = net_new(1000);

	(void)state;
	net->delay = 600;
	assert_int_equal(fetch(net, FILE_MAX), 0);
	assert_int_equal(net->length, 1000);
	assert_int_equal(net->requests, 2);
	assert_int_equal(net->opened, 1);
	free(net);
}

/* --- a crowd ------------------------------------------------------------------ */

static uint32_t dice(struct net *net, uint32_t sides)
{
	net->random = net->random * 1664525 + 1013904223;
	return (net->random >> 8) % sides;
}

/* Data, of any block or the next one; the end, too; or an error, or lies about options. */
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

/* Others send much; old blocks come again; in the server's name comes one datagram. */
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

/* Whatever they all send, it does not get into the file; and it is had, mostly. */
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
		if (seed % 2 == 0) /* loss might be of the server's first word */
			net->lose = dice(net, 2) ? 0 : 5 + dice(net, 20);
		rc = fetch(net, FILE_MAX);
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

/* More blocks than there are numbers. */
static void numbers_go_round(void **state)
{
	const size_t size = 0x10000 * 8 + 20;
	struct net *net = net_new(size);
	uint8_t *file = malloc(size);

	(void)state;
	net->oack = "blksize\0" "8";
	net->oack_length = 10;
	net->agreed = 8;
	net->delay = 0;
	assert_int_equal(tftp_fetch(&net->platform, &server_69, "pxelinux.0", file, size,
	                            &net->length), 0);
	assert_int_equal(net->length, size);
	for (size_t at = 0; at < size; at++)
		assert_int_equal(file[at], content(at));
	free(file);
	free(net);
}

static void ports_are_random(void **state)
{
	struct net *net = net_new(100);
	bool seen[0x10000] = { false };
	unsigned int different = 0, low = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		assert_int_equal(fetch(net, FILE_MAX), 0);
		different += !seen[net->local_port];
		seen[net->local_port] = true;
		low += net->local_port < 0xc000;
	}
	assert_in_range(different, 190, 200);
	assert_in_range(low, 100, 199);
	free(net);
}

static void the_size_told_is_the_size(void **state)
{
	static const struct {
		const char *oack;
		size_t length;
		int rc;
	} cases[] = {
		{ "blksize\0" "1432\0tsize\0" "5000", 24, 0 },
		{ "blksize\0" "1432\0tsize\0" "4999", 24, ERR_TRUNCATED },
		{ "blksize\0" "1432\0tsize\0" "5001", 24, ERR_TRUNCATED },
		{ "tsize\0" "0\0blksize\0" "1432", 21, ERR_TRUNCATED },
		{ "blksize\0" "1432", 13, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct net *net = net_new(5000);

		net->oack = cases[i].oack;
		net->oack_length = cases[i].length;
		assert_int_equal(fetch(net, FILE_MAX), cases[i].rc);
		assert_int_equal(net->errors, cases[i].rc != 0);
		free(net);
	}
}

static void errors_of_the_server(void **state)
{
	static const int expected[] = { ERR_REFUSED, ERR_NOT_FOUND, ERR_REFUSED, ERR_REFUSED };
	struct net *net;

	(void)state;
	for (int error = 0; error < 4; error++) {
		net = net_new(100);
		net->error = error;
		assert_int_equal(fetch(net, FILE_MAX), expected[error]);
		assert_int_equal(net->errors, 0);
		free(net);
	}
	/* One that refuses even a request without options. */
	net = net_new(100);
	net->error = 8;
	assert_int_equal(fetch(net, FILE_MAX), ERR_REFUSED);
	assert_int_equal(net->requests, 2);
	free(net);
}

static void no_more_than_fits(void **state)
{
	struct net *net = net_new(FILE_MAX);

	(void)state;
	assert_int_equal(fetch(net, FILE_MAX - 1), ERR_SPACE); /* told by tsize */
	assert_int_equal(net->length, 0);
	assert_int_equal(net->errors, 1);
	free(net);
	net = net_new(FILE_MAX);
	net->options = false;
	memset(net->buffer, 0xcc, FILE_MAX);
	assert_int_equal(fetch(net, 20000), ERR_SPACE);
	assert_in_range(net->length, 20000 - 512, 20000);
	assert_int_equal(net->buffer[20000], 0xcc);
	assert_int_equal(net->errors, 1);
	free(net);
}

static void time_is_bounded(void **state)
{
	struct net *net;

	(void)state;
	net = net_new(42430); /* silent from the start */
	net->silent_from = 1;
	net->options = false;
	assert_int_equal(fetch(net, FILE_MAX), ERR_TIMEOUT);
	assert_in_range(net->clock, TFTP_SILENCE_MS, TFTP_SILENCE_MS + 10);
	assert_in_range(net->sent, 3, 5);
	free(net);
	net = net_new(42430); /* falls silent */
	net->silent_from = 5;
	assert_int_equal(fetch(net, FILE_MAX), ERR_TIMEOUT);
	assert_in_range(net->clock, TFTP_SILENCE_MS, TFTP_SILENCE_MS + 100);
	assert_int_equal(net->errors, 1);
	free(net);
	net = net_new(42430); /* trickles */
	net->options = false;
	net->delay = 450;
	assert_int_equal(fetch(net, FILE_MAX), ERR_TIMEOUT);
	assert_in_range(net->clock, TFTP_TOTAL_MS, TFTP_TOTAL_MS + 10);
	free(net);
	net = net_new(~(size_t)0); /* never ends */
	net->options = false;
	assert_int_equal(fetch(net, FILE_MAX), ERR_SPACE);
	free(net);
}

static void option_answers(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		int rc;
	} cases[] = {
		{ "blksize\0" "1432\0garbage", 20, 0 },
		{ "\0\0blksize\0" "1432\0", 15, 0 },
		{ "blksize\0" "1432\0unknown\0x\0", 23, 0 },
		{ "blksize\0" "1433\0", 13, ERR_MALFORMED },
		{ "blksize\0" "7\0", 10, ERR_MALFORMED },
		{ "blksize\0" "\0", 9, ERR_MALFORMED },
		{ "blksize\0" "99999999999999\0", 23, ERR_MALFORMED },
		{ "blksize\0" "1432\0tsize\0" "100001\0", 26, ERR_SPACE },
		{ "blksize\0" "1432\0tsize\0" "many\0", 24, 0 },
		/* Not whole, so not agreed: then blocks of 1432 are too long. */
		{ "blksize\0" "1432", 12, ERR_MALFORMED },
		{ "", 0, ERR_MALFORMED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct net *net = net_new(5000);

		net->oack = cases[i].bytes;
		net->oack_length = cases[i].length;
		assert_int_equal(fetch(net, FILE_MAX), cases[i].rc);
		free(net);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_of_every_kind_of_size),
		cmocka_unit_test(loss_and_repetition),
		cmocka_unit_test(each_block_is_acknowledged_once),
		cmocka_unit_test(strangers_are_not_heard),
		cmocka_unit_test(twins_are_not_the_server),
		cmocka_unit_test(rivals_are_refused),
		cmocka_unit_test(a_network_may_repeat),
		cmocka_unit_test(a_server_may_be_slow),
		cmocka_unit_test(a_crowd_does_not_change_the_file),
		cmocka_unit_test(numbers_go_round),
		cmocka_unit_test(ports_are_random),
		cmocka_unit_test(the_size_told_is_the_size),
		cmocka_unit_test(errors_of_the_server),
		cmocka_unit_test(no_more_than_fits),
		cmocka_unit_test(time_is_bounded),
		cmocka_unit_test(option_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
