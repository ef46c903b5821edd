/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_INDEX_CATALOG_READ_H
#define SERVER_INDEX_CATALOG_READ_H

#include "server/index/warnings.h"

struct catalog;
struct store;

/**
 * Reads the catalog. What is unsound in it is left out, with a line in @warnings.
 * Returns 0 with *@catalog, for catalog_free(); ERR_SPACE, or the ERR_ values of store.h.
 */
int catalog_read(struct store *store, struct catalog **catalog, struct warnings *warnings);

#endif
