/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/model/session.h"

#include "nbp/proto/error.h"
#include "server/model/names.h"

/* The database and agents know these, so they must not change. */
const char *const session_state_names[] = {
	[SESSION_WAITING] = "waiting", [SESSION_STARTED] = "started", [SESSION_ENDED] = "ended",
		NULL,
};

const char *session_state_name(enum session_state state)
{
	return session_state_names[state];
}

int session_state_parse(const char *name, enum session_state *state)
{
	int value = NAMES_FIND(session_state_names, name);

	if (value < 0)
		return ERR_NOT_FOUND;
	*state = (enum session_state)value;
	return 0;
}
