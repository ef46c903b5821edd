/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_MODEL_FOLDER_H
#define SERVER_MODEL_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "nbp/proto/message.h"

/*
 * Folders are a tree, and a device is in one of them or in none. They are named
 * by paths, as in "/site/lab"; "/" with the id 0 is the top, which is no folder.
 * Groups are sets of devices, across folders.
 */

#define FOLDER_DEPTH 16                             /* names in a path */
#define FOLDER_PATH (FOLDER_DEPTH * NAME_SIZE + 2)  /* bytes of one, with the NUL */
#define FOLDER_DEPTH_MAX 32 /* folders within each other: what is further out does not count */

struct settings;

struct folder {
	uint64_t id;
	const struct folder *parent; /* NULL: it is at the top */
	const struct settings *settings; /* what counts here: its own, or of those around it */
	char name[NAME_SIZE];
};

struct group {
	uint64_t id;
	char name[NAME_SIZE];
};

/** Says whether @name may name a folder: as a device's, or digits only. */
bool folder_name_ok(const char *name);

#endif
