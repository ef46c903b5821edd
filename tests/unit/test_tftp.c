/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "../../bios/tftp.h"
#include "error.h"

#define QUEUE 8
#define FILE_MAX 100000

static const struct endpoint server_69 = { { 10, 0, 0, 1 }, TFTP_PORT };

/* A TFTP server, the network to it, and a clock that moves while the client rests. */
struct net {
	struct platform platform; /* first: the operations cast back */
	uint32_t clock;
	bool open;
	unsigned int requests, sent, errors;
	/* how the server is: */
	size_t size;              /* of its file; ~0: never ends */
	bool options;             /* knows of them */
	bool refuses_options;     /* with error 8 */
	const char *oack;         /* sends these bytes for an OACK */
	size_t oack_length;
	int error;                /* it answers with, or -1 */
	uint16_t silent_from;     /* block; 0: never */
	unsigned int twice;       /* sends all data so many times more */
	unsigned int lose;        /* one in so many packets is lost, either way; 0: none */
	uint32_t delay;           /* ms, of each answer */
	bool strangers;           /* others send too */
	/* its transfer: */
	size_t block_size;
	uint16_t port;
	unsigned int count;       /* of packets, for lose */
	struct {
		uint32_t at;
		uint16_t port;
		uint8_t address;
		uint8_t data[2000];
		size_t length;
	} queue[QUEUE];
	size_t queued;
	uint8_t buffer[FILE_MAX];
	size_t length;
};

static struct net *net_of(struct platform *p)
{
	return (struct net *)p;
}

static uint8_t content(size_t at)
{
	return (uint8_t)(at * 7 + at / 251);
}

static uint32_t now(struct platform *p)
{
	return net_of(p)->clock;
}

static void idle(struct platform *p)
{
	net_of(p)->clock++;
}

static size_t entropy(struct platform *p, void *buffer, size_t size)
{
	(void)p;
	memset(buffer, 0x33, size);
	return size;
}

static int udp_open(struct platform *p, uint16_t local_port)
{
	assert_false(net_of(p)->open);
	assert_in_range(local_port, 0xc000, 0xffff);
	net_of(p)->open = true;
	return 0;
}

static void udp_close(struct platform *p)
{
	assert_true(net_of(p)->open);
	net_of(p)->open = false;
}

static bool lost(struct net *net)
{
	return net->lose && ++net->count % net->lose == 0;
}

static void answer(struct net *net, uint8_t address, uint16_t port, const void *data, size_t length)
{
	if (net->queued == QUEUE || lost(net))
		return;
	net->queue[net->queued].at = net->clock + net->delay;
	net->queue[net->queued].address = address;
	net->queue[net->queued].port = port;
	memcpy(net->queue[net->queued].data, data, length);
	net->queue[net->queued].length = length;
	net->queued++;
}

static void send_block(struct net *net, uint16_t block)
{
	uint8_t data[4 + 1432] = { 0, 3, (uint8_t)(block >> 8), (uint8_t)block };
	size_t start = (size_t)(block - 1) * net->block_size, count = net->block_size;

	if (net->silent_from && block >= net->silent_from)
		return;
	if (start > net->size)
		return; /* that was an ACK of the last block */
	if (count > net->size - start)
		count = net->size - start;
	for (size_t i = 0; i < count; i++)
		data[4 + i] = content(start + i);
	for (unsigned int i = 0; i <= net->twice; i++)
		answer(net, 1, net->port, data, 4 + count);
	if (net->strangers) {
		memset(data + 4, 0xee, count);
		answer(net, 2, net->port, data, 4 + count);                    /* another host */
		answer(net, 1, (uint16_t)(net->port + 1), data, 4 + count); /* and port */
		answer(net, 1, net->port, "\0\4\0\1", 4);                  /* not for a reader */
		answer(net, 1, net->port, "", 1);
	}
}

static void send_oack(struct net *net)
{
	char data[100] = { 0, 6 };
	size_t length = 2;

	if (net->oack) {
		memcpy(data + 2, net->oack, net->oack_length);
		length += net->oack_length;
	} else {
		length += (size_t)snprintf(data + 2, 90, "BLKSIZE%c1432%ctsize%c%zu", 0, 0, 0,
		                           net->size) + 1;
	}
	net->block_size = 1432;
	answer(net, 1, net->port, data, length);
}

static void request(struct net *net, const uint8_t *data, size_t length)
{
	bool options = length > 2 + sizeof("pxelinux.0") + sizeof("octet");
	uint8_t error[] = { 0, 5, 0, (uint8_t)net->error, 'n', 'o', 0 };

	assert_memory_equal(data + 2, "pxelinux.0\0octet", 17);
	if (options)
		assert_memory_equal(data + 19, "blksize\0" "1432\0tsize\0" "0", 21);
	net->port = (uint16_t)(2000 + net->requests++);
	net->block_size = 512;
	if (net->strangers) { /* which of its ports it is must not be learnt from these */
		answer(net, 1, 1999, "\0\3\0\5late", 8);
		if (!options)
			answer(net, 1, 1999, "\0\6blksize\0" "8", 12);
	}
	if (options && net->refuses_options)
		error[3] = 8;
	else if (net->error < 0) {
		if (options && (net->options || net->oack))
			send_oack(net);
		else
			send_block(net, 1);
		return;
	}
	answer(net, 1, net->port, error, sizeof(error));
}

static int udp_send(struct platform *p, const struct endpoint *to, const void *packet,
                    size_t length)
{
	struct net *net = net_of(p);
	const uint8_t *data = packet;

	assert_true(net->open);
	assert_memory_equal(to->address, server_69.address, 4);
	net->sent++;
	if (data[1] == 5)
		net->errors++;
	if (lost(net))
		return 0;
	if (to->port == TFTP_PORT)
		request(net, data, length);
	else if (to->port == net->port && data[1] == 4)
		send_block(net, (uint16_t)((data[2] << 8 | data[3]) + 1));
	return 0;
}

static int udp_receive(struct platform *p, struct endpoint *from, void *buffer, size_t capacity,
                       size_t *length)
{
	struct net *net = net_of(p);

	assert_true(net->open);
	if (net->queued == 0 || net->queue[0].at > net->clock)
		return ERR_AGAIN;
	*from = (struct endpoint){ { 10, 0, 0, net->queue[0].address }, net->queue[0].port };
	*length = net->queue[0].length;
	if (*length <= capacity)
		memcpy(buffer, net->queue[0].data, *length);
	memmove(net->queue, net->queue + 1, --net->queued * sizeof(net->queue[0]));
	return *length <= capacity ? 0 : ERR_AGAIN;
}

static struct net *net_new(size_t size)
{
	struct net *net = calloc(1, sizeof(*net));

	net->platform = (struct platform){
		.now = now, .idle = idle, .entropy = entropy, .udp_open = udp_open,
		.udp_close = udp_close, .udp_send = udp_send, .udp_receive = udp_receive,
	};
	net->size = size;
	net->options = true;
	net->error = -1;
	net->delay = 1;
	return net;
}

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
		cmocka_unit_test(errors_of_the_server),
		cmocka_unit_test(no_more_than_fits),
		cmocka_unit_test(time_is_bounded),
		cmocka_unit_test(option_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
