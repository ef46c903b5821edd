/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_MODEL_ASSIGNMENT_H
#define SERVER_MODEL_ASSIGNMENT_H

#include <stdint.h>

#include "server/model/bundle.h"
#include "server/model/owner.h"

/* Who is to get which bundle, and for how long. */

enum assignment_mode { ASSIGN_ONCE, ASSIGN_ALWAYS, ASSIGN_UNTIL };

struct assignment {
	uint64_t id;
	const struct bundle *bundle;
	enum level level;
	uint64_t owner;  /* the folder, group or device; 0 with LEVEL_GLOBAL */
	enum assignment_mode mode;
	int64_t until;   /* Unix time, with ASSIGN_UNTIL */
	int64_t added;
};

/* The names of modes, by value; NULL past the last. */
extern const char *const assignment_mode_names[];

/** Returns the name of a mode, in static memory. */
const char *assignment_mode_name(enum assignment_mode mode);
/** Finds a mode by its name. Returns 0 or ERR_NOT_FOUND. */
int assignment_mode_parse(const char *name, enum assignment_mode *mode);

#endif
