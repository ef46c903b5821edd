/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_EVENTS_H
#define SERVER_STORE_EVENTS_H

#include "server/model/job.h"
#include "server/store/store.h"

#define EVENTS_PER_DEVICE 200 /* of each source: its machine, conflicts, all else; the oldest are
                                 deleted for the newest; a boot has a dozen */
#define EVENTS_EXPIRE 1000    /* are looked at for their age at once */
#define EVENTS_SLACK 16       /* so many more there may be for a while */

/* Something that happened to a device, as the server saw it or the NBP reported it. */
struct event_record {
	uint64_t device;
	int64_t time;          /* Unix time, by the server's clock */
	uint32_t time_ms;      /* the millisecond of its second */
	uint8_t boot[NONCE_SIZE]; /* the boot's nonce; zeros: of no boot */
	char step[16];         /* "offered", "begun", "handover", ... */
	uint64_t job;        /* 0: none */
	uint32_t milliseconds; /* since the NBP's start; 0: the server's own event */
	char reason[REASON_SIZE];
};

/** Names an enum event_code for people, in static memory. */
const char *event_name(uint8_t code);
/** Returns the step at @index, from 0, of all that events may have; NULL past the last. */
const char *event_step_at(size_t index);

/** Adds @event, and now and then drops its device's oldest of that kind beyond
 *  EVENTS_PER_DEVICE. */
int event_add(struct store *store, const struct event_record *event);

/** The same, unless that boot has such a step among the device's last. */
int event_add_once(struct store *store, const struct event_record *event);

/** Reads when the newest event was, Unix time; 0: there is none. */
int event_newest(struct store *store, int64_t *time);
/** Says whether there is an event from before @time, Unix time. */
int event_any_before(struct store *store, int64_t time, bool *any);
/** Forgets events from before @time, but not more than EVENTS_EXPIRE, the oldest. */
int event_expire(struct store *store, int64_t time);

/** Finds the boot to which the last offer of a job went; zeros: none. */
int event_boot_of(struct store *store, uint64_t job, uint8_t boot[NONCE_SIZE]);

/** Says whether the boot of the job's last attempt reported that it went on to its disk. */
int event_came_back(struct store *store, const struct job *job, bool *came_back);

/**
 * Finds the boot that is @back boots before the last of a device, 0: the last. A boot of which
 * there are conflicts alone is that of another machine.
 * @count: receives how many the store knows
 * ERR_NOT_FOUND: there is none.
 */
int event_find_boot(struct store *store, uint64_t device, uint32_t back,
                    uint8_t boot[NONCE_SIZE], uint32_t *count);

/** Starts a list of all of a device's events of one boot, in the order they came. */
int event_list_boot(struct store *store, uint64_t device, const uint8_t boot[NONCE_SIZE],
                    struct store_rows **rows);

/**
 * Starts a list of the last @limit events, oldest first; @device 0: of all.
 * Take each with event_row(). Returns 0 or the ERR_ values of store.h.
 */
int event_list(struct store *store, uint64_t device, uint32_t limit, struct store_rows **rows);

/* Which events to list. */
struct event_query {
	const char *devices;  /* a JSON array of their ids, of these alone; NULL: of all */
	const char *step;     /* with this step alone; NULL: with any */
	int64_t since, until; /* Unix time, both included; until 0: no end */
	uint32_t limit;       /* the last of them */
};

/** Starts such a list as event_list() does. The texts are to stay until it ends. */
int event_select(struct store *store, const struct event_query *query, struct store_rows **rows);
void event_row(struct store_rows *row, struct event_record *event);

/* Which events to list after one. */
struct event_filter {
	int64_t after; /* the number of that event; 0: all */
	bool all;      /* of all devices */
	/* Else JSON arrays of ids: of these devices, and of those in these folders and groups. */
	const char *devices, *folders, *groups;
};

/** Starts such a list, oldest first; take each with event_row(), and with these two. */
int event_list_after(struct store *store, const struct event_filter *filter,
                     struct store_rows **rows);
int64_t event_row_number(struct store_rows *row);
void event_row_device(struct store_rows *row, char name[NAME_SIZE]);
/** Reads the number of the event after which there are @limit more. */
int event_number_before(struct store *store, uint32_t limit, int64_t *number);

#endif
