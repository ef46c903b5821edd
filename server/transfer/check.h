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

/* Functions return 0, whatever they found, or the ERR_ values of store.h. */

/** Everything. */
int check_all(const struct check *check);
/** Each value of each row, as an import would check it. */
int check_rows(const struct check *check);

#endif
