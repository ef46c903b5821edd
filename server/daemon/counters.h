/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_COUNTERS_H
#define SERVER_DAEMON_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

/*
 * What the daemon counts. Each thread has counters of its own, which it alone changes, and
 * others may read them meanwhile.
 */

/* Why a datagram got no answer. */
enum drop {
	DROP_TRUNCATED, /* these five are message_decode()'s */
	DROP_MALFORMED,
	DROP_VERSION,
	DROP_CRITICAL,
	DROP_TYPE,      /* an answer, and we ask nobody */
	DROP_PEER,      /* from port 0: nobody can be answered there */
	DROP_SMALL,     /* the answer would be larger than the question */
	DROP_STORE,     /* the database failed or was busy */
	DROP_SEND,      /* the network did not take the answer */
	DROP_LIMIT,     /* its network has asked too much */
	DROP_QUEUE,     /* the queue to the database is full */
	DROP_COUNT,
};

enum asked { ASKED_REQUEST, ASKED_QUERY, ASKED_REPORT, ASKED_EVENT, ASKED_COUNT };

enum answered {
	ANSWERED_JOB,    /* requests: there is work */
	ANSWERED_LOCAL,   /* none for this device */
	ANSWERED_UNKNOWN, /* not a device that is known */
	ANSWERED_DETAILS, /* queries */
	ANSWERED_RECEIPT, /* reports */
	ANSWERED_COUNT,
};

#define COUNTER_TIMES 9 /* kinds of time that an answer may take */

struct counters {
	uint64_t asked[ASKED_COUNT];
	uint64_t answered[ANSWERED_COUNT];
	uint64_t dropped[DROP_COUNT];
	uint64_t history_lost;         /* entries of history that were not kept */
	uint64_t not_admitted;         /* unknown machines that were not made devices */
	uint64_t time_us;              /* that all answers took */
	uint64_t times[COUNTER_TIMES]; /* how many took at most 100 us, 300 us and so on; last: the
	                                  rest */
};

/** Adds to a counter of this thread's own. */
static inline void count(uint64_t *counter, uint64_t more)
{
	__atomic_store_n(counter, *counter + more, __ATOMIC_RELAXED);
}

/** Counts @answers that took @ns nanoseconds each. */
void counters_took(struct counters *counters, uint64_t answers, int64_t ns);

/** Adds another thread's @counters to @sum. */
void counters_add(struct counters *sum, const struct counters *counters);

uint64_t counters_answered(const struct counters *counters);
uint64_t counters_dropped(const struct counters *counters);

/* One of them with its name, "drop_limit", as the database and the tools have it. */
struct counter {
	const char *name;
	uint64_t value;
};

/** Returns the counter at @index, from 0; its name is NULL past the last. */
struct counter counter_at(const struct counters *counters, size_t index);

/** Returns the name of a reason to drop, as the log has it. */
const char *drop_name(enum drop why);

#endif
