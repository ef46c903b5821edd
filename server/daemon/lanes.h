/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_LANES_H
#define SERVER_DAEMON_LANES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A queue of fixed capacity that networks share: from the serving threads to the writer, like
 * struct queue. Each region, an IPv4 /16 or an IPv6 /32, has a lane, and in it each network,
 * a /24 or /56, one of its own; regions take turns, and so do the networks of each. A lane may not
 * take more of the capacity than it leaves free, so there is always some for networks that ask
 * little. Lanes are found by a hash that nobody outside knows; networks with the same hash share
 * its turns.
 */

#define LANES     1024 /* regions */
#define LANE_NETS 8    /* networks in each */
#define LANE_NONE UINT32_MAX

struct lane_list {
	uint32_t first, last; /* items; LANE_NONE: there are none */
	uint32_t count;
};

struct lane {
	struct lane_list nets[LANE_NETS];
	uint32_t count;
	uint32_t next;        /* the lane whose turn is behind this one's */
	uint8_t turn;         /* of the networks */
};

struct lanes {
	pthread_mutex_t lock;
	uint8_t *items;
	uint32_t *nexts;      /* of each item, in its list or that of the free ones */
	struct lane *lanes;
	size_t size, capacity; /* of an item, bytes; how many there may be */
	size_t count;
	uint32_t free;
	uint32_t turn;        /* the lane before the one whose turn it is; LANE_NONE: all are
	                         empty */
	uint64_t seed;
	int wake;             /* an eventfd, written when there is something; the caller's */
};

/** Makes an empty queue of @capacity items. Returns 0 or ERR_SPACE. */
int lanes_open(struct lanes *lanes, size_t size, size_t capacity, int wake);
void lanes_close(struct lanes *lanes);

/** Returns how many items wait, as of just now. */
size_t lanes_count(const struct lanes *lanes);

/** Adds a copy of @item, from @network in @region. Returns false if the network may have no
 *  more. */
bool lanes_put(struct lanes *lanes, uint64_t region, uint64_t network, const void *item);

/** Takes up to @max items, one of each lane after the other, to @items. Returns how many. */
size_t lanes_take(struct lanes *lanes, void *items, size_t max);

#endif
