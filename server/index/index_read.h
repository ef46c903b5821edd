/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_INDEX_INDEX_READ_H
#define SERVER_INDEX_INDEX_READ_H

#include "server/index/index_internal.h"
#include "server/store/memory.h"

/* Reading devices, between index_read.c, which goes through the tables, and
 * index_take.c, which takes their rows. */

/* A list that grows. */
struct list {
	uint8_t *data;
	size_t length, room;
};

/** Adds bytes. Returns 0 or ERR_SPACE. */
int index_list_add(struct list *list, const void *data, size_t length);

/* --- the tables ------------------------------------------------------------ */

struct reader {
	struct store *store;
	struct warnings *warnings;
	struct store_rows *rows[DEVICE_TABLES]; /* NULL: at its end */
	int64_t devices[DEVICE_TABLES];    /* whose row is next */
	/* The device that is being read: */
	struct entry entry;
	char name[NAME_SIZE];
	struct list lists[DEVICE_TABLES], claims, block;
};

/**
 * Takes what a row says of the device into the reader: its entry, its lists. What
 * is unsound is left out, with a warning. Returns 0, or ERR_SPACE without memory.
 */
int index_take_row(struct reader *reader, int table, struct store_rows *row);

/** Returns @value, or the nearest that fits. */
uint32_t index_clip(int64_t value);

#endif
