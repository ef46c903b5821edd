/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_MEMORY_H
#define SERVER_STORE_MEMORY_H

#include "server/store/store.h"

/*
 * What prebootd keeps in memory of the database: whole tables, in the order in which they are put
 * there, and what has changed since. Only the columns that decisions need are read, as there may be
 * a million devices. Rows are taken with store_number() and so on.
 *
 * Functions return 0 or the ERR_ values of store.h.
 */

/* What many devices share. The columns of each: */
enum catalog_table {
	CATALOG_FOLDERS,     /* id, name, parent (0: none); by id */
	CATALOG_GROUPS,      /* id, name; by id */
	CATALOG_BUNDLES,     /* id, name, kind, the loaders, config, prefix, details,
	                       attempts, deadline, completes; by id */
	CATALOG_RULES,       /* id, name, bundle, applies, filter, repeat, enabled; in their
	                        order */
	CATALOG_SESSIONS,    /* id, name, bundle, state, clients, wait, last_joined, joined; by
	                        id */
	/* id, bundle, level, owner, mode, until, added; of no device; by level, owner, id */
	CATALOG_ASSIGNMENTS,
	CATALOG_UUIDS,       /* as uuid_row() takes them; by UUID */
	CATALOG_SETTINGS,    /* owner (0: global, else a folder), key, value; by owner, key */
};

int catalog_list(struct store *store, enum catalog_table table, struct store_rows **rows);

/* What belongs to one device each. Column 0 is the device, by which they are ordered; then: */
enum device_table {
	DEVICE_ITSELF,      /* name, uuid, isd, claim_uuid, claim_mac, added, folder */
	DEVICE_MACS,        /* mac */
	DEVICE_GROUPS,      /* group */
	DEVICE_SESSIONS,    /* session, joined */
	DEVICE_OUTCOMES,       /* kind, id, state: see the table past */
	DEVICE_ASSIGNMENTS, /* id, bundle, mode, until, added */
	DEVICE_SETTINGS,    /* key, value */
	DEVICE_CARDS,       /* mac, serial, board */
	DEVICE_TABLES,
};

/** Starts a list of the rows of the devices with ids from @low to @high. */
int device_table_list(struct store *store, enum device_table table, int64_t low, int64_t high,
                      struct store_rows **rows);

/* How many there are of what devices are found by. */
struct device_keys {
	int64_t ids, uuids, isds, macs;
};

int device_count_keys(struct store *store, struct device_keys *keys);

/** Starts a list of the changes after @after: number, device (0: of what many share); by number. */
int change_list(struct store *store, int64_t after, struct store_rows **rows);
/** Reads the number of the newest change that is in the table; 0: there is none. */
int change_newest(struct store *store, int64_t *number);
/** Reads the highest number that a change ever had; 0: there was none. */
int change_last_number(struct store *store, int64_t *number);
/** Deletes changes up to that number. */
int change_forget(struct store *store, int64_t number);

#endif
