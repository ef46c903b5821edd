/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/model/owner.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "server/model/names.h"

/* The database holds these, so they must not change. */
static const char *const levels[] = {
	[LEVEL_DEFAULT] = "", [LEVEL_GLOBAL] = "global", [LEVEL_FOLDER] = "folder",
	[LEVEL_GROUP] = "group", [LEVEL_DEVICE] = "device",
};

const char *level_name(enum level level)
{
	return levels[level];
}

int level_parse(const char *name, enum level *level)
{
	int value = strcmp(name, "zone") == 0 ? LEVEL_GLOBAL : NAMES_FIND(levels, name);

	if (value < LEVEL_GLOBAL)
		return ERR_NOT_FOUND;
	*level = (enum level)value;
	return 0;
}
