/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/detect.h"
#include "nbp/dhcp.h"
#include "nbp/proto/error.h"
#include "tests/unit/fake.h"

#define PACKET 548

static const uint8_t cookie[4] = { 0x63, 0x82, 0x53, 0x63 };

/* Makes a BOOTP packet of PACKET bytes whose options field begins with @options. */
static void make_packet(uint8_t packet[PACKET], const uint8_t *options, size_t length)
{
	memset(packet, 0, PACKET);
	packet[0] = 2;
	memcpy(packet + 236, cookie, sizeof(cookie));
	memcpy(packet + 240, options, length);
}

static const uint8_t ack_options[] = {
	53, 1, 5, 1, 4, 255, 255, 255, 0, 3, 4, 10, 0, 0, 254, 54, 4, 10, 0, 0, 1, 255,
};

static void make_ack(uint8_t packet[PACKET])
{
	make_packet(packet, ack_options, sizeof(ack_options));
	memcpy(packet + 16, (uint8_t[]){ 10, 0, 0, 9 }, 4);
	memcpy(packet + 20, (uint8_t[]){ 10, 0, 0, 2 }, 4);
	strcpy((char *)packet + 108, "boot/nvlnbp.sys");
}

static struct dhcp_packets packets_of(uint8_t *ack, uint8_t *reply)
{
	return (struct dhcp_packets){ .ack = { ack, ack ? PACKET : 0 },
		                      .reply = { reply, reply ? PACKET : 0 } };
}

static void assert_address(const uint8_t got[4], uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	const uint8_t wanted[4] = { a, b, c, d };

	assert_memory_equal(got, wanted, 4);
}

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
		struct dhcp_packets packets = { .ack = { copy, length }, .reply = { copy, length } };
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

/* --- setting options ------------------------------------------------------- */

static struct {
	const char *name;
	uint8_t before[32];
	size_t before_length;
	uint8_t after[32];
	size_t after_length;
} set_cases[] = {
	{ "adds before the end", { 53, 1, 5, 255 }, 4, { 53, 1, 5, 209, 2, 'z', 'c', 255 }, 8 },
	{ "adds where there is no end", { 53, 1, 5 }, 3, { 53, 1, 5, 209, 2, 'z', 'c', 255 }, 8 },
	{ "drops the old ones, wherever", { 209, 1, 'a', 53, 1, 5, 209, 3, 'b', 'c', 'd', 255 }, 12,
	  { 53, 1, 5, 209, 2, 'z', 'c', 255 }, 8 },
	{ "drops padding between", { 0, 53, 1, 5, 0, 0, 54, 1, 6, 255 }, 10,
	  { 53, 1, 5, 54, 1, 6, 209, 2, 'z', 'c', 255 }, 11 },
	{ "drops what stood past the end", { 53, 1, 5, 255, 209, 1, 'q' }, 7,
	  { 53, 1, 5, 209, 2, 'z', 'c', 255, 0, 0, 0, 0 }, 12 },
	{ "adds to none", { 255 }, 1, { 209, 2, 'z', 'c', 255 }, 5 },
};

static void sets_an_option(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(set_cases); i++) {
		uint8_t packet[PACKET];

		print_message("           %s\n", set_cases[i].name);
		make_packet(packet, set_cases[i].before, set_cases[i].before_length);
		assert_int_equal(dhcp_set_option(packet, PACKET, 209, "zc", 2), 0);
		assert_memory_equal(packet + 240, set_cases[i].after, set_cases[i].after_length);
	}
}

static void sets_only_what_fits_and_else_changes_nothing(void **state)
{
	static const uint8_t options[] = { 53, 1, 5, 209, 1, 'a', 255 };
	uint8_t packet[PACKET], before[PACKET];

	(void)state;
	make_packet(packet, options, sizeof(options));
	memset(packet + 240 + sizeof(options), 0xee, PACKET - 240 - sizeof(options));
	memcpy(before, packet, PACKET);
	/* 3 kept, 2 + 2 new, 1 end: 8 bytes are needed. */
	assert_int_equal(dhcp_set_option(packet, 247, 209, "zc", 2), ERR_SPACE);
	assert_memory_equal(packet, before, PACKET);
	assert_int_equal(dhcp_set_option(packet, 248, 209, "zc", 2), 0);
	assert_memory_equal(packet + 248, before + 248, PACKET - 248);
	assert_int_equal(dhcp_set_option(packet, PACKET, 209, packet, 256), ERR_SPACE);
}

static void refuses_what_is_no_dhcp_packet(void **state)
{
	static const uint8_t overlong[] = { 53, 200, 5 };
	uint8_t packet[PACKET] = { 2 };

	(void)state;
	assert_int_equal(dhcp_set_option(packet, PACKET, 209, "zc", 2), ERR_MALFORMED);
	assert_int_equal(dhcp_set_option(packet, 100, 209, "zc", 2), ERR_MALFORMED);
	make_packet(packet, overlong, sizeof(overlong));
	assert_int_equal(dhcp_set_option(packet, 300, 209, "zc", 2), ERR_MALFORMED);
}

/* PXELINUX would prefer a 209 left in an overloaded field to ours. */
static void drops_the_option_from_overloaded_fields(void **state)
{
	static const uint8_t options[] = { 52, 1, 3, 255 };
	static const uint8_t in_file[] = { 209, 1, 'x', 66, 1, 'y', 255 };
	static const uint8_t in_sname[] = { 66, 1, 'y', 255, 9 };
	uint8_t packet[PACKET];

	(void)state;
	make_packet(packet, options, sizeof(options));
	memcpy(packet + 108, in_file, sizeof(in_file));
	memcpy(packet + 44, in_sname, sizeof(in_sname));
	assert_int_equal(dhcp_set_option(packet, PACKET, 209, "zc", 2), 0);
	assert_memory_equal(packet + 108, ((uint8_t[]){ 66, 1, 'y', 255, 0, 0, 0 }), 7);
	assert_memory_equal(packet + 44, in_sname, sizeof(in_sname)); /* it had none */
	assert_memory_equal(packet + 236, cookie, 4);
}

static void sets_the_handover(void **state)
{
	static const uint8_t both[] = { 210, 2, 'p', '/', 209, 1, 'c', 255 };
	static const uint8_t without[] = { 209, 1, 'd', 255, 0 };
	uint8_t packet[PACKET];

	(void)state;
	make_packet(packet, (const uint8_t[]){ 255 }, 1);
	assert_int_equal(dhcp_set_handover(packet, PACKET, &(struct handover){ "c", "p/", NULL, NULL }), 0);
	assert_memory_equal(packet + 240, both, sizeof(both));
	/* The site's options are meant for its own loader, and must not reach ours. */
	assert_int_equal(dhcp_set_handover(packet, PACKET, &(struct handover){ "d", "", NULL, NULL }), 0);
	assert_memory_equal(packet + 240, without, sizeof(without));
	assert_int_equal(dhcp_set_handover(packet, PACKET, &(struct handover){ "", "", NULL, NULL }), 0);
	assert_memory_equal(packet + 240, ((uint8_t[]){ 255, 0 }), 2);
	assert_int_equal(dhcp_set_handover(packet, 243, &(struct handover){ "d", "", NULL, NULL }), ERR_SPACE);
}

/* The record follows what a loader needs, and is left out where it does not fit. */
static void adds_the_record(void **state)
{
	static const uint8_t record[POWER_ON_SIZE] = "sixteen bytes...";
	static const struct handover handover = { "c", "", NULL, record };
	static const uint8_t head[] = { 209, 1, 'c', 225, POWER_ON_SIZE };
	uint8_t packet[PACKET];

	(void)state;
	make_packet(packet, (const uint8_t[]){ 255 }, 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(dhcp_set_handover(packet, PACKET, &handover), 0);
		assert_memory_equal(packet + 240, head, sizeof(head));
		assert_memory_equal(packet + 245, record, POWER_ON_SIZE);
		assert_int_equal(packet[245 + POWER_ON_SIZE], 255);
	}
	make_packet(packet, (const uint8_t[]){ 255 }, 1);
	assert_int_equal(dhcp_set_handover(packet, 245 + POWER_ON_SIZE, &handover), 0);
	assert_memory_equal(packet + 240, ((uint8_t[]){ 209, 1, 'c', 255, 0 }), 5);
}

/* Loader and NBP must use the same server if the packet names none. */
static void names_the_server_where_nobody_does(void **state)
{
	static const uint8_t server[] = { 10, 0, 0, 7 }, other[] = { 10, 0, 0, 8 };
	static const struct handover handover = { "", "", server, NULL };
	uint8_t packet[PACKET];

	(void)state;
	make_packet(packet, (const uint8_t[]){ 54, 4, 10, 0, 0, 9, 255 }, 7);
	memset(packet + 20, 0, 4);
	assert_int_equal(dhcp_set_handover(packet, PACKET, &handover), 0);
	assert_memory_equal(packet + 20, server, 4);
	memcpy(packet + 20, other, 4);
	assert_int_equal(dhcp_set_handover(packet, PACKET, &handover), 0);
	assert_memory_equal(packet + 20, other, 4);
	/* Bytes that are no DHCP packet stay as they are. */
	memset(packet + 20, 0, 4);
	packet[236] = 0;
	dhcp_set_handover(packet, PACKET, &handover);
	assert_memory_equal(packet + 20, ((uint8_t[4]){ 0 }), 4);
}

/* The options are removed wherever they are; a packet without them stays the same. */
static void drops_the_sites_own_options(void **state)
{
	static const struct handover nothing = { "", "", NULL, NULL };
	static const uint8_t options[] = { 0, 1, 2, 255, 255, 209, 1, 'x', 52, 1, 3, 0, 210, 2, 'o',
		                           '/', 3, 1, 7 };
	static const uint8_t left[] = { 1, 2, 255, 255, 52, 1, 3, 3, 1, 7, 255, 0 };
	static const uint8_t in_file[] = { 210, 2, 'o', '/', 66, 1, 'y', 255 };
	static const uint8_t in_sname[] = { 66, 1, 'z', 255, 210, 9 };
	uint8_t packet[PACKET], before[PACKET];

	(void)state;
	make_packet(packet, options, sizeof(options));
	memcpy(packet + 108, in_file, sizeof(in_file));
	memcpy(packet + 44, in_sname, sizeof(in_sname));
	assert_int_equal(dhcp_set_handover(packet, PACKET, &nothing), 0);
	assert_memory_equal(packet + 240, left, sizeof(left));
	assert_memory_equal(packet + 108, ((uint8_t[]){ 66, 1, 'y', 255, 0, 0 }), 6);
	assert_memory_equal(packet + 44, in_sname, sizeof(in_sname));
	memcpy(before, packet, PACKET);
	assert_int_equal(dhcp_set_handover(packet, PACKET, &nothing), 0);
	assert_memory_equal(packet, before, PACKET);
	/* An option in the server's name field, where a loader looks last. */
	memcpy(packet + 44, (const uint8_t[]){ 66, 1, 'z', 210, 1, 'o', 255 }, 7);
	assert_int_equal(dhcp_set_option(packet, PACKET, 210, NULL, 0), 0);
	assert_memory_equal(packet + 44, ((uint8_t[]){ 66, 1, 'z', 255, 0, 0, 0 }), 7);
	/* Removing needs no space. */
	make_packet(packet, (const uint8_t[]){ 1, 4, 7, 7, 7, 7, 210, 0 }, 8);
	assert_int_equal(dhcp_set_handover(packet, 248, &nothing), 0);
	assert_memory_equal(packet + 240, ((uint8_t[]){ 1, 4, 7, 7, 7, 7, 255, 0 }), 8);
	make_packet(packet, (const uint8_t[]){ 1, 2, 7, 7, 210, 1, '/', 255 }, 8);
	assert_int_equal(dhcp_set_handover(packet, 248, &nothing), 0);
	assert_memory_equal(packet + 240, ((uint8_t[]){ 1, 2, 7, 7, 255, 0, 0, 0 }), 8);
	/* A loader would use the options before the damage. */
	make_packet(packet, (const uint8_t[]){ 210, 1, '/', 66, 200 }, 5);
	memset(packet + 245, 0, PACKET - 245);
	assert_int_equal(dhcp_set_handover(packet, 260, &nothing), ERR_MALFORMED);
	make_packet(packet, (const uint8_t[]){ 66, 200, 210, 1, '/' }, 5);
	assert_int_equal(dhcp_set_handover(packet, 260, &nothing), 0);
	packet[236] = 0;
	assert_int_equal(dhcp_set_handover(packet, PACKET, &nothing), 0); /* no loader reads it */
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

static void leaves_a_damaged_overloaded_field_alone(void **state)
{
	static const uint8_t options[] = { 52, 1, 3, 255 };
	static const uint8_t damaged[] = { 209, 1, 'x', 66, 200 };
	uint8_t packet[PACKET];

	(void)state;
	make_packet(packet, options, sizeof(options));
	memcpy(packet + 108, damaged, sizeof(damaged));
	assert_int_equal(dhcp_set_handover(packet, PACKET, &(struct handover){ "c", "", NULL, NULL }), 0);
	assert_memory_equal(packet + 108, damaged, sizeof(damaged));
	assert_memory_equal(packet + 240, ((uint8_t[]){ 52, 1, 3, 209, 1, 'c', 255 }), 7);
	/* Without space for the prefix the file is not set either. */
	assert_int_equal(dhcp_set_handover(packet, 247, &(struct handover){ "c", "p/", NULL, NULL }), ERR_SPACE);
	assert_memory_equal(packet + 240, ((uint8_t[]){ 52, 1, 3, 209, 1, 'c', 255 }), 7);
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
		cmocka_unit_test(sets_an_option),
		cmocka_unit_test(sets_only_what_fits_and_else_changes_nothing),
		cmocka_unit_test(refuses_what_is_no_dhcp_packet),
		cmocka_unit_test(drops_the_option_from_overloaded_fields),
		cmocka_unit_test(sets_the_handover),
		cmocka_unit_test(adds_the_record),
		cmocka_unit_test(names_the_server_where_nobody_does),
		cmocka_unit_test(drops_the_sites_own_options),
		cmocka_unit_test(takes_of_odd_options_what_makes_sense),
		cmocka_unit_test(reads_policy_servers),
		cmocka_unit_test(prefers_the_replys_policy_servers),
		cmocka_unit_test(says_which_option_is_ignored),
		cmocka_unit_test(leaves_a_damaged_overloaded_field_alone),
	};

	return cmocka_run_group_tests_name("dhcp", tests, NULL, NULL);
}
