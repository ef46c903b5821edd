/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "server/daemon/lanes.h"
#include "server/net/address.h"

/* A queue that networks share: who asks much takes nobody's turn and nobody's room. */

#define ROOM 1024

struct item {
	uint64_t region, network;
	int number;
};

static int set_up(void **state)
{
	struct lanes *lanes = calloc(1, sizeof(*lanes));

	*state = lanes;
	if (lanes_open(lanes, sizeof(struct item), ROOM, eventfd(0, EFD_NONBLOCK)))
		return -1;
	/* So that who shares a lane is the same each time. */
	lanes->seed = 1;
	return 0;
}

static int tear_down(void **state)
{
	struct lanes *lanes = *state;

	close(lanes->wake);
	lanes_close(lanes);
	free(lanes);
	return 0;
}

static bool put(struct lanes *lanes, uint64_t region, uint64_t network, int number)
{
	struct item item = { region, network, number };

	return lanes_put(lanes, region, network, &item);
}

/* Fills it from @regions times @networks until nothing more goes in. */
static void flood(struct lanes *lanes, uint64_t regions, uint64_t networks)
{
	bool any = true;

	while (any) {
		any = false;
		for (uint64_t i = 0; i < regions * networks; i++)
			any |= put(lanes, 100 + i / networks, 1000 + i, 0);
	}
}

/* How many are taken until that of @region comes; -1: it does not. */
static int place_of(struct lanes *lanes, uint64_t region)
{
	struct item item;

	for (int i = 0; lanes_take(lanes, &item, 1); i++)
		if (item.region == region)
			return i;
	return -1;
}

static void test_order_and_count(void **state)
{
	struct lanes *lanes = *state;
	struct item items[ROOM];
	uint64_t woken;

	assert_int_equal(lanes_take(lanes, items, ROOM), 0);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 250; i++)
			assert_true(put(lanes, 7, 7, i));
		assert_int_equal(lanes_count(lanes), 250);
		assert_int_equal(read(lanes->wake, &woken, sizeof(woken)), sizeof(woken));
		assert_int_equal(lanes_take(lanes, items, 100), 100);
		assert_int_equal(lanes_take(lanes, items + 100, ROOM), 150);
		for (int i = 0; i < 250; i++)
			assert_int_equal(items[i].number, i);
		assert_int_equal(lanes_count(lanes), 0);
	}
}

/* Each of them, however much there is, in whatever order. */
static void test_nothing_is_lost(void **state)
{
	struct lanes *lanes = *state;
	static int seen[20000];
	unsigned random = 1;
	int in = 0, out = 0, refused = 0;
	struct item items[16];

	memset(seen, 0, sizeof(seen));
	while (in < 20000) {
		random = random * 1664525 + 1013904223;
		if (random >> 31 || lanes_count(lanes) == 0) {
			if (put(lanes, random >> 8 & 63, random >> 14 & 255, in))
				in++;
			else
				refused++;
			continue;
		}
		for (size_t i = lanes_take(lanes, items, random >> 20 & 15); i > 0; i--, out++)
			seen[items[i - 1].number]++;
	}
	for (size_t got; (got = lanes_take(lanes, items, 16)) > 0; out += (int)got)
		for (size_t i = 0; i < got; i++)
			seen[items[i].number]++;
	assert_int_equal(out, in);
	for (int i = 0; i < in; i++)
		assert_int_equal(seen[i], 1);
}

static void check_flood(struct lanes *lanes, uint64_t regions, uint64_t networks)
{
	struct item item;

	flood(lanes, regions, networks);
	assert_true(lanes_count(lanes) > ROOM / 4);
	for (int i = 0; i < 2; i++)
		assert_true(put(lanes, 1, 1, i));
	/* Its turn is among the lanes', not behind all that they hold. */
	assert_in_range(place_of(lanes, 1), 0, regions + 1);
	while (lanes_take(lanes, &item, 1))
		continue;
}

/* One network, 200 of one region, and 200 regions. */
static void test_floods(void **state)
{
	struct lanes *lanes = *state;

	check_flood(lanes, 1, 1);
	check_flood(lanes, 1, 200);
	check_flood(lanes, 200, 1);
}

/* The networks of a region take turns as well. */
static void test_neighbours(void **state)
{
	struct lanes *lanes = *state;
	struct item item;

	for (int i = 0; put(lanes, 1, 1, 0) && i < ROOM; i++)
		continue;
	assert_true(lanes_count(lanes) < ROOM / 3);
	for (uint64_t network = 2; network < 10; network++) {
		uint64_t place = 0;

		assert_true(put(lanes, 1, network, 1));
		while (lanes_take(lanes, &item, 1) && item.network != network)
			place++;
		/* Unless the hash has put them together, which it does with one of eight. */
		if (place < 3)
			return;
		while (put(lanes, 1, 1, 0))
			continue;
	}
	fail();
}

static uint64_t region_of(const char *text)
{
	union address address;

	assert_int_equal(address_parse(text, &address), 0);
	return address_region(&address);
}

static void test_regions(void **state)
{
	(void)state;
	assert_true(region_of("10.1.2.3") == region_of("10.1.255.3"));
	assert_true(region_of("10.1.2.3") != region_of("10.2.2.3"));
	assert_true(region_of("10.1.2.3") == region_of("[::ffff:10.1.9.9]"));
	assert_true(region_of("[2001:db8:1::1]") == region_of("[2001:db8:ffff::1]"));
	assert_true(region_of("[2001:db8:1::1]") != region_of("[2001:db9:1::1]"));
	assert_true(region_of("[2001:db8::1]") != 0 && region_of("0.0.0.1") != 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order_and_count), TEST(test_nothing_is_lost), TEST(test_floods),
		TEST(test_neighbours), TEST(test_regions),
	};

	return cmocka_run_group_tests_name("lanes", tests, NULL, NULL);
}
