/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_CTL_CTL_MULTICAST_H
#define SERVER_CTL_CTL_MULTICAST_H

#include "server/ctl/ctl.h"

/*
 * What prebootctl's verbs for multicast sessions share. Functions return 0, or an exit
 * status after having told why.
 */

/* A session that a verb works on. */
struct session_change {
	struct multicast_row row;
	unsigned int changed; /* so many devices joined or left */
};

/** Finds a session that has not started yet. */
int session_find_waiting(struct ctl *ctl, const char *name, struct multicast_row *row);
/** Makes members of all that the words behind the session's name stand for. */
int session_join_words(struct ctl *ctl, struct session_change *s);
/** Cancels what a member has to do for the session. */
int session_cancel(struct ctl *ctl, const struct session_change *s, uint64_t device,
                   const char *reason);

#endif
