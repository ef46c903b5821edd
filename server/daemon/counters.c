/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/daemon/counters.h"

#define ALL (sizeof(struct counters) / sizeof(uint64_t))

static const uint64_t limits[COUNTER_TIMES] = {
	100, 300, 1000, 3000, 10000, 30000, 100000, 300000, 0,
};

/* In the order of struct counters; the database has them by these names. */
static const char *const names[ALL] = {
	"asked_request", "asked_query", "asked_report", "asked_event",
	"answered_job", "answered_local", "answered_unknown", "answered_details",
	"answered_receipt",
	"drop_truncated", "drop_malformed", "drop_version", "drop_critical", "drop_type",
	"drop_peer", "drop_small", "drop_store", "drop_send", "drop_limit", "drop_queue",
	"history_lost", "not_admitted", "time_us",
	"time_100us", "time_300us", "time_1ms", "time_3ms", "time_10ms", "time_30ms",
	"time_100ms", "time_300ms", "time_more",
};

void counters_took(struct counters *counters, uint64_t answers, int64_t ns)
{
	uint64_t us = ns > 0 ? (uint64_t)ns / 1000 : 0;
	size_t i = 0;

	while (limits[i] && us > limits[i])
		i++;
	count(&counters->times[i], answers);
	count(&counters->time_us, answers * us);
}

void counters_add(struct counters *sum, const struct counters *counters)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)counters;

	for (size_t i = 0; i < ALL; i++)
		to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

uint64_t counters_answered(const struct counters *counters)
{
	uint64_t sum = 0;

	for (int i = 0; i < ANSWERED_COUNT; i++)
		sum += counters->answered[i];
	return sum;
}

uint64_t counters_dropped(const struct counters *counters)
{
	uint64_t sum = 0;

	for (int i = 0; i < DROP_COUNT; i++)
		sum += counters->dropped[i];
	return sum;
}

struct counter counter_at(const struct counters *counters, size_t index)
{
	const uint64_t *values = (const uint64_t *)counters;

	return index < ALL ? (struct counter){ names[index], values[index] }
	                   : (struct counter){ 0 };
}

const char *drop_name(enum drop why)
{
	return names[ASKED_COUNT + ANSWERED_COUNT + why] + 5; /* without "drop_" */
}
