/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/daemon/limit.h"

#include <string.h>
#include <sys/random.h>

void limit_start(struct limit *limit, uint32_t rate)
{
	memset(limit, 0, sizeof(*limit));
	limit->cost = rate ? 1000000000 / rate : 0;
	limit->burst = (int64_t)LIMIT_BURST * 1000000000;
	/* Nobody outside may know which networks share a set. */
	if (getrandom(&limit->seed, sizeof(limit->seed), GRND_NONBLOCK) < 0)
		limit->seed = (uintptr_t)limit;
}

static struct bucket *find_bucket(struct limit *limit, uint64_t prefix)
{
	uint64_t hash = (prefix ^ limit->seed) * 0x9e3779b97f4a7c15;
	struct bucket *set = limit->buckets[hash >> 52], *emptiest = &set[0];

	_Static_assert(LIMIT_SETS == 1 << 12, "the hash's top bits choose the set");
	for (int i = 0; i < LIMIT_WAYS; i++) {
		if (atomic_load_explicit(&set[i].prefix, memory_order_relaxed) == prefix)
			return &set[i];
		if (atomic_load_explicit(&set[i].full, memory_order_relaxed) <
		    atomic_load_explicit(&emptiest->full, memory_order_relaxed))
			emptiest = &set[i];
	}
	/* Two threads may do so at once; then one network is charged for the other's
	 * first datagrams, which is little. */
	atomic_store_explicit(&emptiest->prefix, prefix, memory_order_relaxed);
	atomic_store_explicit(&emptiest->full, 0, memory_order_relaxed);
	return emptiest;
}

bool limit_pass(_Atomic int64_t *full_at, int64_t cost, int64_t burst, int64_t now)
{
	int64_t full = atomic_load_explicit(full_at, memory_order_relaxed), next;

	do {
		next = (full > now ? full : now) + cost;
		if (next - now > burst)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(full_at, &full, next,
	                                                memory_order_relaxed,
	                                                memory_order_relaxed));
	return true;
}

bool limit_take(struct limit *limit, uint64_t prefix, int64_t now)
{
	return !limit->cost ||
	       limit_pass(&find_bucket(limit, prefix)->full, limit->cost, limit->burst, now);
}
