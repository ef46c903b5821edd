/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nbp/proto/error.h"
#include "nbp/proto/power_on.h"
#include "server/agent/agent.h"
#include "server/net/endpoint.h"

/* What the agent finds out by itself in a booted system. */

static void put_file(const char *root, const char *name, const char *text)
{
	char path[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s%s", root, name);
	for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(path);
}

static void remove_all(const char *root)
{
	nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#define UUID "4c4c4544-0034-4d10-8052-b4c04f4a3232\n"

static void test_look_around(void **state)
{
	static const struct {
		const char *cmdline, *uuid; /* NULL: no such file */
		int expected;
		const char *server;
		uint8_t mac[6];
	} cases[] = {
		{ "BOOT_IMAGE=boot/kernel quiet ip=10.0.2.15:10.0.2.2:10.0.2.1:255.255.255.0 "
		  "BOOTIF=01-52-54-00-12-34-56\n", UUID, 0, "10.0.2.2:13331",
		  { 0x52, 0x54, 0, 0x12, 0x34, 0x56 } },
		{ "prebootwork.server=192.0.2.1:99 ip=10.0.2.15:10.0.2.2::\n", UUID, 0,
		  "192.0.2.1:99", { 0 } },
		{ "prebootwork.server=192.0.2.1", UUID, 0, "192.0.2.1:13331", { 0 } },
		{ "ip=10.0.2.15:10.0.2.2 BOOTIF=01-52-54-00-12-34-56", NULL, 0, "10.0.2.2:13331",
		  { 0x52, 0x54, 0, 0x12, 0x34, 0x56 } },
		{ "prebootwork.server=boot.example ip=10.0.2.15:10.0.2.2::", UUID, ERR_MALFORMED,
		  "", { 0 } },
		{ "ip=dhcp", UUID, ERR_MALFORMED, "", { 0 } },
		{ "ip=10.0.2.15:0.0.0.0:10.0.2.1:255.255.255.0", UUID, ERR_MALFORMED, "", { 0 } },
		{ "ip=10.0.2.15:10.0.2.222222222222222222222222:10.0.2.1", UUID, ERR_MALFORMED, "",
		  { 0 } },
		{ "xip=10.0.2.15:10.0.2.2", UUID, ERR_MALFORMED, "", { 0 } },
		{ "ip=10.0.2.15:10.0.2.2 BOOTIF=20-52-54", NULL, ERR_MALFORMED, "", { 0 } },
		{ "ip=10.0.2.15:10.0.2.2", "Not Settable\n", ERR_MALFORMED, "", { 0 } },
		{ NULL, NULL, ERR_MALFORMED, "", { 0 } },
	};
	char root[] = "/tmp/preboot-agent-XXXXXX", text[32];

	(void)state;
	assert_non_null(mkdtemp(root));
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct agent agent = { 0 };
		const char *wrong = "";

		remove_all(root);
		mkdir(root, 0700);
		if (cases[i].cmdline)
			put_file(root, "/proc/cmdline", cases[i].cmdline);
		if (cases[i].uuid)
			put_file(root, "/sys/class/dmi/id/product_uuid", cases[i].uuid);
		assert_int_equal(agent_read_facts(&agent, root, &wrong), cases[i].expected);
		assert_int_equal(cases[i].expected != 0, wrong[0] != '\0');
		if (cases[i].expected)
			continue;
		endpoint_format(&agent.server, text, sizeof(text));
		assert_string_equal(text, cases[i].server);
		assert_memory_equal(agent.identity.mac, cases[i].mac, 6);
		assert_int_equal(agent.identity.uuid[0], cases[i].uuid ? 0x4c : 0);
	}
	remove_all(root);
}

/* What is given counts more than what is found. */
static void test_given(void **state)
{
	char root[] = "/tmp/preboot-agent-XXXXXX", text[32];
	struct agent agent = { .identity = { .mac = { 2, 0, 0, 0, 0, 1 }, .uuid = { 1 } } };
	const char *wrong;

	(void)state;
	assert_non_null(mkdtemp(root));
	put_file(root, "/proc/cmdline", "prebootwork.server=nonsense BOOTIF=01-52-54-00-12-34-56");
	put_file(root, "/sys/class/dmi/id/product_uuid", UUID);
	assert_int_equal(endpoint_parse("192.0.2.9:7", &agent.server), 0);
	assert_int_equal(agent_read_facts(&agent, root, &wrong), 0);
	endpoint_format(&agent.server, text, sizeof(text));
	assert_string_equal(text, "192.0.2.9:7");
	assert_int_equal(agent.identity.mac[5], 1);
	assert_int_equal(agent.identity.uuid[0], 1);
	remove_all(root);
}

static void test_endpoints(void **state)
{
	static const char *const bad[] = {
		"", "x", "1.2.3", "1.2.3.4.5", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:65536",
		"1.2.3.4:-1", "1.2.3.4:1 ", " 1.2.3.4", "1.2.3.256",
		"111.222.111.2222:5", "::1", "1.2.3.4:0x10",
	};
	struct sockaddr_in endpoint;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(endpoint_parse(bad[i], &endpoint), ERR_MALFORMED);
	assert_int_equal(endpoint_parse("255.255.255.255:65535", &endpoint), 0);
	assert_int_equal(endpoint_parse(":7", &endpoint), 0);
	assert_int_equal(endpoint.sin_addr.s_addr, 0);
	assert_int_equal(ntohs(endpoint.sin_port), 7);
}

static void put_record(const char *root, const char *name, size_t place, const uint8_t *record)
{
	char path[200];
	FILE *file;

	put_file(root, name, "");
	snprintf(path, sizeof(path), "%s%s", root, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fseek(file, (long)place, SEEK_SET), 0);
	assert_int_equal(fwrite(record, 1, POWER_ON_SIZE, file), POWER_ON_SIZE);
	fclose(file);
}

/* Damaged, or of a boot that went to its disk, it says nothing; options come before it. */
static void test_record(void **state)
{
	static const char variable[] = "/sys/firmware/efi/efivars/"
		"OpenPrebootPowerOn-6134f6a1-f8d4-4743-96c8-0403611a5ec3";
	struct power_on left = { POWER_ON_LOCAL, { 192, 0, 2, 9 }, { 1, 2, 3, 4, 5, 6, 7, 8 } };
	uint8_t record[POWER_ON_SIZE];
	char root[] = "/tmp/agent-XXXXXX";
	struct agent agent;

	(void)state;
	assert_non_null(mkdtemp(root));
	for (int i = 0; i < 4; i++) {
		const char *name = i < 3 ? "/dev/mem" : variable;

		left.state = i ? POWER_ON_HANDED_OVER : POWER_ON_LOCAL;
		power_on_encode(&left, record);
		record[9] ^= i == 1;
		put_record(root, name, i < 3 ? 0x4f0 : 4, record);
		memset(&agent, 0, sizeof(agent));
		assert_int_equal(agent_read_record(&agent, root), i < 2 ? ERR_NOT_FOUND : 0);
		assert_int_equal(ntohs(agent.server.sin_port), i < 2 ? 0 : POLICY_PORT);
		if (i >= 2) {
			assert_memory_equal(&agent.server.sin_addr, left.server, 4);
			assert_memory_equal(agent.token, left.token, TOKEN_SIZE);
		}
	}
	memset(&agent, 0, sizeof(agent));
	agent.token[0] = 9;
	agent.server.sin_port = htons(7);
	assert_int_equal(agent_read_record(&agent, root), 0);
	assert_int_equal(ntohs(agent.server.sin_port), 7);
	assert_int_equal(agent.token[0], 9);
	remove_all(root);
}

/* Cards of Ethernet's kind, in the order of their names. */
static void test_macs(void **state)
{
	char root[] = "/tmp/agent-XXXXXX";
	struct agent agent = { 0 };

	(void)state;
	assert_non_null(mkdtemp(root));
	agent_read_macs(&agent, root);
	assert_int_equal(agent.mac_count, 0);
	put_file(root, "/sys/class/net/br0/type", "1\n");
	put_file(root, "/sys/class/net/br0/address", "02:00:00:00:00:01\n");
	put_file(root, "/sys/class/net/ib0/type", "32\n");
	put_file(root, "/sys/class/net/ib0/device/x", "");
	put_file(root, "/sys/class/net/ib0/address", "02:00:00:00:00:02\n");
	put_file(root, "/sys/class/net/eth1/type", "1\n");
	put_file(root, "/sys/class/net/eth1/device/x", "");
	put_file(root, "/sys/class/net/eth1/address", "02:00:00:00:00:04\n");
	put_file(root, "/sys/class/net/eth0/type", "1\n");
	put_file(root, "/sys/class/net/eth0/device/x", "");
	put_file(root, "/sys/class/net/eth0/address", "02:00:00:00:00:03\n");
	agent_read_macs(&agent, root);
	assert_int_equal(agent.mac_count, 2);
	assert_int_equal(agent.macs[0][5], 3);
	assert_int_equal(agent.macs[1][5], 4);
	remove_all(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_look_around),
		cmocka_unit_test(test_given),
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_macs),
	};

	return cmocka_run_group_tests_name("agent", tests, NULL, NULL);
}
