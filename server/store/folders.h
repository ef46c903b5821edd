/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_FOLDERS_H
#define SERVER_STORE_FOLDERS_H

#include "server/model/folder.h"
#include "server/store/store.h"

/* Functions return 0 or the ERR_ values of store.h. */

/** Finds a folder. ERR_MALFORMED: @path is not one at all. */
int folder_find(struct store *store, const char *path, uint64_t *id);
/** Finds a folder by its name in @parent, 0: at the top. */
int folder_child(struct store *store, uint64_t parent, const char *name, uint64_t *id);
/** Writes the path of a folder; "/" for 0. */
int folder_path(struct store *store, uint64_t id, char path[FOLDER_PATH]);
/** Reads which folder it is in; 0: it is at the top. */
int folder_parent(struct store *store, uint64_t id, uint64_t *parent);
/** Counts the names in its path, and the levels of folders below it. */
int folder_depth(struct store *store, uint64_t id, uint32_t *depth);
int folder_height(struct store *store, uint64_t id, uint32_t *height);
/** Says whether @id is @above or below that. */
int folder_within(struct store *store, uint64_t id, uint64_t above, bool *within);

int folder_add(struct store *store, uint64_t parent, const char *name, uint64_t *id);
int folder_move(struct store *store, uint64_t id, uint64_t parent);
int folder_rename(struct store *store, uint64_t id, const char *name);
/** Moves the folders and devices that are in @id to the one around it. */
int folder_empty(struct store *store, uint64_t id, uint64_t parent);
/** Removes a folder that is empty, with its settings and assignments. */
int folder_remove(struct store *store, uint64_t id);

/* A folder in a list; the top is one too, with the id 0 and the name "/". */
struct folder_row {
	uint64_t id;
	uint32_t depth; /* of its path */
	char name[NAME_SIZE];
	uint64_t folders, devices; /* in it, not further below */
	uint64_t settings, assignments; /* made for it */
};

/** Starts a list of @id and all below it, each folder before those in it. */
int folder_list(struct store *store, uint64_t id, struct store_rows **rows);
void folder_row(struct store_rows *row, struct folder_row *out);

/** Reads or says which folder a device is in; 0: in none. */
int device_folder(struct store *store, uint64_t device, uint64_t *folder);
int device_move(struct store *store, uint64_t device, uint64_t folder);

/**
 * Starts a list of the devices in @folder or below it, 0: of all, by name. Take
 * each with device_row().
 */
int folder_devices(struct store *store, uint64_t folder, struct store_rows **rows);

/**
 * Makes the table temp.folder_path, in which each folder has its path, as the queries of whole.h
 * and faults.h need it. A folder that is within itself has none.
 */
int folder_write_paths(struct store *store);
/** Adds the path of a folder that has been inserted since. */
int folder_add_path(struct store *store, uint64_t id, const char *path);

#endif
