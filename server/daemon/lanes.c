/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/daemon/lanes.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "nbp/proto/error.h"

#define LANE_RESERVE 8 /* one part in so many is kept for networks that have little in the queue: */
#define LANE_LEAST   2 /* less than that */

int lanes_open(struct lanes *l, size_t size, size_t capacity, int wake)
{
	memset(l, 0, sizeof(*l));
	l->items = calloc(capacity, size);
	l->nexts = calloc(capacity, sizeof(*l->nexts));
	l->lanes = calloc(LANES, sizeof(*l->lanes));
	pthread_mutex_init(&l->lock, NULL);
	if (!l->items || !l->nexts || !l->lanes) {
		lanes_close(l);
		return ERR_SPACE;
	}
	for (size_t i = 0; i < capacity; i++)
		l->nexts[i] = i + 1 < capacity ? (uint32_t)i + 1 : LANE_NONE;
	for (size_t i = 0; i < LANES; i++)
		for (size_t j = 0; j < LANE_NETS; j++)
			l->lanes[i].nets[j] = (struct lane_list){ LANE_NONE, LANE_NONE, 0 };
	l->turn = LANE_NONE;
	l->size = size;
	l->capacity = capacity;
	l->wake = wake;
	if (getrandom(&l->seed, sizeof(l->seed), GRND_NONBLOCK) < 0)
		l->seed = (uintptr_t)l;
	return 0;
}

void lanes_close(struct lanes *l)
{
	pthread_mutex_destroy(&l->lock);
	free(l->items);
	free(l->nexts);
	free(l->lanes);
	l->items = NULL;
	l->nexts = NULL;
	l->lanes = NULL;
}

size_t lanes_count(const struct lanes *l)
{
	return __atomic_load_n(&l->count, __ATOMIC_RELAXED);
}

static uint64_t hash_of(const struct lanes *l, uint64_t key)
{
	uint64_t hash = (key ^ l->seed) * 0x9e3779b97f4a7c15;

	return (hash ^ hash >> 32) * 0xc2b2ae3d27d4eb4f >> 32;
}

/* Puts a lane that was empty behind all others. */
static void queue_up(struct lanes *l, uint32_t number)
{
	if (l->turn == LANE_NONE) {
		l->lanes[number].next = number;
	} else {
		l->lanes[number].next = l->lanes[l->turn].next;
		l->lanes[l->turn].next = number;
	}
	l->turn = number;
}

static void append(struct lanes *l, struct lane_list *list, const void *item)
{
	uint32_t at = l->free;

	l->free = l->nexts[at];
	memcpy(l->items + at * l->size, item, l->size);
	l->nexts[at] = LANE_NONE;
	if (list->count++)
		l->nexts[list->last] = at;
	else
		list->first = at;
	list->last = at;
}

bool lanes_put(struct lanes *l, uint64_t region, uint64_t network, const void *item)
{
	uint32_t number = (uint32_t)(hash_of(l, region) % LANES);
	struct lane *lane = &l->lanes[number];
	struct lane_list *list = &lane->nets[hash_of(l, network) % LANE_NETS];
	bool fits, first;
	size_t free_, common;

	pthread_mutex_lock(&l->lock);
	first = l->count == 0;
	free_ = l->capacity - l->count;
	common = free_ > l->capacity / LANE_RESERVE ? free_ - l->capacity / LANE_RESERVE : 0;
	fits = (lane->count < common && list->count < common - lane->count) ||
	       (free_ && list->count < LANE_LEAST);
	if (fits) {
		if (!lane->count++)
			queue_up(l, number);
		append(l, list, item);
		__atomic_store_n(&l->count, l->count + 1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&l->lock);
	if (first && fits)
		(void)!write(l->wake, &(uint64_t){ 1 }, sizeof(uint64_t));
	return fits;
}

/* Takes the first item of the network of @lane whose turn it is. */
static void take_one(struct lanes *l, struct lane *lane, void *item)
{
	struct lane_list *list;
	uint32_t at;

	do
		list = &lane->nets[lane->turn++ % LANE_NETS];
	while (!list->count);
	at = list->first;
	memcpy(item, l->items + at * l->size, l->size);
	list->first = l->nexts[at];
	list->count--;
	lane->count--;
	l->nexts[at] = l->free;
	l->free = at;
	__atomic_store_n(&l->count, l->count - 1, __ATOMIC_RELAXED);
}

size_t lanes_take(struct lanes *l, void *items, size_t max)
{
	size_t taken = 0;

	pthread_mutex_lock(&l->lock);
	while (taken < max && l->count) {
		uint32_t number = l->lanes[l->turn].next;
		struct lane *lane = &l->lanes[number];

		take_one(l, lane, (uint8_t *)items + taken++ * l->size);
		if (lane->count)
			l->turn = number;
		else if (number == l->turn)
			l->turn = LANE_NONE;
		else
			l->lanes[l->turn].next = lane->next;
	}
	pthread_mutex_unlock(&l->lock);
	return taken;
}
