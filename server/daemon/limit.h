/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_LIMIT_H
#define SERVER_DAEMON_LIMIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * How many datagrams a second a network may send us: its share of the server's
 * time, and of what a forger of addresses can make the server send there.
 *
 * A bucket holds the time at which it will be full again: that is all a token bucket
 * needs. If more networks ask than there are buckets, the one
 * that has asked least gives up its bucket. Threads share it, without locks.
 */

#define LIMIT_RATE  10000 /* datagrams a second */
#define LIMIT_BURST 2     /* seconds' worth at once */
#define LIMIT_SETS  4096
#define LIMIT_WAYS  4

struct bucket {
	_Atomic uint64_t prefix; /* address_prefix()'s; 0: free */
	_Atomic int64_t full;    /* monotonic ns */
};

struct limit {
	int64_t cost;  /* ns for each datagram; 0: no limit */
	int64_t burst; /* ns that a bucket may lag */
	uint64_t seed;
	struct bucket buckets[LIMIT_SETS][LIMIT_WAYS];
};

/**
 * Takes one of something of which there may be one each @cost ns, and for @burst ns more
 * at once.
 * @full: when there will be all of it again; both monotonic ns
 */
bool limit_pass(_Atomic int64_t *full, int64_t cost, int64_t burst, int64_t now);

/** Starts with all buckets full. @rate: how many a second; 0: no limit */
void limit_start(struct limit *limit, uint32_t rate);

/** Takes one from @prefix, which is not 0, at @now, monotonic ns. Returns whether it may pass. */
bool limit_take(struct limit *limit, uint64_t prefix, int64_t now);

#endif
