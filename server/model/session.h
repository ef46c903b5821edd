/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_MODEL_SESSION_H
#define SERVER_MODEL_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "server/model/bundle.h"

/* Multicast sessions: members that image together. */

enum session_state { SESSION_WAITING, SESSION_STARTED, SESSION_ENDED };

struct session {
	uint64_t id;
	const struct bundle *bundle;
	char name[NAME_SIZE];
	enum session_state state;
	uint32_t clients;    /* it starts when so many have joined; 0: not by their number */
	uint32_t wait;       /* or so many seconds after the last one; 0: not by time */
	uint32_t joined;     /* so many have; not those whose job of it ended before the start */
	int64_t last_joined; /* Unix time; 0: nobody yet */
};

/* A device's membership of a session. */
struct membership {
	const struct session *session;
	bool joined;
};

/* The names of states, by value; NULL past the last. */
extern const char *const session_state_names[];

/** Returns the name of a state, in static memory. */
const char *session_state_name(enum session_state state);
/** Finds a state by its name. Returns 0 or ERR_NOT_FOUND. */
int session_state_parse(const char *name, enum session_state *state);

#endif
