/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_IDENTIFY_BENCH_H
#define TESTS_UNIT_IDENTIFY_BENCH_H

#include "tests/unit/unit.h"

#include "server/policy/identify.h"

/* A database of devices, and machines that are distinguished by it. */

struct bench {
	struct store store;
	struct index *index;
	char serial, board; /* that a machine reports of its system and board; 0: none */
	bool agent;         /* its agent asks, which reports neither these nor image-safe data */
	unsigned compared;  /* so many questions were decided by the database */
	char path[64];
};

/* What the tests call these things: one letter or digit each. */
struct known {
	const char *name;
	char isd, uuid, mac; /* '-': none */
};

struct reported {
	char isd, uuid, mac;
};

/** Makes one, of an empty database, for cmocka. */
int bench_set_up(void **state);
int bench_tear_down(void **state);
/** Writes what a letter stands for, as an id or a MAC. */
void bench_fill(uint8_t *out, size_t size, char what);
/** Adds a device; returns its number. */
uint64_t bench_add(struct bench *bench, const struct known *known);
/** Says whether one that is surely a device is found, and is found to be that one, as it must. */
bool bench_check_sure(const struct index *index, const struct sender *sender,
                const struct identification *found);
/**
 * Identifies, and compares and binds where that is due, as the server does for a request. The index
 * is loaded at the first question, and follows what comes of it.
 */
void bench_ask(struct bench *bench, const struct reported *reported, struct identification *out);
/** Asks. @expected: the device's name; NULL: it must be unknown. @note: a part of what is noted */
void bench_expect(struct bench *bench, struct reported reported, const char *expected,
                  const char *note);

#endif
