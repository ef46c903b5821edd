/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/model/session.h"

#include "nbp/proto/error.h"
#include "server/model/names.h"

/* The database and agents know these, so they must not change. */
static const char *const states[] = {
	[SESSION_WAITING] = "waiting", [SESSION_STARTED] = "started", [SESSION_ENDED] = "ended",
};

const char *session_state_name(enum session_state state)
{
	return states[state];
}

int session_state_parse(const char *name, enum session_state *state)
{
	int value = NAMES_FIND(states, name);

	if (value < 0)
		return ERR_NOT_FOUND;
	*state = (enum session_state)value;
	return 0;
}
