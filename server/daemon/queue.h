/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_QUEUE_H
#define SERVER_DAEMON_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A queue of fixed capacity from the serving threads to the writer. Items are copied. */
struct queue {
	pthread_mutex_t lock;
	uint8_t *items;
	size_t size, capacity; /* of an item, bytes; how many there may be */
	size_t first, count;
	int wake;             /* an eventfd, written when there is something; the caller's */
};

/** Makes an empty queue of @capacity items. Returns 0 or ERR_SPACE. */
int queue_open(struct queue *queue, size_t size, size_t capacity, int wake);
void queue_close(struct queue *queue);

/** Returns how many items wait, as of just now. */
size_t queue_count(const struct queue *queue);
/** Says whether the queue is full, likewise: before time is spent on an item. */
bool queue_full(const struct queue *queue);

/** Adds a copy of @item. Returns false if the queue is full. */
bool queue_put(struct queue *queue, const void *item);

/** Takes up to @max items, the oldest first, to @items. Returns how many. */
size_t queue_take(struct queue *queue, void *items, size_t max);

#endif
