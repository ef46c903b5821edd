/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/proto/error.h"
#include "nbp/tftp.h"
#include "tests/unit/tftp_server.h"

static void expect_file(struct net *net)
{
	assert_int_equal(net_fetch(net, FILE_MAX), 0);
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
	assert_int_equal(net_fetch(net, FILE_MAX), 0);
	assert_int_equal(net->sent, 1 + 1 + 11); /* request, OACK, ten blocks and an empty one */
	free(net);
}

static void unknowns_are_not_heard(void **state)
{
	struct net *net = net_new(42430);

	(void)state;
	net->unknowns = true;
	expect_file(net);

	net = net_new(42430);
	net->unknowns = net->refuses_options = true;
	expect_file(net);
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
		assert_int_equal(net_fetch(net, FILE_MAX), 0);
		different += !seen[net->local_port];
		seen[net->local_port] = true;
		low += net->local_port < 0xc000;
	}
	assert_in_range(different, 190, 200);
	assert_in_range(low, 100, 199);
	free(net);
}

static void the_size_announced_is_the_size(void **state)
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
		assert_int_equal(net_fetch(net, FILE_MAX), cases[i].rc);
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
		assert_int_equal(net_fetch(net, FILE_MAX), expected[error]);
		assert_int_equal(net->errors, 0);
		free(net);
	}
	/* A server that refuses even a request without options. */
	net = net_new(100);
	net->error = 8;
	assert_int_equal(net_fetch(net, FILE_MAX), ERR_REFUSED);
	assert_int_equal(net->requests, 2);
	free(net);
}

static void no_more_than_fits(void **state)
{
	struct net *net = net_new(FILE_MAX);

	(void)state;
	assert_int_equal(net_fetch(net, FILE_MAX - 1), ERR_SPACE); /* known by tsize */
	assert_int_equal(net->length, 0);
	assert_int_equal(net->errors, 1);
	free(net);
	net = net_new(FILE_MAX);
	net->options = false;
	memset(net->buffer, 0xcc, FILE_MAX);
	assert_int_equal(net_fetch(net, 20000), ERR_SPACE);
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
	assert_int_equal(net_fetch(net, FILE_MAX), ERR_TIMEOUT);
	assert_in_range(net->clock, TFTP_SILENCE_MS, TFTP_SILENCE_MS + 10);
	assert_in_range(net->sent, 3, 5);
	free(net);
	net = net_new(42430); /* falls silent */
	net->silent_from = 5;
	assert_int_equal(net_fetch(net, FILE_MAX), ERR_TIMEOUT);
	assert_in_range(net->clock, TFTP_SILENCE_MS, TFTP_SILENCE_MS + 100);
	assert_int_equal(net->errors, 1);
	free(net);
	net = net_new(42430); /* sends slowly */
	net->options = false;
	net->delay = 450;
	assert_int_equal(net_fetch(net, FILE_MAX), ERR_TIMEOUT);
	assert_in_range(net->clock, TFTP_TOTAL_MS, TFTP_TOTAL_MS + 10);
	free(net);
	net = net_new(~(size_t)0); /* never ends */
	net->options = false;
	assert_int_equal(net_fetch(net, FILE_MAX), ERR_SPACE);
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
		/* An incomplete OACK sets no block size, so blocks of 1432 are too long. */
		{ "blksize\0" "1432", 12, ERR_MALFORMED },
		{ "", 0, ERR_MALFORMED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct net *net = net_new(5000);

		net->oack = cases[i].bytes;
		net->oack_length = cases[i].length;
		assert_int_equal(net_fetch(net, FILE_MAX), cases[i].rc);
		free(net);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_of_every_kind_of_size),
		cmocka_unit_test(loss_and_repetition),
		cmocka_unit_test(each_block_is_acknowledged_once),
		cmocka_unit_test(unknowns_are_not_heard),
		cmocka_unit_test(numbers_go_round),
		cmocka_unit_test(ports_are_random),
		cmocka_unit_test(the_size_announced_is_the_size),
		cmocka_unit_test(errors_of_the_server),
		cmocka_unit_test(no_more_than_fits),
		cmocka_unit_test(time_is_bounded),
		cmocka_unit_test(option_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
