/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_INDEX_DUMP_H
#define TESTS_UNIT_INDEX_DUMP_H

#include "server/index/index.h"

#define POOL 24 /* ids of each kind, UUIDs and MACs, that the tests use: 1 to 24 */

/** Makes the UUID, device id or MAC of a number. */
void pool_uuid(uint8_t uuid[16], char kind, int number);
void pool_mac(uint8_t mac[6], int number);

/** Writes all that @index says, through all of its functions, to be freed. */
char *index_dump(const struct index *index);

#endif
