/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/site.h"

#include <arpa/inet.h>

#include "nbp/platform.h"
#include "nbp/proto/message_fields.h"

/* Requests that are answered without decoding them, and how much a network may ask. */

/* Spends what the log allows for known devices: what would be logged is decoded. */
static void silence(struct bench *bench)
{
	struct journal *journal = &bench->server.journal;

	journal->kind[JOURNAL_KNOWN].allowance = INT64_MIN / 2;
}

/* Has the next request noted or not, as if so many had been lately. */
static void spend_notes(struct bench *bench, bool spent)
{
	bench->server.requests_full = spent ? INT64_MAX / 2 : 0;
}

/* Says whether slot 0 is answered at a glance; where not, it is answered all the same. */
static bool is_fast(struct bench *bench)
{
	struct datagram *d = &bench->batch[0];
	struct timestamp timestamp = at(bench->now);
	struct request_peek peek;
	bool fast;

	assert_int_equal(writer_follow(&bench->writer), 0);
	bench->serving.timestamp = &timestamp;
	d->reply_length = 0;
	peek_request(d->data, d->length, &peek);
	fast = serve_fast(&bench->serving, d, &peek, NULL);
	if (!fast)
		serve(bench, 1);
	return fast;
}

static void test_second_is_fast(void **state)
{
	struct bench *bench = *state;

	silence(bench);
	for (int i = 0; i < 3; i++) {
		put(bench, 0, MESSAGE_REQUEST, 3, 'a');
		assert_int_equal(is_fast(bench), i > 0);
	}
	/* Another boot is news, once. */
	put(bench, 0, MESSAGE_REQUEST, 3, 'b');
	assert_false(is_fast(bench));
	assert_true(is_fast(bench));
	assert_int_equal(number_of(bench, "SELECT count(*) FROM event WHERE step = 'request'"), 2);
	/* So is another minute. */
	bench->now += 60;
	assert_false(is_fast(bench));
	assert_true(is_fast(bench));
	/* Where nothing can be kept, news are skipped, and counted. */
	spend_notes(bench, true);
	put(bench, 0, MESSAGE_REQUEST, 3, 'c');
	assert_true(is_fast(bench));
	assert_int_equal(counted(bench).history_lost, 1);
	spend_notes(bench, false);
	assert_false(is_fast(bench));
	assert_int_equal(number_of(bench, "SELECT count(*) FROM event WHERE step = 'request'"), 3);
	assert_int_equal(counted(bench).answered[ANSWERED_LOCAL], 9);
	assert_int_equal(counted(bench).asked[ASKED_REQUEST], 9);
}

static void test_what_is_logged_is_not_fast(void **state)
{
	struct bench *bench = *state;

	for (int i = 0; i < 3; i++) {
		put(bench, 0, MESSAGE_REQUEST, 3, 'a');
		assert_false(is_fast(bench));
	}
}

/* The same answer to the byte, for each setting that is in it. */
static void test_same_answer(void **state)
{
	static const char *const settings[] = {
		"DELETE FROM setting",
		"INSERT INTO setting VALUES ('global', 0, 'menu-mode', 'always')",
		"INSERT INTO setting VALUES ('global', 0, 'menu-file', 'a/long/name.txt')",
		"INSERT INTO setting VALUES ('device', 3, 'hot-key', 'f')",
		"INSERT INTO setting VALUES ('device', 3, 'hot-key-wait', '0')",
		"INSERT INTO setting VALUES ('global', 0, 'answer-validity', '65535')",
		"INSERT INTO setting VALUES ('global', 0, 'local-boot-bios', 'int18')",
		"INSERT INTO setting VALUES ('global', 0, 'local-boot-uefi', 'entry')",
		"INSERT INTO setting VALUES ('global', 0, 'tftp-multicast', 'yes')",
		"UPDATE device SET name = 'a-name-of-sixty-three-characters-as-long-as-one-can-be-"
		"in-here-x' WHERE id = 3",
	};
	struct bench *bench = *state;
	struct datagram *d = &bench->batch[0], slow;

	silence(bench);
	for (size_t i = 0; i < COUNT(settings); i++) {
		meddle(bench, settings[i]);
		for (uint8_t firmware = FIRMWARE_BIOS; firmware <= FIRMWARE_UEFI; firmware++) {
			struct message message = { .type = MESSAGE_REQUEST, .sequence = 77 };

			put(bench, 0, MESSAGE_REQUEST, 3, 'a');
			message.u.request.identity =
				(struct identity){ .mac = { 2, 0, 0, 0, 0, 3 } };
			message.u.request.firmware = firmware;
			memset(message.nonce, 'n', sizeof(message.nonce));
			fill(d, &message);
			d->data[7] = 1; /* a flag that we do not know */
			assert_false(is_fast(bench));
			slow = *d;
			assert_true(is_fast(bench));
			assert_int_equal(d->reply_length, slow.reply_length);
			assert_memory_equal(d->reply, slow.reply, slow.reply_length);
		}
	}
}

/* What changes for the device, or for all, is not missed. */
static void test_changes_are_not_missed(void **state)
{
	static const char *const changes[] = {
		"UPDATE device SET name = 'other' WHERE id = 3",
		"INSERT INTO setting VALUES ('global', 0, 'menu-mode', 'always')",
		"INSERT INTO bundle VALUES (1, 'b', 'imaging', '*', '*', 'b.cfg', '', x'', 0, 0, "
		"1, 'agent', '', '')",
		"INSERT INTO rule VALUES (1, 1, 'r', 1, 'known', 'memory > 1G', 0, 1)",
		"INSERT INTO device (name, uuid, added) VALUES"
		" ('new', x'0b007000000040008000000000000001', 1)",
	};
	struct bench *bench = *state;

	silence(bench);
	put(bench, 0, MESSAGE_REQUEST, 3, 'a');
	is_fast(bench);
	assert_true(is_fast(bench));
	for (size_t i = 0; i < COUNT(changes); i++) {
		bool others = i == COUNT(changes) - 1; /* of another device alone */

		meddle(bench, changes[i]);
		assert_int_equal(is_fast(bench), others);
		assert_true(is_fast(bench));
	}
	meddle(bench, "UPDATE rule SET filter = ''");
	assert_int_equal(attempt(bench, 3, 'a'), 1);
	assert_int_equal(attempt(bench, 3, 'a'), 1);
}

/* The same body with the smallest change is looked at anew, and dropped if it is unsound. */
static void test_each_byte_counts(void **state)
{
	struct bench *bench = *state;
	size_t fast = 0, padding;

	silence(bench);
	put(bench, 0, MESSAGE_REQUEST, 3, 'a');
	padding = peek_unpadded_length(bench->batch[0].data, MESSAGE_MAX) + FIELD_HEADER;
	assert_in_range(padding, MESSAGE_HEADER + 10, 100);
	is_fast(bench);
	for (size_t i = 0; i < MESSAGE_MAX; i++) {
		put(bench, 0, MESSAGE_REQUEST, 3, 'a');
		is_fast(bench);
		bench->batch[0].data[i] ^= 0x10;
		/* Flags, nonce, sequence and what is in padding are no part of what it says;
		 * the nonce is news. */
		assert_int_equal(is_fast(bench), i == 6 || i == 7 ||
		                 (i >= 24 && i < MESSAGE_HEADER) || i >= padding);
		fast += bench->batch[0].reply_length > 0;
	}
	assert_true(fast > 1000);
	for (uint16_t length = MESSAGE_MAX - 1; length > 0; length--) {
		struct datagram *d = put(bench, 0, MESSAGE_REQUEST, 3, 'a');

		d->length = length;
		assert_false(is_fast(bench));
	}
	put(bench, 0, MESSAGE_REQUEST, 3, 'a')->from.in.sin_port = 0;
	bench->batch[0].from.in.sin_port = 0;
	assert_false(is_fast(bench));
	assert_int_equal(counted(bench).dropped[DROP_PEER], 1);
}

static void test_address_counts(void **state)
{
	struct bench *bench = *state;

	silence(bench);
	put(bench, 0, MESSAGE_REQUEST, 3, 'a');
	is_fast(bench);
	assert_true(is_fast(bench));
	bench->batch[0].from.in.sin_addr.s_addr = htonl(0x7f000002);
	assert_false(is_fast(bench));
	assert_true(is_fast(bench));
	bench->batch[0].from.in.sin_addr.s_addr = htonl(0x7f000001);
	assert_false(is_fast(bench));
}

/* --- limits ---------------------------------------------------------------- */

static uint64_t prefix_of(const char *text)
{
	union address address;

	assert_int_equal(address_parse(text, &address), 0);
	return address_prefix(&address);
}

static size_t take_all(struct limit *limit, uint64_t prefix, int64_t now)
{
	size_t taken = 0;

	while (taken < 100000 && limit_take(limit, prefix, now))
		taken++;
	return taken;
}

static void test_limit(void **state)
{
	static struct limit limit;
	const int64_t second = 1000000000, now = 5 * second;
	uint64_t net = prefix_of("10.0.0.1");

	(void)state;
	limit_start(&limit, 1000);
	assert_int_equal(take_all(&limit, net, now), 1000 * LIMIT_BURST);
	assert_int_equal(take_all(&limit, prefix_of("10.0.0.254"), now), 0);
	assert_int_equal(take_all(&limit, prefix_of("10.0.1.1"), now), 1000 * LIMIT_BURST);
	assert_int_equal(take_all(&limit, net, now + second / 2), 500);
	assert_int_equal(take_all(&limit, net, now + 60 * second), 1000 * LIMIT_BURST);
	/* A flood from everywhere lets one that is over its limit in again at most once. */
	for (uint64_t i = 0; i < 1000000; i++)
		limit_take(&limit, (uint64_t)4 << 56 | (i + 0x1000000), now + 60 * second);
	assert_in_range(take_all(&limit, net, now + 60 * second), 0, 1000 * LIMIT_BURST);
	limit_start(&limit, 0);
	assert_int_equal(take_all(&limit, net, now), 100000);
}

static void test_prefixes(void **state)
{
	(void)state;
	assert_int_equal(prefix_of("10.0.0.1"), prefix_of("10.0.0.255"));
	assert_int_not_equal(prefix_of("10.0.0.1"), prefix_of("10.0.1.1"));
	assert_int_equal(prefix_of("[2001:db8:0:1200::1]"), prefix_of("[2001:db8:0:12ff::2]"));
	assert_int_not_equal(prefix_of("[2001:db8:0:1200::1]"), prefix_of("[2001:db8:0:1300::1]"));
	assert_int_equal(prefix_of("[::ffff:10.0.0.1]"), prefix_of("10.0.0.1"));
	assert_int_not_equal(prefix_of("0.0.0.0"), 0);
	assert_int_not_equal(prefix_of("[::]"), 0);
}

static void test_limited_network_is_dropped(void **state)
{
	struct bench *bench = *state;

	limit_start(&bench->server.limit, 1);
	for (int i = 0; i < 5; i++) {
		put(bench, 0, MESSAGE_REQUEST, 3, 'a');
		serve(bench, 1);
	}
	put(bench, 0, MESSAGE_REQUEST, 3, 'a')->from.in.sin_addr.s_addr = htonl(0x0a000001);
	serve(bench, 1);
	assert_int_equal(answers(bench), LIMIT_BURST + 1);
	assert_int_equal(counted(bench).dropped[DROP_LIMIT], 5 - LIMIT_BURST);
}

static void test_addresses(void **state)
{
	static const struct {
		const char *text, *formatted, *host;
	} cases[] = {
		{ "10.1.2.3", "10.1.2.3:13331", "10.1.2.3" },
		{ "10.1.2.3:99", "10.1.2.3:99", "10.1.2.3" }, { ":7", "0.0.0.0:7", "0.0.0.0" },
		{ "[::1]", "[::1]:13331", "::1" }, { "[::1]:0", "[::1]:0", "::1" },
		{ "[2001:DB8::5]:65535", "[2001:db8::5]:65535", "2001:db8::5" },
		{ "[::ffff:1.2.3.4]:5", "1.2.3.4:5", "1.2.3.4" },
		{ "", NULL, NULL }, { "[::1", NULL, NULL }, { "[::1]x", NULL, NULL },
		{ "[::1]:", NULL, NULL }, { "[::1]:65536", NULL, NULL }, { "::1", NULL, NULL },
		{ "[1.2.3.4]", NULL, NULL }, { "[]", NULL, NULL }, { "[fe80::1%none]", NULL, NULL },
		{ "[11111111111111111111111111111111111111111111111111111111111111]", NULL, NULL },
	};
	char out[ADDRESS_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		union address address;

		assert_int_equal(address_parse(cases[i].text, &address) == 0,
		                 cases[i].host != NULL);
		if (!cases[i].host)
			continue;
		address_format(&address, out);
		assert_string_equal(out, cases[i].formatted);
		address_host(&address, out);
		assert_string_equal(out, cases[i].host);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_second_is_fast), TEST(test_what_is_logged_is_not_fast),
		TEST(test_same_answer), TEST(test_changes_are_not_missed),
		TEST(test_each_byte_counts), TEST(test_address_counts),
		cmocka_unit_test(test_limit), cmocka_unit_test(test_prefixes),
		TEST(test_limited_network_is_dropped), cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests_name("fast", tests, NULL, NULL);
}
