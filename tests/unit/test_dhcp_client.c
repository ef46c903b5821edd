/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/dhcp_client.h"
#include "nbp/proto/error.h"
#include "tests/unit/fake.h"

#define PACKET 548
#define YIADDR 16
#define FILE_AT 108
#define OPTIONS 240

static const struct dhcp_client client = {
	.mac = { 0x52, 0x54, 0, 1, 2, 3 },
	.uuid = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 },
	.address = { 10, 0, 0, 9 },
	.architecture = 7,
	.transaction = 0x01020304,
};

/* Makes an offer or ack of PACKET bytes with these options. */
static struct span make(uint8_t packet[PACKET], uint8_t address, const char *options, size_t length)
{
	memset(packet, 0, PACKET);
	packet[0] = 2;
	packet[4] = 1, packet[5] = 2, packet[6] = 3, packet[7] = 4;
	packet[YIADDR] = address;
	packet[YIADDR + 3] = address;
	memcpy(packet + 236, "\x63\x82\x53\x63", 4);
	memcpy(packet + OPTIONS, options, length);
	packet[OPTIONS + length] = 255;
	return (struct span){ packet, PACKET };
}

#define MAKE(packet, address, options) make(packet, address, options, sizeof(options) - 1)

/* RFC 4578 says what a PXE client must send; a server that knows us by it must find it. */
static void sends_what_pxe_sends(void **state)
{
	uint8_t packet[PACKET] = { 0 };
	size_t length = dhcp_client_message(&client, DHCP_REQUEST, packet, sizeof(packet));
	struct span whole = { packet, length }, found;

	(void)state;
	assert_in_range(length, 300, PACKET);
	assert_int_equal(packet[0], 1);
	assert_memory_equal(packet + 4, "\1\2\3\4", 4);
	assert_memory_equal(packet + 12, client.address, 4); /* it has it: ciaddr */
	assert_memory_equal(packet + 28, client.mac, 6);
	found = dhcp_find_option(whole, 53);
	assert_int_equal(found.data[0], DHCP_REQUEST);
	found = dhcp_find_option(whole, 60);
	assert_int_equal(found.length, 32);
	assert_memory_equal(found.data, "PXEClient:Arch:00007:UNDI:003016", 32);
	found = dhcp_find_option(whole, 93);
	assert_memory_equal(found.data, "\0\7", 2);
	found = dhcp_find_option(whole, 97);
	assert_int_equal(found.length, 17);
	assert_int_equal(found.data[0], 0); /* a UUID */
	assert_memory_equal(found.data + 1, client.uuid, 16);
	found = dhcp_find_option(whole, 94);
	assert_int_equal(found.length, 3);
	assert_memory_equal(found.data, "\1\3\20", 3); /* UNDI 3.16 */
	found = dhcp_find_option(whole, 57);
	assert_memory_equal(found.data, "\5\xc0", 2); /* DHCP_PACKET_MAX */
	found = dhcp_find_option(whole, 55);
	for (const char *wanted = "\1\3\x2b\x36\x3c\x42\x43\x61\x83\xd1\xd2\xe0"; *wanted; wanted++)
		assert_non_null(memchr(found.data, *wanted, found.length));
	for (size_t size = 0; size < length; size++)
		assert_int_equal(dhcp_client_message(&client, DHCP_REQUEST, packet, size), 0);
}

/* What a server would have sent to a machine whose address is its own. */
static void writes_what_a_server_sends(void **state)
{
	uint8_t packet[PACKET] = { 0 };
	size_t length = dhcp_client_message(&client, DHCP_ACK, packet, sizeof(packet));
	struct span whole = { packet, length };

	(void)state;
	assert_int_equal(length, 300); /* the shortest that relays pass on */
	assert_int_equal(packet[0], 2);
	assert_memory_equal(packet + 12, "\0\0\0\0", 4);
	assert_memory_equal(packet + YIADDR, client.address, 4);
	assert_int_equal(dhcp_find_option(whole, 53).data[0], DHCP_ACK);
	assert_null(dhcp_find_option(whole, 60).data);
	assert_int_equal(dhcp_client_rank(whole), DHCP_HAS_ADDRESS);
}

static void options_alone_are_the_same(void **state)
{
	uint8_t options[256], packet[PACKET];
	size_t length = dhcp_client_options(&client, options, sizeof(options)), count = 0;

	(void)state;
	dhcp_client_message(&client, DHCP_DISCOVER, packet, sizeof(packet));
	assert_memory_equal(packet + OPTIONS + 3, options, length);
	for (size_t at = 0; at < length; at += 2 + options[at + 1])
		count++;
	assert_int_equal(count, 6);
	for (size_t size = 0; size < length; size++)
		assert_int_equal(dhcp_client_options(&client, options, size), 0);
}

static void ranks_offers(void **state)
{
	uint8_t packet[PACKET];
	struct span offer;

	(void)state;
	assert_int_equal(dhcp_client_rank((struct span){ NULL, 0 }), DHCP_USELESS);
	assert_int_equal(dhcp_client_rank(MAKE(packet, 0, "\x35\1\2\x83\4\xa\0\0\1")),
	                 DHCP_USELESS);
	offer = MAKE(packet, 10, "\x35\1\2\x36\4\xa\0\0\1");
	assert_int_equal(dhcp_client_rank(offer), DHCP_HAS_ADDRESS);
	packet[FILE_AT] = 'x';
	assert_int_equal(dhcp_client_rank(offer), DHCP_HAS_BOOT);
	offer = MAKE(packet, 10, "\x36\4\xa\0\0\1\x83\4\xa\0\0\1"); /* BOOTP's */
	assert_int_equal(dhcp_client_rank(offer), DHCP_USELESS);
	offer = MAKE(packet, 10, "\x35\1\2\x36\4\xa\0\0\1");
	offer.length = OPTIONS; /* cut there, it is one, too */
	assert_int_equal(dhcp_client_rank(offer), DHCP_USELESS);
	offer = MAKE(packet, 10, "\x35\1\2\x83\4\xa\0\0\1");
	assert_int_equal(dhcp_client_rank(offer), DHCP_HAS_POLICY);
	offer = MAKE(packet, 10, "\x35\1\2\x83\5phone"); /* a site's telephones */
	assert_int_equal(dhcp_client_rank(offer), DHCP_HAS_ADDRESS);
}

/* A host cannot have such an address: it is no offer, whatever else is in it. */
static void an_address_that_no_host_has(void **state)
{
	static const uint8_t bad[][4] = {
		{ 0, 0, 0, 1 }, { 127, 0, 0, 1 }, { 224, 0, 0, 1 }, { 255, 255, 255, 255 },
	};
	uint8_t packet[PACKET];
	struct span offer = MAKE(packet, 10, "\x35\1\2\xe0\4\xa\0\0\1");

	(void)state;
	assert_int_equal(dhcp_client_rank(offer), DHCP_HAS_POLICY);
	for (size_t i = 0; i < COUNT(bad); i++) {
		memcpy(packet + YIADDR, bad[i], 4);
		assert_int_equal(dhcp_client_rank(offer), DHCP_USELESS);
		/* Nor is it an offer without an address, as a proxyDHCP server's is. */
		MAKE(packet, 10, "\x35\1\2\x3c\x9PXEClient");
		memcpy(packet + YIADDR, bad[i], 4);
		assert_false(dhcp_client_is_proxy(offer));
	}
}

static void knows_a_proxy(void **state)
{
	uint8_t packet[PACKET];

	(void)state;
	assert_true(dhcp_client_is_proxy(MAKE(packet, 0, "\x35\1\2\x3c\x9PXEClient")));
	assert_false(dhcp_client_is_proxy(MAKE(packet, 10, "\x35\1\2\x3c\x9PXEClient")));
	assert_false(dhcp_client_is_proxy(MAKE(packet, 0, "\x35\1\2\x3c\xaHTTPClient")));
	assert_false(dhcp_client_is_proxy(MAKE(packet, 0, "\x35\1\2")));
	assert_false(dhcp_client_is_proxy((struct span){ NULL, 0 }));
}

/* --- the boot server ------------------------------------------------------------ */

static const uint8_t server[4] = { 10, 0, 0, 4 };

/* Before the right answer come those of another host, of another transaction, and an offer. */
static void answer_late(struct fake *fake, const struct fake_datagram *question)
{
	const struct endpoint good = { { 10, 0, 0, 4 }, 4011 }, other = { { 10, 0, 0, 66 }, 4011 };
	uint8_t packet[PACKET];
	static unsigned int asked;

	assert_int_equal(question->peer.port, 4011);
	if (++asked != 2) /* the first one is lost */
		return;
	MAKE(packet, 0, "\x35\1\5\x43\4evil");
	fake_deliver(fake, fake->clock, other, packet, PACKET);
	packet[7] = 5;
	fake_deliver(fake, fake->clock, good, packet, PACKET);
	MAKE(packet, 0, "\x35\1\2\x43\4evil");
	fake_deliver(fake, fake->clock, good, packet, PACKET);
	fake_deliver(fake, fake->clock, good, packet, 3);
	MAKE(packet, 0, "\x35\1\5\x43\4evil");
	packet[0] = 1; /* a question, by its look */
	fake_deliver(fake, fake->clock, good, packet, PACKET);
	MAKE(packet, 0, "\x35\1\5\x43\4good");
	fake_deliver(fake, fake->clock, good, packet, PACKET);
}

static void asks_the_boot_server(void **state)
{
	uint8_t answer[DHCP_PACKET_MAX];
	struct span file;
	struct fake fake;

	(void)state;
	fake_start(&fake);
	fake.server = answer_late;
	memset(answer, 0xff, sizeof(answer));
	assert_int_equal(dhcp_client_ask_boot_server(&fake.platform, &client, server, answer), 0);
	file = dhcp_find_option((struct span){ answer, sizeof(answer) }, DHCP_BOOT_FILE);
	assert_memory_equal(file.data, "good", 4);
	for (size_t i = PACKET; i < sizeof(answer); i++)
		assert_int_equal(answer[i], 0);
	assert_int_equal(fake.ports[0], 4011);
	assert_int_equal(fake.sent_count, 2);
	assert_false(fake.socket_open);
}

static void a_silent_boot_server(void **state)
{
	uint8_t answer[DHCP_PACKET_MAX];
	struct fake fake;
	uint32_t begun;

	(void)state;
	fake_start(&fake);
	begun = fake.clock;
	assert_int_equal(dhcp_client_ask_boot_server(&fake.platform, &client, server, answer),
	                 ERR_TIMEOUT);
	assert_in_range(fake.clock - begun, 1000, DHCP_BOOT_SERVER_MS + 10);
	assert_in_range(fake.sent_count, 3, 6);
	assert_false(fake.socket_open);
	fake.open_result = ERR_IO;
	assert_int_equal(dhcp_client_ask_boot_server(&fake.platform, &client, server, answer),
	                 ERR_IO);
	fake.open_result = 0;
	fake.send_result = ERR_IO;
	assert_int_equal(dhcp_client_ask_boot_server(&fake.platform, &client, server, answer),
	                 ERR_IO);
	assert_false(fake.socket_open);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_what_pxe_sends),
		cmocka_unit_test(writes_what_a_server_sends),
		cmocka_unit_test(options_alone_are_the_same),
		cmocka_unit_test(ranks_offers),
		cmocka_unit_test(an_address_that_no_host_has),
		cmocka_unit_test(knows_a_proxy),
		cmocka_unit_test(asks_the_boot_server),
		cmocka_unit_test(a_silent_boot_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
