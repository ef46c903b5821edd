/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dhcp_packet.h"

#include "nbp/proto/error.h"

/* Options that are set in a packet, or removed from it. */

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
	assert_int_equal(
		dhcp_set_handover(packet, PACKET, &(struct handover){ "c", "p/", NULL, NULL }), 0);
	assert_memory_equal(packet + 240, both, sizeof(both));
	/* The site's options are meant for its own loader, and must not reach ours. */
	assert_int_equal(
		dhcp_set_handover(packet, PACKET, &(struct handover){ "d", "", NULL, NULL }), 0);
	assert_memory_equal(packet + 240, without, sizeof(without));
	assert_int_equal(
		dhcp_set_handover(packet, PACKET, &(struct handover){ "", "", NULL, NULL }), 0);
	assert_memory_equal(packet + 240, ((uint8_t[]){ 255, 0 }), 2);
	assert_int_equal(dhcp_set_handover(packet, 243, &(struct handover){ "d", "", NULL, NULL }),
	                 ERR_SPACE);
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

/* Loader and NBP must use the same server if the packet names none, or another one. */
static void names_the_server_that_was_used(void **state)
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
	assert_memory_equal(packet + 20, server, 4);
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

static void leaves_a_damaged_overloaded_field_alone(void **state)
{
	static const uint8_t options[] = { 52, 1, 3, 255 };
	static const uint8_t damaged[] = { 209, 1, 'x', 66, 200 };
	uint8_t packet[PACKET];

	(void)state;
	make_packet(packet, options, sizeof(options));
	memcpy(packet + 108, damaged, sizeof(damaged));
	assert_int_equal(
		dhcp_set_handover(packet, PACKET, &(struct handover){ "c", "", NULL, NULL }), 0);
	assert_memory_equal(packet + 108, damaged, sizeof(damaged));
	assert_memory_equal(packet + 240, ((uint8_t[]){ 52, 1, 3, 209, 1, 'c', 255 }), 7);
	/* Without space for the prefix the file is not set either. */
	assert_int_equal(
		dhcp_set_handover(packet, 247, &(struct handover){ "c", "p/", NULL, NULL }),
		ERR_SPACE);
	assert_memory_equal(packet + 240, ((uint8_t[]){ 52, 1, 3, 209, 1, 'c', 255 }), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_an_option),
		cmocka_unit_test(sets_only_what_fits_and_else_changes_nothing),
		cmocka_unit_test(refuses_what_is_no_dhcp_packet),
		cmocka_unit_test(drops_the_option_from_overloaded_fields),
		cmocka_unit_test(sets_the_handover),
		cmocka_unit_test(adds_the_record),
		cmocka_unit_test(names_the_server_that_was_used),
		cmocka_unit_test(drops_the_sites_own_options),
		cmocka_unit_test(leaves_a_damaged_overloaded_field_alone),
	};

	return cmocka_run_group_tests_name("dhcp_set", tests, NULL, NULL);
}
