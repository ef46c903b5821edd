/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/tftp_reader.h"

#include "tests/unit/unit.h"

#include "nbp/proto/error.h"
#include "nbp/tftp.h"

/* --- by unicast ------------------------------------------------------------------------ */

static void test_the_request(void **state)
{
	static const uint8_t by_multicast[] = "\0\1grub.efi\0octet\0blksize\0" "1432\0multicast\0";
	char name[256] = "";

	(void)state;
	for (int multicast = 0; multicast < 2; multicast++) {
		struct reader *t = reader_new(CAPACITY);
		/* The string's own NUL is the value of the last option. */
		size_t length = multicast ? sizeof(by_multicast) : sizeof(by_multicast) - 11;

		reader_error(t, 1);
		tftp_read(t->reading, "grub.efi", multicast, 50000);
		assert_int_equal(t->fake.ports[0], 50000);
		assert_int_equal(t->fake.sent_count, 1);
		assert_int_equal(t->fake.sent[0].length, length);
		assert_memory_equal(t->fake.sent[0].data, by_multicast, length);
		reader_list_sent(t);
		assert_string_equal(t->sent, " R");
		reader_free(t);
	}
	for (int i = 0; i < 2; i++) {
		struct reader *t = reader_new(CAPACITY);

		memset(name, 'n', 255);
		reader_error(t, 1);
		tftp_read(t->reading, name, true, 50000);
		assert_int_equal(t->fake.sent[0].length, 2 + 256 + sizeof(by_multicast) - 11);
		assert_string_equal(t->fake.sent[0].data + 2, name);
		assert_memory_equal(t->fake.sent[0].data + 258, by_multicast + 11,
		                    sizeof(by_multicast) - 11);
		reader_free(t);
	}
}

static void test_files_of_every_kind_of_size(void **state)
{
	static const size_t sizes[] = { 0, 1, 511, 512, 513, 1024, 1431, 1432, 1433, 42430, CAPACITY };
	static const struct {
		const char *oack;
		size_t length;
		uint32_t size;
	} servers[] = {
		{ NULL, 0, 512 },
		{ "blksize\0" "1432", 13, 1432 },
		{ "blksize\0" "512", 12, 512 },
		{ "BLKSIZE\0" "1428", 13, 1428 },
		{ "tsize\0" "9\0blksize\0" "600", 20, 600 },
		{ "tsize\0" "9", 8, 512 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(sizes) * COUNT(servers); i++) {
		struct reader *t = reader_new(CAPACITY);

		t->fake.server = reader_serve;
		t->file = sizes[i / COUNT(servers)];
		t->oack = servers[i % COUNT(servers)].oack;
		t->oack_length = servers[i % COUNT(servers)].length;
		t->size = servers[i % COUNT(servers)].size;
		assert_int_equal(reader_read(t), 0);
		assert_int_equal(t->acks, t->file / t->size + 1 + (t->oack != NULL));
		assert_int_equal(t->joins, 0);
		t->fake.sent_count = t->fake.inbox_count = t->fake.inbox_taken = 0;
		t->sent[0] = '\0';
		assert_int_equal(t->reading->length, t->file);
		for (size_t at = 0; at < t->file; at++)
			assert_int_equal(t->reading->data[at], reader_content(at));
		reader_free(t);
	}
}

static void test_the_last_block_is_acknowledged(void **state)
{
	struct reader *t = reader_new(CAPACITY);

	(void)state;
	reader_block(t, 1, 512);
	reader_block(t, 2, 512);
	reader_block(t, 3, 0);
	reader_expect_file(t, 1024, " R A1 A2 A3");
}

static void test_a_packet_that_cannot_be_sent_is_lost(void **state)
{
	struct reader *t = reader_new(CAPACITY);

	(void)state;
	t->fake.send_result = ERR_IO;
	t->ms = 3000;
	reader_block(t, 1, 10);
	reader_expect_file(t, 10, " R R A1");
}

/* Blocks of 8 bytes: numbers up to the last one that there is. */
static void test_as_many_blocks_as_numbers(void **state)
{
	static const size_t lengths[] = { 65534 * 8 + 3, 65534 * 8, 65533 * 8 + 1 };

	(void)state;
	for (size_t i = 0; i < COUNT(lengths) + 1; i++) {
		struct reader *t = reader_new(65535 * 8);

		t->fake.server = reader_serve;
		t->alone = true;
		t->oack = "blksize\0" "8";
		t->oack_length = 10;
		t->size = 8;
		t->file = i < COUNT(lengths) ? lengths[i] : 65535 * 8;
		if (i == COUNT(lengths)) { /* a block more than that */
			assert_int_equal(reader_read(t), ERR_TIMEOUT);
			reader_free(t);
			continue;
		}
		assert_int_equal(reader_read(t), 0);
		assert_int_equal(t->reading->length, t->file);
		for (size_t at = 0; at < t->file; at++)
			assert_int_equal(t->reading->data[at], reader_content(at));
		reader_free(t);
	}
}

static void test_blocks_that_are_no_use(void **state)
{
	static const uint8_t longer[4 + 513] = { 0, 3, 0, 1, 0xee };
	struct reader *t = reader_new(CAPACITY);

	(void)state;
	reader_block(t, 2, 512);
	reader_say(t, longer, sizeof(longer)); /* than agreed */
	reader_block(t, 1, 1432); /* as long as any packet may be */
	reader_block(t, 0, 512);
	reader_block(t, 0, 10);
	t->alone = true; /* the twins are too many for the network */
	reader_block(t, 1, 512);
	reader_block(t, 1, 512);
	reader_block(t, 4, 512);
	reader_block(t, 2, 512);
	reader_block(t, 5, 77);
	reader_block(t, 3, 512);
	reader_expect_file(t, 2048 + 77, " R A2 A5");
}

static void test_no_more_than_fits(void **state)
{
	static const struct {
		uint32_t capacity, number, count;
		int rc;
	} cases[] = {
		{ 1024 + 10, 3, 10, 0 },
		{ 1024 + 10, 3, 11, ERR_SPACE },
		{ 1024 + 10, 3, 512, ERR_SPACE },
		{ 1024, 3, 0, 0 },
		{ 1024, 3, 1, ERR_SPACE },
		{ 1024, 4, 0, ERR_SPACE },
		{ 1024, 65535, 512, ERR_SPACE },
		{ 1024, 65535, 0, ERR_SPACE },
	};
	struct reader *t;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		t = reader_new(cases[i].capacity);
		reader_block(t, 1, 512);
		reader_block(t, 2, 512);
		reader_block(t, cases[i].number, cases[i].count);
		reader_expect(t, cases[i].rc, cases[i].rc ? " R A1 A2 E" : " R A1 A2 A3");
		reader_free(t);
	}
	t = reader_new(0);
	reader_block(t, 1, 0);
	reader_expect_file(t, 0, " R A1");
	t = reader_new(0);
	reader_block(t, 1, 1);
	reader_expect(t, ERR_SPACE, " R E");
	reader_free(t);
}

/* --- by multicast ---------------------------------------------------------------------- */

#define GROUP      "multicast\0" "239.1.2.3,1758,"
#define MASTER     GROUP "1\0"
#define LISTENER   GROUP "0\0"
#define NOW_MASTER "multicast\0,,1\0"
#define NO_MASTER  "multicast\0,,0\0"

static void expect_joined(const struct reader *t)
{
	assert_int_equal(t->joins, 1);
	assert_memory_equal(t->group, ((uint8_t[]){ 239, 1, 2, 3 }), 4);
	assert_int_equal(t->group_port, 1758);
}

static void test_the_master_acknowledges(void **state)
{
	struct reader *t = reader_new(CAPACITY);

	(void)state;
	OACK(MASTER);
	reader_block(t, 1, 512);
	reader_block(t, 2, 20);
	assert_int_equal(reader_read(t), 0);
	expect_joined(t);
	t->fake.inbox_count = t->fake.inbox_taken = 0;
	assert_string_equal(t->sent, " R A0 A1 A2");
	assert_int_equal(t->reading->length, 532);
	reader_free(t);
}

/* Between its blocks there is time in which a master would repeat its last ACK. */
static void test_a_listener_says_nothing(void **state)
{
	struct reader *t = reader_new(CAPACITY);

	(void)state;
	OACK(LISTENER "blksize\0" "1432\0");
	t->size = 1432;
	t->ms = 4000;
	reader_block(t, 3, 5);
	t->ms = 8000;
	reader_block(t, 1, 1432);
	OACK(NO_MASTER);
	t->ms = 12000;
	reader_block(t, 2, 1432);
	reader_expect_file(t, 2864 + 5, " R E");
}

static void test_a_listener_is_made_master(void **state)
{
	struct reader *t = reader_new(CAPACITY);

	(void)state;
	OACK(LISTENER);
	reader_block(t, 1, 512);
	reader_block(t, 2, 512);
	reader_block(t, 4, 512);
	t->ms = 3000;
	OACK(NOW_MASTER);
	t->alone = true;
	OACK(NOW_MASTER); /* the ACK was lost */
	reader_block(t, 3, 512); /* block 4 came before */
	reader_block(t, 5, 5);
	reader_expect_file(t, 2053, " R A2 A2 A4 A5");
}

static void test_a_listener_gets_its_group_once(void **state)
{
	struct reader *t = reader_new(CAPACITY);

	(void)state;
	OACK(LISTENER);
	OACK(MASTER);
	OACK("multicast\0" "239.9.9.9,99,1\0");
	OACK(NOW_MASTER);
	reader_block(t, 1, 0);
	assert_int_equal(reader_read(t), 0);
	expect_joined(t);
	assert_string_equal(t->sent, " R A0 A0 A0 A1");
	reader_free(t);
}

/* Another client is master from then on, and acknowledges for all. */
static void test_a_master_is_made_listener(void **state)
{
	struct reader *t = reader_new(CAPACITY);

	(void)state;
	OACK(MASTER);
	reader_block(t, 1, 512);
	OACK(NO_MASTER);
	t->ms = 4000;
	reader_block(t, 2, 512);
	reader_block(t, 3, 1);
	reader_expect_file(t, 1025, " R A0 A1 E");
}

static void test_a_group_that_cannot_be_joined(void **state)
{
	struct reader *t = reader_new(CAPACITY);

	(void)state;
	t->join_result = ERR_UNSUPPORTED;
	OACK(MASTER);
	reader_expect(t, ERR_UNSUPPORTED, " R E");
	reader_free(t);
}

static void test_no_socket(void **state)
{
	struct reader *t = reader_new(CAPACITY);

	(void)state;
	t->fake.open_result = ERR_IO;
	reader_expect(t, ERR_IO, "");
	assert_int_equal(t->fake.clock, 0);
	reader_free(t);
}

/* --- answers that break the rules --------------------------------------------------------- */

struct option_case {
	const char *text;
	size_t length;
	unsigned int joins;
	uint32_t size; /* of a block; 0: the answer is refused */
};

#define ROW(text, joins, size) { text, sizeof(text) - 1, joins, size }

static const struct option_case option_cases[] = {
	ROW("blksize\0" "8\0", 0, 8),
	ROW("blksize\0" "1432\0", 0, 1432),
	ROW("blksize\0" "0\0", 0, 0),
	ROW("blksize\0" "7\0", 0, 0),
	ROW("blksize\0" "1433\0", 0, 0),
	ROW("blksize\0" "4294967808\0", 0, 0), /* 512 in 32 bits */
	ROW("blksize\0" "18446744073709552128\0", 0, 0), /* 512 in 64 bits */
	ROW("blksize\0" "many\0", 0, 0),
	ROW("blksize\0" "512x\0", 0, 0),
	ROW("blksize\0" "-8\0", 0, 0),
	ROW("blksize\0\0", 0, 0),
	ROW("blksize\0", 0, 0),
	ROW("blksize", 0, 0),
	ROW("bl", 0, 0),
	ROW("\0\0", 0, 512),
	ROW("\0\0\0", 0, 512),
	ROW("tsize\0" "700", 0, 512),
	ROW(MASTER, 1, 512),
	ROW(GROUP "1", 1, 512),
	ROW("MultiCast\0" "239.1.2.3,1758,1\0", 1, 512),
	ROW("blksize\0" "600\0" MASTER, 1, 600),
	ROW(MASTER "blksize\0" "600", 1, 600),
	ROW(MASTER "blksize\0" "7", 1, 0),
	ROW("multicast\0" "0.0.0.0,65535,1\0", 1, 512), /* it is the port that refuses it */
	ROW("multicast\0" "239.1.2.3,65536,1\0", 0, 0),
	ROW("multicast\0" "239.1.2.3,0,1\0", 0, 0),
	ROW("multicast\0" "239.1.2.3,,1\0", 0, 0),
	ROW("multicast\0" "239.1.2.3,-1,1\0", 0, 0),
	ROW("multicast\0" "239.1.2.3\0", 0, 0),
	ROW("multicast\0" "239.1.2.3", 0, 0),
	ROW("multicast\0" "239.1.2.3,", 0, 0),
	ROW("multicast\0" "239.1.2,1758,1\0", 0, 0),
	ROW("multicast\0" "239.1.2.256,1758,1\0", 0, 0),
	ROW("multicast\0" "239.1.2.3.4,1758,1\0", 0, 0),
	ROW("multicast\0" "group,1758,1\0", 0, 0),
	ROW("multicast\0,,1\0", 0, 0), /* no group was named before */
	ROW("multicast\0", 0, 0),
	ROW("multicast", 0, 0),
	ROW("mu", 0, 0),
};

static void test_options(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(option_cases); i++) {
		const struct option_case *row = &option_cases[i];
		struct reader *t = reader_new(CAPACITY);

		reader_oack(t, row->text, row->length);
		t->size = row->size;
		if (row->size) {
			reader_block(t, 1, row->size);
			reader_block(t, 2, 1);
			reader_expect(t, 0, " R A0 A1 A2");
			assert_int_equal(t->reading->length, row->size + 1);
		} else {
			reader_expect(t, ERR_MALFORMED, " R E");
		}
		assert_int_equal(t->joins, row->joins);
		reader_free(t);
	}
}

/* A text that fills the whole packet and has no end: nothing behind the packet is looked at. */
static void test_options_that_fill_a_packet(void **state)
{
	static const char *const ends[] = { "m", "multicast", "multicast\0" "239.1.2.3,1758,",
		                            "blksize", "x" };
	static const size_t lengths[] = { 1, 9, 25, 7, 1 };

	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++) {
		uint8_t data[TFTP_HEADER + TFTP_BLOCK_MAX] = { 0, 6 };
		struct reader *t = reader_new(CAPACITY);

		/* What the longest packet leaves behind its header. */
		memset(data + 2, 'x', sizeof(data) - 2);
		memcpy(data + sizeof(data) - lengths[i], ends[i], lengths[i]);
		data[sizeof(data) - lengths[i] - 1] = 0;
		reader_say(t, data, sizeof(data));
		reader_block(t, 1, 0);
		assert_int_equal(reader_read(t), i == 2 || i == 4 ? 0 : ERR_MALFORMED);
		/* A group without a last word is one that this client only listens to. */
		assert_string_equal(t->sent, i == 4 ? " R A0 A1" : " R E");
		reader_free(t);
	}
}

/* What an earlier, longer datagram left is no part of a text that is cut. */
static void test_a_cut_text_after_a_longer_datagram(void **state)
{
	struct reader *t = reader_new(CAPACITY);
	uint8_t longer[600];

	(void)state;
	memset(longer, '1', sizeof(longer));
	reader_come(t, 2, PORT, longer, sizeof(longer));
	OACK("multicast\0" "239.1.2.3,1758"); /* it does not say who is master */
	reader_block(t, 1, 10);
	reader_expect_file(t, 10, " R E");
}

/* --- the end, in time ------------------------------------------------------------------ */

static void test_errors_of_the_server(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		struct reader *t = reader_new(CAPACITY);
		int moment = i / 2;

		if (moment == 3)
			OACK(LISTENER);
		else if (moment > 0)
			OACK(MASTER);
		if (moment > 1)
			reader_block(t, 1, 512);
		reader_error(t, i % 2);
		reader_block(t, 1 + (moment > 1), 0);
		reader_expect(t, i % 2 ? ERR_NOT_FOUND : ERR_REFUSED,
		       (const char *[]){ " R", " R A0", " R A0 A1", " R" }[moment]);
		reader_free(t);
	}
}

static void expect_times(const struct reader *t, uint32_t second, uint32_t third)
{
	assert_in_range(t->fake.sent[second].at, 2000, 2010);
	assert_in_range(t->fake.sent[third].at, 4000, 4020);
	assert_in_range(t->fake.clock, TFTP_SILENCE_MS, TFTP_SILENCE_MS + 10);
}

static void test_a_silent_server(void **state)
{
	struct reader *t = reader_new(CAPACITY);

	(void)state;
	reader_expect(t, ERR_TIMEOUT, " R R R");
	expect_times(t, 1, 2);
	reader_free(t);

	t = reader_new(CAPACITY); /* only others speak */
	t->ms = 4000;
	reader_come(t, 2, PORT, "\0\3\0\1evil", 8);
	reader_come(t, 2, PORT, "\0\5\0\1", 4);
	reader_come(t, 1, PORT, "\0\3\0", 3);
	reader_come(t, 1, PORT, "", 0);
	reader_expect(t, ERR_TIMEOUT, " R R R");
	assert_in_range(t->fake.clock, TFTP_SILENCE_MS, TFTP_SILENCE_MS + 10);
	reader_free(t);

	t = reader_new(CAPACITY); /* it falls silent */
	reader_block(t, 1, 512);
	reader_expect(t, ERR_TIMEOUT, " R A1 A1 A1 E");
	expect_times(t, 2, 3);
	reader_free(t);

	t = reader_new(CAPACITY);
	OACK(LISTENER);
	reader_block(t, 1, 512);
	reader_expect(t, ERR_TIMEOUT, " R E");
	reader_free(t);
}

/* A block that comes again and again is no progress; an answer to the request is none either. */
static void test_a_server_that_repeats(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct reader *t = reader_new(CAPACITY);

		t->alone = true;
		reader_block(t, 1, 512);
		for (t->ms = 500; t->ms < 9000; t->ms += 500) {
			if (i == 0)
				reader_block(t, 1, 512);
			else
				OACK("tsize\0" "1\0");
		}
		assert_int_equal(reader_read(t), ERR_TIMEOUT);
		assert_in_range(t->fake.clock, TFTP_SILENCE_MS, TFTP_SILENCE_MS + 10);
		reader_free(t);
	}
}

static int alternate(struct platform *p, struct endpoint *from, void *buffer, size_t capacity,
                     size_t *length)
{
	struct fake *fake = (struct fake *)p;

	(void)capacity;
	fake->clock += 100;
	*from = (struct endpoint){ { 10, 0, 0, 1 }, PORT };
	memset(buffer, 0, 516);
	((uint8_t *)buffer)[1] = 3;
	((uint8_t *)buffer)[3] = fake->clock / 100 % 2 + 1;
	*length = 516;
	return 0;
}

static void test_a_server_that_alternates(void **state)
{
	struct reader *t = reader_new(CAPACITY);

	(void)state;
	t->fake.platform.udp_receive = alternate;
	assert_int_equal(reader_read(t), ERR_TIMEOUT);
	assert_in_range(t->fake.clock, 60000, 60200);
	assert_int_equal(t->sent[strlen(t->sent) - 1], 'E');
	reader_free(t);
}

/* A server as slow as any may be: no block takes long, but all of them do. */
static void test_a_slow_server(void **state)
{
	struct reader *t = reader_new(CAPACITY);

	(void)state;
	t->alone = true;
	for (uint32_t i = 1; i < 20; i++) {
		t->ms = i * 4900;
		reader_block(t, i, 512);
	}
	assert_int_equal(reader_read(t), ERR_TIMEOUT);
	assert_in_range(t->fake.clock, 60000, 60010);
	assert_int_equal(t->fake.inbox_taken, 12);
	reader_free(t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_request),
		cmocka_unit_test(test_files_of_every_kind_of_size),
		cmocka_unit_test(test_the_last_block_is_acknowledged),
		cmocka_unit_test(test_a_packet_that_cannot_be_sent_is_lost),
		cmocka_unit_test(test_as_many_blocks_as_numbers),
		cmocka_unit_test(test_blocks_that_are_no_use),
		cmocka_unit_test(test_no_more_than_fits),
		cmocka_unit_test(test_the_master_acknowledges),
		cmocka_unit_test(test_a_listener_says_nothing),
		cmocka_unit_test(test_a_listener_is_made_master),
		cmocka_unit_test(test_a_listener_gets_its_group_once),
		cmocka_unit_test(test_a_master_is_made_listener),
		cmocka_unit_test(test_a_group_that_cannot_be_joined),
		cmocka_unit_test(test_no_socket),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_options_that_fill_a_packet),
		cmocka_unit_test(test_a_cut_text_after_a_longer_datagram),
		cmocka_unit_test(test_errors_of_the_server),
		cmocka_unit_test(test_a_silent_server),
		cmocka_unit_test(test_a_server_that_repeats),
		cmocka_unit_test(test_a_server_that_alternates),
		cmocka_unit_test(test_a_slow_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
