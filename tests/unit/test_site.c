/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/dhcp.h"
#include "nbp/proto/error.h"
#include "nbp/site.h"

static struct site site;
static struct site_error error;

static int parse(const char *text)
{
	return site_parse(text, strlen(text), &site, &error);
}

static void assert_address(const uint8_t got[4], uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	const uint8_t wanted[4] = { a, b, c, d };

	assert_memory_equal(got, wanted, 4);
}

static void reads_each_setting(void **state)
{
	(void)state;
	assert_int_equal(parse("# a site\n\n"
	                       "server = 192.0.2.1, 192.0.2.2 # two\r\n"
	                       "address=192.0.2.50/20\n"
	                       "\tgateway = 192.0.2.254\n"
	                       "tftp-server = 192.0.2.3\n"
	                       "console = serial\n"
	                       "vlan = 12"),
	                 0);
	assert_int_equal(site.server_count, 2);
	assert_address(site.servers[0], 192, 0, 2, 1);
	assert_address(site.servers[1], 192, 0, 2, 2);
	assert_address(site.address, 192, 0, 2, 50);
	assert_address(site.netmask, 255, 255, 240, 0);
	assert_address(site.gateway, 192, 0, 2, 254);
	assert_address(site.tftp_server, 192, 0, 2, 3);
	assert_int_equal(site.vlan, 12);
	assert_int_equal(parse("vlan = 0000000000000000013\n"), 0); /* the longest word */
	assert_int_equal(site.vlan, 13);
}

/* What a file is when an administrator has not touched it, or has put all behind comments. */
static void nothing_is_set(void **state)
{
	static const struct site none;

	(void)state;
	assert_int_equal(parse(""), 0);
	assert_int_equal(parse("# server = 192.0.2.1\n\n  \n#\n"), 0);
	assert_memory_equal(&site, &none, sizeof(none));
}

static void notepad_writes_a_mark(void **state)
{
	(void)state;
	assert_int_equal(parse("\xef\xbb\xbfserver = 192.0.2.1\r\n"), 0);
	assert_int_equal(site.server_count, 1);
}

/* A wrong line costs itself alone, and the first one is the one reported. */
static void wrong_lines(void **state)
{
	static const struct {
		const char *line, *message;
	} wrong[] = {
		{ "servers = 192.0.2.1", "unknown setting" },
		{ "serve = 192.0.2.1", "unknown setting" },
		{ "Server = 192.0.2.1", "unknown setting" },
		{ "= 192.0.2.1", "unknown setting" },
		{ "vlan 12", "expected NAME = VALUE" },
		{ "vlan", "expected NAME = VALUE" },
		{ "vlan 12 13", "expected NAME = VALUE" },
		{ "server =", "expected NAME = VALUE" },
		{ "vlan = ,", "expected NAME = VALUE" },
		{ "vlan = 4095", "wrong value" },
		{ "vlan = 0", "wrong value" },
		{ "vlan = 00000000000000000012", "wrong value" },
		{ "vlan = -1", "wrong value" },
		{ "vlan = 12 13", "wrong value" },
		{ "gateway = 192.0.2.1 192.0.2.2", "wrong value" },
		{ "gateway = 192.0.2.256", "wrong value" },
		{ "gateway = 192.0.2.1.1.1.1.1.1.1.1", "wrong value" },
		{ "address = 192.0.2.1", "wrong value" },
		{ "address = 192.0.2.1/31", "wrong value" },
		{ "address = 192.0.2.1/0", "wrong value" },
		{ "address = 0.0.0.0/24", "wrong value" },
		{ "address = 192.0.2.1/0000000024", "wrong value" },
		{ "address = 192.0.2.1/24 192.0.2.2/24", "wrong value" },
		{ "gateway = 255.255.255.255", "wrong value" },
		{ "tftp-server = 127.0.0.1", "wrong value" },
		{ "server = 192.0.2.1 224.0.0.1", "wrong value" },
		{ "address = 192.0.2.1/", "wrong value" },
		{ "address = /24", "wrong value" },
		{ "server = 1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5", "wrong value" },
		{ "server = prebootd.example", "wrong value" },
		{ "tftp-server = =", "wrong value" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		char text[200];

		snprintf(text, sizeof(text), "gateway = 192.0.2.9\n%s\nfoo\nvlan = 7\n",
		         wrong[i].line);
		memset(&site, 0xff, sizeof(site));
		if (parse(text) != ERR_MALFORMED)
			fail_msg("'%s' was taken", wrong[i].line);
		assert_int_equal(error.line, 2);
		assert_string_equal(error.message, wrong[i].message);
		assert_int_equal(site.vlan, 7);
		assert_address(site.gateway, 192, 0, 2, 9);
		assert_int_equal(site.server_count, 0);
		assert_address(site.address, 0, 0, 0, 0);
		assert_address(site.netmask, 0, 0, 0, 0);
		assert_address(site.tftp_server, 0, 0, 0, 0);
	}
}

/* A line that is wrong does not undo one before it that is right. */
static void the_last_right_line_counts(void **state)
{
	(void)state;
	assert_int_equal(parse("server = 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4\n"
	                       "server = 192.0.2.5 192.0.2.6\n"),
	                 0);
	assert_int_equal(site.server_count, 2);
	assert_address(site.servers[0], 192, 0, 2, 5);
	assert_int_equal(parse("vlan = 7\nvlan = 8\nserver = 192.0.2.1\nserver = 192.0.2.2 none\n"
	                       "address = 192.0.2.9/24\naddress = 192.0.2.300/8\n"),
	                 ERR_MALFORMED);
	assert_int_equal(error.line, 4);
	assert_int_equal(site.vlan, 8);
	assert_int_equal(site.server_count, 1);
	assert_address(site.servers[0], 192, 0, 2, 1);
	assert_address(site.address, 192, 0, 2, 9);
	assert_address(site.netmask, 255, 255, 255, 0);
}

/* What lies beyond the limit is not read, and no line is read in part. */
static void a_file_that_is_too_long(void **state)
{
	static const char line[] = "server = 192.0.2.10\n";
	char text[SITE_SIZE_MAX + 200];

	(void)state;
	for (size_t over = 0; over < sizeof(line); over++) {
		size_t at = SITE_SIZE_MAX - (sizeof(line) - 1) + over;

		memset(text, '#', sizeof(text));
		memcpy(text, "vlan = 7\n", 9);
		text[at - 1] = '\n';
		memcpy(text + at, line, sizeof(line) - 1);
		assert_int_equal(site_parse(text, at + sizeof(line) - 1, &site, &error),
		                 over ? ERR_MALFORMED : 0);
		assert_int_equal(site.vlan, 7);
		assert_int_equal(site.server_count, over ? 0 : 1);
		if (over) {
			assert_int_equal(error.line, 3);
			assert_string_equal(error.message, "beyond 4096 bytes");
		}
		/* More follows. */
		assert_int_equal(site_parse(text, sizeof(text), &site, &error), ERR_MALFORMED);
		assert_int_equal(site.server_count, over ? 0 : 1);
	}
	memset(text, '#', sizeof(text));
	memcpy(text, "foo\n", 4);
	assert_int_equal(site_parse(text, sizeof(text), &site, &error), ERR_MALFORMED);
	assert_int_equal(error.line, 1);
	assert_string_equal(error.message, "unknown setting");
	memset(text, '#', sizeof(text));
	assert_int_equal(site_parse(text, sizeof(text), &site, &error), ERR_MALFORMED);
	assert_int_equal(error.line, 1);
}

/* Any byte may be in a file that somebody else wrote: each reading has an end. */
static void any_bytes(void **state)
{
	uint8_t bytes[300];

	(void)state;
	for (unsigned int seed = 0; seed < 2000; seed++) {
		srand(seed);
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = rand() % 3 ? (uint8_t)rand()
			                      : (uint8_t) "server=./\n# 12"[rand() % 14];
		site_parse(bytes, sizeof(bytes), &site, &error);
		assert_in_range(site.server_count, 0, POLICY_SERVERS_MAX);
	}
}

/* The site's servers come before those of any option, and its TFTP server before siaddr. */
static void goes_over_a_packet(void **state)
{
	uint8_t packet[548] = { 2 };
	const uint8_t options[] = { 0x63, 0x82, 0x53, 0x63, 53, 1, 5, 224, 4, 10, 0, 0, 1,
		                    131, 4, 10, 0, 0, 2, 255 };
	struct dhcp_packets packets = { .ack = { packet, sizeof(packet) } };
	struct dhcp_lease lease;

	(void)state;
	packet[16] = packet[20] = 10;
	memcpy(packet + 236, options, sizeof(options));
	parse("server = 192.0.2.1 192.0.2.2\ntftp-server = 192.0.2.3\n");
	assert_int_equal(site_apply(&site, packet, sizeof(packet)), 0);
	assert_int_equal(dhcp_read(&packets, &lease), 0);
	assert_int_equal(lease.policy_server_count, 2);
	assert_address(lease.policy_servers[1], 192, 0, 2, 2);
	assert_address(lease.boot_server, 192, 0, 2, 3);
	parse("");
	assert_int_equal(site_apply(&site, packet, sizeof(packet)), 0);
	assert_int_equal(dhcp_read(&packets, &lease), 0);
	assert_address(lease.policy_servers[0], 192, 0, 2, 1);
	assert_address(lease.boot_server, 192, 0, 2, 3);
}

static void a_static_address(void **state)
{
	static const uint8_t mac[6] = { 0x52, 0x54, 0, 1, 2, 3 };
	uint8_t packet[1472];
	struct dhcp_packets packets = { .ack = { packet, sizeof(packet) } };
	struct dhcp_lease lease;

	(void)state;
	parse("server = 192.0.2.1\naddress = 192.0.2.50/24\ngateway = 192.0.2.254\n");
	memset(packet, 0xff, sizeof(packet));
	assert_int_equal(site_packet(&site, mac, packet, sizeof(packet)), sizeof(packet));
	assert_int_equal(dhcp_read(&packets, &lease), 0);
	assert_address(lease.address, 192, 0, 2, 50);
	assert_address(lease.netmask, 255, 255, 255, 0);
	assert_address(lease.router, 192, 0, 2, 254);
	assert_address(lease.policy_servers[0], 192, 0, 2, 1);
	assert_memory_equal(packet + 28, mac, sizeof(mac));
	assert_int_equal(packet[0], 2); /* as from a server */
	for (size_t i = 300; i < sizeof(packet); i++)
		assert_int_equal(packet[i], 0);
	parse("server = 192.0.2.1\naddress = 192.0.2.50/24\n");
	assert_int_equal(site_packet(&site, mac, packet, sizeof(packet)), sizeof(packet));
	assert_null(dhcp_find_option((struct span){ packet, sizeof(packet) }, DHCP_ROUTER).data);
	assert_int_equal(site_packet(&site, mac, packet, 200), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_each_setting), cmocka_unit_test(nothing_is_set),
		cmocka_unit_test(notepad_writes_a_mark), cmocka_unit_test(wrong_lines),
		cmocka_unit_test(the_last_right_line_counts),
		cmocka_unit_test(a_file_that_is_too_long),
		cmocka_unit_test(any_bytes), cmocka_unit_test(goes_over_a_packet),
		cmocka_unit_test(a_static_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
