/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_MODEL_SERIALS_H
#define SERVER_MODEL_SERIALS_H

#include "nbp/proto/message.h"

/*
 * What a machine reports of its serial numbers, which distinguish it from another one with the
 * same UUID. What manufacturers leave in them ("To be filled by O.E.M.") counts as none.
 */
struct serials {
	char model[2 * TEXT_SIZE]; /* manufacturer and product */
	char serial[TEXT_SIZE];    /* of the system; empty: none */
	char board[TEXT_SIZE];     /* of the base board; likewise */
};

void serials_of(const struct request *request, struct serials *serials);

enum likeness {
	LIKENESS_UNKNOWN,   /* the serial numbers do not say */
	LIKENESS_SAME,      /* the same model with the same number: one machine */
	LIKENESS_DIFFERENT, /* two machines */
};

/** Compares system with system and board with board; one that differs counts most. */
enum likeness serials_compare(const struct serials *one, const struct serials *other);

/** Returns a hash of both numbers; 0: there is none. */
uint32_t serials_hash(const struct serials *serials);

#endif
