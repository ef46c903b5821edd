/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_STORE_PLACE_H
#define TESTS_UNIT_STORE_PLACE_H

#include "tests/unit/unit.h"

#include "server/store/store.h"

/* A folder of its own for each test, and the database's path in it. */

struct place {
	char folder[64];
	char path[96];
};

/** As most tests open it: makes it where it is not there. */
extern const struct store_options create;

/** Makes a folder, without a database, for cmocka. */
int place_set_up(void **state);
int place_tear_down(void **state);
/** Returns how many files there are in the folder; with @remove they are gone then. */
size_t count_files(const struct place *place, bool remove);

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_set_up, place_tear_down)

#endif
