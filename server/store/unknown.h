/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_UNKNOWN_H
#define SERVER_STORE_UNKNOWN_H

#include "nbp/proto/message.h"
#include "server/store/store.h"

/*
 * Machines that ask and are no devices, known by MAC and UUID together. Functions
 * return 0 or the ERR_ values of store.h.
 */

#define UNKNOWNS_MAX 10000 /* the ones not seen for longest make room */

struct unknown {
	uint64_t id;
	uint8_t mac[6];
	uint8_t uuid[16];          /* zeros: not reported */
	int64_t first, last;       /* Unix times of its requests */
	uint64_t boots;
	char address[64];          /* of the last request */
	char outcome[REASON_SIZE]; /* what the server answered, and why */
	struct message request;    /* the last */
	uint8_t datagram[MESSAGE_MAX]; /* the same as it came, without padding */
	size_t length;
};

/**
 * Keeps a request of one; where there are too many then, those not seen for longest go.
 * @datagram: as it came, and sound
 */
int unknown_seen(struct store *store, const struct identity *identity, int64_t time,
                  const char *address, const char *outcome, const uint8_t *datagram,
                  size_t length);

/** Starts a list, those seen last first; take each with unknown_row(). */
int unknown_list(struct store *store, struct store_rows **rows);
/** The same of those with this MAC, or this UUID. */
int unknown_by_mac(struct store *store, const uint8_t mac[6], struct store_rows **rows);
int unknown_by_uuid(struct store *store, const uint8_t uuid[16], struct store_rows **rows);
void unknown_row(struct store_rows *row, struct unknown *unknown);

/** The same of those seen at @since or later, the oldest first. */
int unknown_list_since(struct store *store, int64_t since, struct store_rows **rows);

/** Finds the one with this MAC and this UUID. */
int unknown_find(struct store *store, const struct identity *identity,
                  struct unknown *unknown);

int unknown_remove(struct store *store, uint64_t id);
/** Removes all; *@count receives how many there were. */
int unknown_remove_all(struct store *store, uint64_t *count);

/** Reads when the one that has not asked for the longest time did last; unchanged:
 *  there is none. */
int unknown_oldest(struct store *store, int64_t *time);
/** Reads when one asked last, Unix time; 0: there is none. */
int unknown_newest(struct store *store, int64_t *time);

/** Forgets those last seen before @time, Unix time. */
int unknown_expire(struct store *store, int64_t time);

/** Writes the name that it gets as a device unless another one is given: "pc-525400123456". */
void unknown_name(const struct unknown *unknown, char name[NAME_SIZE]);

#endif
