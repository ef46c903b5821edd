/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/model/assignment.h"

#include "nbp/proto/error.h"
#include "server/model/names.h"

/* The database holds these, so they must not change. */
const char *const assignment_mode_names[] = {
	[ASSIGN_ONCE] = "once", [ASSIGN_ALWAYS] = "always", [ASSIGN_UNTIL] = "until", NULL,
};

const char *assignment_mode_name(enum assignment_mode mode)
{
	return assignment_mode_names[mode];
}

int assignment_mode_parse(const char *name, enum assignment_mode *mode)
{
	int value = NAMES_FIND(assignment_mode_names, name);

	if (value < 0)
		return ERR_NOT_FOUND;
	*mode = (enum assignment_mode)value;
	return 0;
}
