/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/daemon/queue.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nbp/proto/error.h"

int queue_open(struct queue *queue, size_t size, size_t capacity, int wake)
{
	memset(queue, 0, sizeof(*queue));
	queue->items = calloc(capacity, size);
	if (!queue->items)
		return ERR_SPACE;
	pthread_mutex_init(&queue->lock, NULL);
	queue->size = size;
	queue->capacity = capacity;
	queue->wake = wake;
	return 0;
}

void queue_close(struct queue *queue)
{
	if (!queue->items)
		return;
	pthread_mutex_destroy(&queue->lock);
	free(queue->items);
	queue->items = NULL;
}

size_t queue_count(const struct queue *queue)
{
	return __atomic_load_n(&queue->count, __ATOMIC_RELAXED);
}

bool queue_full(const struct queue *queue)
{
	return queue_count(queue) == queue->capacity;
}

bool queue_put(struct queue *queue, const void *item)
{
	bool fits, first;

	pthread_mutex_lock(&queue->lock);
	first = queue->count == 0;
	fits = queue->count < queue->capacity;
	if (fits) {
		size_t at = (queue->first + queue->count) % queue->capacity;

		memcpy(queue->items + at * queue->size, item, queue->size);
		__atomic_store_n(&queue->count, queue->count + 1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&queue->lock);
	if (first && fits)
		(void)!write(queue->wake, &(uint64_t){ 1 }, sizeof(uint64_t));
	return fits;
}

size_t queue_take(struct queue *queue, void *items, size_t max)
{
	size_t taken = 0;

	pthread_mutex_lock(&queue->lock);
	while (taken < max && queue->count) {
		memcpy((uint8_t *)items + taken++ * queue->size,
		       queue->items + queue->first * queue->size, queue->size);
		queue->first = (queue->first + 1) % queue->capacity;
		__atomic_store_n(&queue->count, queue->count - 1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&queue->lock);
	return taken;
}
