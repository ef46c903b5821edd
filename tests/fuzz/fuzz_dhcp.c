/* SPDX-License-Identifier: BSD-2-Clause */
/* DHCP packets: they are read, then changed, and the result is checked. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "nbp/dhcp.h"
#include "nbp/proto/error.h"
#include "nbp/proto/power_on.h"

#define SNAME    44
#define FILE_AT  108
#define MAGIC_AT 236
#define OPTIONS  240

/* Reads the options of an area except @code, independently of dhcp.c. */
static size_t list_options(const uint8_t *area, size_t size, int code, uint8_t *list)
{
	size_t length = 0;

	for (size_t at = 0; at < size && area[at] != 255;) {
		size_t whole = area[at] ? 2 + (at + 1 < size ? area[at + 1] : size) : 1;

		if (whole > size - at)
			break;
		if (area[at] && area[at] != code) {
			memcpy(list + length, area + at, whole);
			length += whole;
		}
		at += whole;
	}
	return length;
}

static const uint8_t *find_option(const uint8_t *area, size_t size, int code)
{
	for (size_t at = 0; at < size && area[at] != 255; at += area[at] ? 2u + area[at + 1] : 1u) {
		if (area[at] && (at + 1 >= size || area[at + 1] > size - at - 2))
			break;
		if (area[at] == code)
			return area + at;
	}
	return NULL;
}

static void require_changed(const uint8_t *before, const uint8_t *after, size_t size, uint8_t code,
                            const uint8_t *value, size_t count)
{
	static uint8_t options[2][4096];
	const uint8_t *overload = find_option(before + OPTIONS, size - OPTIONS, DHCP_OVERLOAD);
	const uint8_t *found = find_option(after + OPTIONS, size - OPTIONS, code);
	uint8_t fields = overload && overload[1] == 1 ? overload[2] : 0;
	size_t length;

	/* The option is there, and all others as before, in their order. */
	REQUIRE(found && found[1] == count && memcmp(found + 2, value, count) == 0);
	length = list_options(before + OPTIONS, size - OPTIONS, code, options[0]);
	REQUIRE(list_options(after + OPTIONS, size - OPTIONS, code, options[1]) == length);
	REQUIRE(memcmp(options[0], options[1], length) == 0);
	/* Of the header only fields that hold options may have changed. */
	REQUIRE(memcmp(before, after, SNAME) == 0);
	REQUIRE(memcmp(before + MAGIC_AT, after + MAGIC_AT, 4) == 0);
	if (!(fields & 1))
		REQUIRE(memcmp(before + FILE_AT, after + FILE_AT, MAGIC_AT - FILE_AT) == 0);
	if (!(fields & 2))
		REQUIRE(memcmp(before + SNAME, after + SNAME, FILE_AT - SNAME) == 0);
}

static void set_option(const uint8_t *before, size_t size, uint8_t code, const uint8_t *value,
                       size_t count)
{
	uint8_t *after = malloc(size), *twice = malloc(size);
	int rc;

	memcpy(after, before, size);
	rc = dhcp_set_option(after, size, code, value, count);
	if (rc) {
		REQUIRE(rc == ERR_MALFORMED || rc == ERR_SPACE);
		REQUIRE(memcmp(before, after, size) == 0);
	} else {
		require_changed(before, after, size, code, value, count);
		memcpy(twice, after, size);
		REQUIRE(dhcp_set_option(twice, size, code, value, count) == 0);
		REQUIRE(memcmp(after, twice, size) == 0);
	}
	free(after);
	free(twice);
}

static void set_handover(const uint8_t *before, size_t size, uint8_t count)
{
	static const uint8_t record[POWER_ON_SIZE] = "OP";
	struct handover handover = { count & 2 ? "z_auto.cfg" : "", count & 1 ? "preboot/" : "",
		                     count & 4 ? (const uint8_t *)"\12\0\0\1" : NULL,
		                     count & 8 ? record : NULL };
	uint8_t *after = malloc(size);

	memcpy(after, before, size);
	if (dhcp_set_handover(after, size, &handover) == 0 && size >= OPTIONS &&
	    memcmp(before + MAGIC_AT, "\x63\x82\x53\x63", 4) == 0) {
		REQUIRE(!find_option(after + OPTIONS, size - OPTIONS, DHCP_CONFIG_FILE) ==
		        !(count & 2));
		REQUIRE(!find_option(after + OPTIONS, size - OPTIONS, DHCP_PATH_PREFIX) ==
		        !(count & 1));
	}
	/* If there is nothing to set or remove, nothing changes. */
	if (!(count & 15) && size >= OPTIONS &&
	    !find_option(before + OPTIONS, size - OPTIONS, DHCP_OVERLOAD) &&
	    !find_option(before + OPTIONS, size - OPTIONS, DHCP_CONFIG_FILE) &&
	    !find_option(before + OPTIONS, size - OPTIONS, DHCP_PATH_PREFIX))
		REQUIRE(memcmp(before, after, size) == 0);
	free(after);
}

static void read_lease(struct span discover, struct span ack, struct span reply)
{
	static const uint8_t zeros[4];
	struct dhcp_packets packets = { discover, ack, reply };
	struct dhcp_lease lease;
	int rc = dhcp_read(&packets, &lease);

	REQUIRE(rc == 0 || rc == ERR_NOT_FOUND);
	fuzz_require_text(lease.boot_file, sizeof(lease.boot_file));
	REQUIRE(lease.policy_server_count <= POLICY_SERVERS_MAX);
	REQUIRE(lease.ignored_option == 0 || lease.ignored_option == DHCP_POLICY_SERVERS ||
	        lease.ignored_option == DHCP_VENDOR ||
	        lease.ignored_option == DHCP_POLICY_SERVERS_REQUESTED);
	REQUIRE((rc == 0) == (memcmp(lease.address, zeros, 4) != 0 && lease.policy_server_count));
}

/* A code, the option's value, and the packet; the first bytes say how long each is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire in = wire_reader(data, size);
	uint8_t code = wire_read_u8(&in), count = wire_read_u8(&in);
	size_t first_size = wire_read_u16(&in), value_size, second_size, packet_size;
	struct wire rest;
	uint8_t *value, *first, *second, *packet;

	if (code == DHCP_PAD || code == DHCP_END || size > 2048)
		return 0;
	value = fuzz_take(&in, count, &value_size);
	rest = in;
	packet = fuzz_take(&rest, size, &packet_size);
	first = fuzz_take(&in, first_size, &first_size);
	second = fuzz_take(&in, size, &second_size);
	read_lease((struct span){ packet, packet_size }, (struct span){ first, first_size },
	           (struct span){ second, second_size });
	read_lease((struct span){ NULL, 0 }, (struct span){ packet, packet_size },
	           (struct span){ NULL, 0 });
	set_option(packet, packet_size, code, value, value_size);
	set_handover(packet, packet_size, count);
	free(value);
	free(packet);
	free(first);
	free(second);
	return 0;
}
