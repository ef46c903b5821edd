/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_MODEL_OWNER_H
#define SERVER_MODEL_OWNER_H

#include <stdint.h>

/* The levels at which settings and assignments are made, the nearer the higher. */
enum level { LEVEL_DEFAULT, LEVEL_GLOBAL, LEVEL_FOLDER, LEVEL_GROUP, LEVEL_DEVICE };

/* Whose a setting or an assignment is. */
struct owner {
	enum level level;
	uint64_t id; /* of the folder, group or device; 0: LEVEL_DEFAULT or LEVEL_GLOBAL */
};

/** Returns the name of a level, in static memory; "" for LEVEL_DEFAULT. */
const char *level_name(enum level level);
/** Finds a level by its name, or by the one it had before. Returns 0 or ERR_NOT_FOUND. */
int level_parse(const char *name, enum level *level);

#endif
