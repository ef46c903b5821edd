/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dhcp_packet.h"

#include "nbp/detect.h"
#include "nbp/proto/error.h"
#include "tests/unit/fake.h"

static void reads_a_lease(void **state)
{
	uint8_t ack[PACKET];
	struct dhcp_packets packets = packets_of(ack, NULL);
	struct dhcp_lease lease;

	(void)state;
	make_ack(ack);
	assert_int_equal(dhcp_read(&packets, &lease), 0);
	assert_address(lease.address, 10, 0, 0, 9);
	assert_address(lease.netmask, 255, 255, 255, 0);
	assert_address(lease.router, 10, 0, 0, 254);
	assert_address(lease.boot_server, 10, 0, 0, 2);
	assert_string_equal(lease.boot_file, "boot/nvlnbp.sys");
	assert_int_equal(lease.policy_server_count, 1);
	assert_address(lease.policy_servers[0], 10, 0, 0, 2);
}

/* The address comes from one host, boot file and server from another. */
static void prefers_the_boot_servers_reply(void **state)
{
	static const uint8_t options[] = { 53, 1, 5, 54, 4, 10, 0, 0, 3, 67, 7, 'x', '/', 'n', '.',
		                           's', 'y', 's', 224, 8, 10, 0, 0, 4, 10, 0, 0, 5, 255 };
	uint8_t ack[PACKET], reply[PACKET];
	struct dhcp_packets packets = packets_of(ack, reply);
	struct dhcp_lease lease;

	(void)state;
	make_ack(ack);
	make_packet(reply, options, sizeof(options));
	assert_int_equal(dhcp_read(&packets, &lease), 0);
	assert_address(lease.address, 10, 0, 0, 9);
	assert_address(lease.boot_server, 10, 0, 0, 3); /* no siaddr: the sender */
	assert_string_equal(lease.boot_file, "x/n.sys");
	assert_int_equal(lease.policy_server_count, 2);
	assert_address(lease.policy_servers[0], 10, 0, 0, 4);
	assert_address(lease.policy_servers[1], 10, 0, 0, 5);
}

/* Option 52: file and sname hold options too. */
static void reads_overloaded_fields(void **state)
{
	static const uint8_t options[] = { 52, 1, 3, 255 };
	static const uint8_t in_file[] = { 66, 8, '1', '0', '.', '0', '.', '0', '.', '7', 255 };
	static const uint8_t in_sname[] = { 67, 3, 'a', '/', 'b', 255 };
	uint8_t ack[PACKET];
	struct dhcp_packets packets = packets_of(ack, NULL);
	struct dhcp_lease lease;

	(void)state;
	make_packet(ack, options, sizeof(options));
	ack[16] = 10;
	memcpy(ack + 108, in_file, sizeof(in_file));
	memcpy(ack + 44, in_sname, sizeof(in_sname));
	assert_int_equal(dhcp_read(&packets, &lease), 0);
	assert_address(lease.boot_server, 10, 0, 0, 7);
	assert_string_equal(lease.boot_file, "a/b");
}

static void reads_the_clients_uuid(void **state)
{
	uint8_t options[20] = { 97, 17, 0, 1, 2, 3 }, discover[PACKET];
	struct dhcp_packets packets = { .discover = { discover, PACKET } };
	struct dhcp_lease lease;

	(void)state;
	options[19] = 255;
	make_packet(discover, options, sizeof(options));
	assert_int_equal(dhcp_read(&packets, &lease), ERR_NOT_FOUND);
	assert_memory_equal(lease.uuid, options + 3, 16);
}

static void survives_packets_cut_at_every_length(void **state)
{
	uint8_t ack[PACKET];

	(void)state;
	make_ack(ack);
	for (size_t length = 0; length < PACKET; length++) {
		uint8_t *copy = malloc(length ? length : 1);
		struct dhcp_packets packets = { .ack = { copy, length },
			                        .reply = { copy, length } };
		struct dhcp_lease lease;

		memcpy(copy, ack, length);
		assert_int_equal(dhcp_read(&packets, &lease), length < 240 ? ERR_NOT_FOUND : 0);
		free(copy);
	}
}

static void survives_every_option_byte_changed(void **state)
{
	uint8_t ack[PACKET], changed[PACKET];

	(void)state;
	make_ack(ack);
	for (size_t at = 240; at < 240 + sizeof(ack_options); at++) {
		for (int value = 0; value < 256; value++) {
			struct dhcp_packets packets = packets_of(changed, changed);
			struct dhcp_lease lease;

			memcpy(changed, ack, PACKET);
			changed[at] = (uint8_t)value;
			dhcp_read(&packets, &lease);
			dhcp_set_option(changed, PACKET, 209, "abc", 3);
		}
	}
}

/* Options that are longer, shorter or of another type than they should be. */
static void takes_of_odd_options_what_makes_sense(void **state)
{
	static const uint8_t options[] = { 224, 24, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4,
		                           5, 5, 5, 5, 6, 6, 6, 6, 1, 3, 255, 255, 255, 255 };
	static const uint8_t zeros[16];
	uint8_t ack[PACKET], discover[PACKET], uuid[20] = { 97, 17, 1, 7 };
	struct dhcp_packets packets = packets_of(ack, NULL);
	struct dhcp_lease lease;

	(void)state;
	make_packet(ack, options, sizeof(options));
	ack[16] = 10;
	make_packet(discover, uuid, sizeof(uuid)); /* a type that is not a UUID's */
	packets.discover = (struct span){ discover, PACKET };
	assert_int_equal(dhcp_read(&packets, &lease), 0);
	assert_int_equal(lease.policy_server_count, POLICY_SERVERS_MAX);
	assert_address(lease.policy_servers[3], 4, 4, 4, 4);
	assert_address(lease.netmask, 0, 0, 0, 0); /* three bytes are no address */
	assert_memory_equal(lease.uuid, zeros, sizeof(zeros));
	assert_address(lease.boot_server, 0, 0, 0, 0);
	uuid[1] = 16;
	make_packet(discover, uuid, sizeof(uuid));
	assert_int_equal(dhcp_read(&packets, &lease), 0);
	assert_memory_equal(lease.uuid, zeros, sizeof(zeros));
	ack[16] = 0; /* no address */
	assert_int_equal(dhcp_read(&packets, &lease), ERR_NOT_FOUND);
	make_packet(ack, (const uint8_t[]){ 255 }, 1); /* an address, but no server */
	ack[16] = 10;
	assert_int_equal(dhcp_read(&packets, &lease), ERR_NOT_FOUND);
}

/* The options, and the n of the server 10.0.0.n to ask; 10.0.0.2 is the boot server. */
static struct {
	const char *name;
	uint8_t options[20];
	uint8_t count, first, ignored;
} server_cases[] = {
	{ "none", { 255 }, 1, 2, 0 },
	{ "zeros", { 131, 4, 0, 0, 0, 0, 255 }, 1, 2, 131 },
	{ "this network", { 131, 4, 0, 0, 0, 3, 255 }, 1, 2, 131 },
	{ "loopback", { 131, 4, 127, 0, 0, 1, 255 }, 1, 2, 131 },
	{ "multicast", { 131, 4, 224, 0, 0, 1, 255 }, 1, 2, 131 },
	{ "multicast", { 131, 4, 239, 255, 255, 250, 255 }, 1, 2, 131 },
	{ "broadcast", { 131, 4, 255, 255, 255, 255, 255 }, 1, 2, 131 },
	{ "one of two is no host", { 131, 8, 10, 0, 0, 3, 127, 0, 0, 1, 255 }, 1, 2, 131 },
	{ "too short", { 131, 3, 10, 0, 0, 255 }, 1, 2, 131 },
	{ "empty", { 131, 0, 255 }, 1, 2, 131 },
	{ "ragged", { 131, 6, 10, 0, 0, 3, 10, 0, 255 }, 1, 2, 131 },
	{ "another's option", { 130, 4, 10, 0, 0, 3, 132, 4, 10, 0, 0, 4, 255 }, 1, 2, 0 },
	{ "one", { 131, 4, 10, 0, 0, 3, 255 }, 1, 3, 0 },
	{ "two", { 131, 8, 10, 0, 0, 3, 10, 0, 0, 4, 255 }, 2, 3, 0 },
	{ "224 alone", { 224, 4, 10, 0, 0, 5, 255 }, 1, 5, 0 },
	{ "224 outranks", { 131, 4, 10, 0, 0, 3, 224, 4, 10, 0, 0, 5, 255 }, 1, 5, 0 },
	{ "PXE's own alone", { 43, 9, 6, 1, 8, 71, 4, 0, 0, 0, 0, 255 }, 1, 2, 0 },
	{ "cut within PXE's", { 43, 5, 131, 8, 10, 0, 0, 255 }, 1, 2, 0 },
	{ "wrong within PXE's", { 43, 6, 131, 4, 127, 0, 0, 3, 255 }, 1, 2, 43 },
	{ "within PXE's", { 43, 10, 6, 1, 8, 131, 4, 10, 0, 0, 3, 255, 255 }, 1, 3, 0 },
	{ "131 outranks it", { 43, 6, 131, 4, 10, 0, 0, 3, 131, 4, 10, 0, 0, 4, 255 }, 1, 4, 0 },
	{ "unless it is wrong", { 224, 4, 127, 0, 0, 1, 131, 4, 10, 0, 0, 3, 255 }, 1, 3, 224 },
};

static void reads_policy_servers(void **state)
{
	uint8_t ack[PACKET];
	struct dhcp_packets packets = packets_of(ack, NULL);
	struct dhcp_lease lease;

	(void)state;
	for (size_t i = 0; i < COUNT(server_cases); i++) {
		print_message("           %s\n", server_cases[i].name);
		make_ack(ack);
		memcpy(ack + 240, server_cases[i].options, sizeof(server_cases[i].options));
		assert_int_equal(dhcp_read(&packets, &lease), 0);
		assert_int_equal(lease.ignored_option, server_cases[i].ignored);
		assert_int_equal(lease.policy_server_count, server_cases[i].count);
		assert_address(lease.policy_servers[0], 10, 0, 0, server_cases[i].first);
	}
}

/* The boot server's reply takes precedence over the DHCP server's packet. */
static void prefers_the_replys_policy_servers(void **state)
{
	static const uint8_t of_ack[] = { 224, 4, 10, 0, 0, 5, 255 };
	static const uint8_t of_reply[] = { 131, 4, 10, 0, 0, 3, 255 };
	uint8_t ack[PACKET], reply[PACKET];
	struct dhcp_packets packets = packets_of(ack, reply);
	struct dhcp_lease lease;

	(void)state;
	make_ack(ack);
	memcpy(ack + 240, of_ack, sizeof(of_ack));
	make_packet(reply, (const uint8_t[]){ 255 }, 1);
	assert_int_equal(dhcp_read(&packets, &lease), 0);
	assert_address(lease.policy_servers[0], 10, 0, 0, 5);
	make_packet(reply, of_reply, sizeof(of_reply));
	assert_int_equal(dhcp_read(&packets, &lease), 0);
	assert_int_equal(lease.policy_server_count, 1);
	assert_address(lease.policy_servers[0], 10, 0, 0, 3);
}

static void says_which_option_is_ignored(void **state)
{
	static const uint8_t telephones[] = { 131, 5, 'c', 'i', 's', 'c', 'o', 255 };
	struct fake *fake = calloc(1, sizeof(*fake));
	struct request request = { 0 };
	struct exchange exchange = { 0 };
	struct dhcp_lease lease;
	uint8_t ack[PACKET];

	(void)state;
	fake_start(fake);
	make_ack(ack);
	memcpy(ack + 240, telephones, sizeof(telephones));
	fake->platform.machine.dhcp = packets_of(ack, NULL);
	assert_int_equal(detect_servers(&fake->platform, &request, &lease, &exchange), 0);
	assert_address(exchange.servers[0].address, 10, 0, 0, 2);
	assert_non_null(strstr(fake->console, "DHCP option 131 ignored: no server addresses"));
	free(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_lease),
		cmocka_unit_test(prefers_the_boot_servers_reply),
		cmocka_unit_test(reads_overloaded_fields),
		cmocka_unit_test(reads_the_clients_uuid),
		cmocka_unit_test(survives_packets_cut_at_every_length),
		cmocka_unit_test(survives_every_option_byte_changed),
		cmocka_unit_test(takes_of_odd_options_what_makes_sense),
		cmocka_unit_test(reads_policy_servers),
		cmocka_unit_test(prefers_the_replys_policy_servers),
		cmocka_unit_test(says_which_option_is_ignored),
	};

	return cmocka_run_group_tests_name("dhcp", tests, NULL, NULL);
}
