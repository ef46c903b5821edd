/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_EVENTS_H
#define SERVER_EVENTS_H

#include "lease.h"
#include "store.h"

#define EVENTS_PER_DEVICE 100 /* the oldest make room for the newest */

/* Something that happened to a device, at the server or as the NBP tells it. */
struct happening {
	uint64_t device;
	int64_t time;          /* Unix time */
	char step[16];         /* "offered", "begun", "handover", ... */
	uint64_t lease;        /* 0: none */
	uint32_t milliseconds; /* since the NBP's start; 0: the server's own event */
	char reason[REASON_SIZE];
};

/** Names an enum event_code for people, in static memory. */
const char *event_name(uint8_t code);

/** Adds @event, and drops its device's oldest beyond EVENTS_PER_DEVICE. */
int event_add(struct store *store, const struct happening *event);

/**
 * Starts a list of the last @limit events, oldest first; @device 0: of all.
 * Take each with event_row(). Returns 0 or the ERR_ values of store.h.
 */
int event_list(struct store *store, uint64_t device, uint32_t limit, sqlite3_stmt **rows);
void event_row(sqlite3_stmt *row, struct happening *event);

#endif
