/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_STATS_H
#define SERVER_STORE_STATS_H

#include <stdio.h>

#include "server/model/job.h"
#include "server/store/store.h"

/* What can be counted: by prebootd, and in its database. */

#define STATS_COUNTERS_MAX 64
#define STATS_TIMES_MAX    16

struct stats_counter {
	char name[32];
	uint64_t value;
};

/* How many answers took at most so long. */
struct stats_time {
	uint64_t limit_us; /* UINT64_MAX: any time */
	uint64_t count;    /* with those that took less */
};

struct stats {
	struct stats_counter counters[STATS_COUNTERS_MAX]; /* of the table counter, by name */
	size_t counter_count;
	uint64_t jobs[JOB_CANCELLED + 1]; /* by state */
	uint64_t devices, unknowns;
	struct stats_time times[STATS_TIMES_MAX]; /* by limit */
	size_t time_count;
	uint64_t time_us;  /* that all answers took */
	uint64_t answers;  /* whose time is known */
};

/** Reads all of it. Returns 0 or the ERR_ values of store.h. */
int stats_read(struct store *store, struct stats *stats);

/**
 * Finds in how many microseconds @percent of 100 answers were given, which is
 * known as one of the limits; 0: there were none.
 */
uint64_t stats_time_of(const struct stats *stats, unsigned int percent);

/* What a counter's name says, "drop_limit": of which family it is one. */
struct stats_family {
	const char *prefix; /* "drop_" */
	const char *people; /* "dropped" */
	const char *metric, *label, *help; /* for Prometheus */
};

/** Returns the family of a counter; NULL: it is one by itself. */
const struct stats_family *stats_family(const char *name);

/** Writes it in Prometheus' text format, version 0.0.4. */
void stats_prometheus(const struct stats *stats, FILE *out);

/** Stores a counter of prebootd, which stats_read() reads. Returns 0 or the ERR_ values of
 *  store.h. */
int counter_write(struct store *store, const char *name, uint64_t value);
/** Removes them all. */
int counter_clear(struct store *store);

#endif
