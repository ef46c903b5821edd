/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/lease.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"

/* The database holds these, so they must not change. */
static const char *const names[] = {
	[LEASE_PENDING] = "pending", [LEASE_OFFERED] = "offered", [LEASE_BEGUN] = "begun",
	[LEASE_DONE] = "done", [LEASE_FAILED] = "failed", [LEASE_CANCELLED] = "cancelled",
};

const char *lease_state_name(enum lease_state state)
{
	return names[state];
}

int lease_state_parse(const char *name, enum lease_state *state)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0) {
			*state = (enum lease_state)i;
			return 0;
		}
	}
	return ERR_NOT_FOUND;
}

/* The database and bundles' exports hold these, so they must not change. */
static const char *const completions[] = {
	[COMPLETION_AGENT] = "agent", [COMPLETION_HANDOVER] = "handover",
	[COMPLETION_NEXT_BOOT] = "next-boot",
};

const char *completion_name(size_t completion)
{
	return completion < sizeof(completions) / sizeof(completions[0])
	       ? completions[completion] : NULL;
}

int completion_parse(const char *name, uint8_t *completion)
{
	for (uint8_t i = 0; completion_name(i); i++) {
		if (strcmp(completions[i], name) == 0) {
			*completion = i;
			return 0;
		}
	}
	return ERR_NOT_FOUND;
}

bool lease_open(enum lease_state state)
{
	return state == LEASE_PENDING || state == LEASE_OFFERED || state == LEASE_BEGUN;
}

bool lease_overdue(const struct lease *lease, int64_t now)
{
	return lease->state == LEASE_BEGUN && now >= lease->begun + lease->deadline;
}

void lease_end(struct lease *lease, enum lease_state state, int64_t now, const char *reason)
{
	lease->state = state;
	lease->ended = now;
	text_format(lease->reason, sizeof(lease->reason), "%s", reason);
}
