/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_BUNDLES_H
#define SERVER_STORE_BUNDLES_H

#include "server/model/bundle.h"
#include "server/store/store.h"

/* Functions return 0 or the ERR_ values of store.h. */

int bundle_find(struct store *store, const char *name, struct bundle_whole *bundle);
int bundle_by_id(struct store *store, uint64_t id, struct bundle_whole *bundle);
/** Stores a new bundle; sets its id. */
int bundle_add(struct store *store, struct bundle_whole *bundle);
/** Stores all of a bundle but when it was added. */
int bundle_change(struct store *store, const struct bundle_whole *bundle);
/** Removes a bundle. ERR_REFUSED: an assignment, a rule or a session has it. */
int bundle_remove(struct store *store, uint64_t id);
/** Starts a list of all bundles by name; take each with bundle_row(). */
int bundle_list(struct store *store, struct store_rows **rows);
void bundle_row(struct store_rows *row, struct bundle_whole *bundle);

/* How many there are of what has to do with a bundle. */
struct bundle_uses {
	uint64_t assignments, rules, sessions; /* that have it */
	uint64_t open, done, failed;           /* jobs made of it */
};

int bundle_uses(struct store *store, uint64_t id, struct bundle_uses *uses);

#endif
