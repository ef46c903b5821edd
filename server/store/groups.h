/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_GROUPS_H
#define SERVER_STORE_GROUPS_H

#include "server/model/folder.h"
#include "server/store/store.h"

/* Groups of devices, across folders. Functions return 0 or the ERR_ values of store.h. */

int group_find(struct store *store, const char *name, uint64_t *id);
int group_name(struct store *store, uint64_t id, char name[NAME_SIZE]);
int group_add(struct store *store, const char *name, uint64_t *id);
int group_rename(struct store *store, uint64_t id, const char *name);
/** Removes a group, its memberships and its assignments. */
int group_remove(struct store *store, uint64_t id);

/** Makes a device a member. ERR_REFUSED: it is one. */
int group_join(struct store *store, uint64_t id, uint64_t device);
/** Ends that. ERR_NOT_FOUND: it is none. */
int group_leave(struct store *store, uint64_t id, uint64_t device);

/* A group in a list. */
struct group_row {
	uint64_t id;
	char name[NAME_SIZE];
	uint64_t devices, assignments;
};

/** Starts a list of all groups by name, or of those of @device, unless it is 0. */
int group_list(struct store *store, uint64_t device, struct store_rows **rows);
void group_row(struct store_rows *row, struct group_row *out);

/** Starts a list of the members by name; take each with device_row(). */
int group_devices(struct store *store, uint64_t id, struct store_rows **rows);

#endif
