/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_TRANSFER_CHECK_H
#define SERVER_TRANSFER_CHECK_H

#include "server/store/faults.h"

/* Looks for what should not be in a database. */
struct check {
	struct store *store;
	store_fault *found;
	void *data;
};

/**
 * Reports all of it: damage, and each value of each row that an import would refuse. Returns 0,
 * whatever it found, or the ERR_ values of store.h.
 */
int check_all(const struct check *check);

#endif
