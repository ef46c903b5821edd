/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_HISTORY_H
#define SERVER_DAEMON_HISTORY_H

#include "server/net/datagram.h"
#include "server/policy/decide.h"
#include "server/policy/identify.h"
#include "server/store/store.h"

/* History: what is kept beside the decisions, and may be lost. It consists of events, devices' last
 * requests, and unknown machines. */

enum history_kind {
	HISTORY_REQUEST, /* a device asked, or an unknown machine */
	HISTORY_EVENT,   /* an NBP reported a step */
	HISTORY_REFUSED, /* a report was refused */
};

struct history_entry {
	enum history_kind kind;
	uint64_t device;            /* 0: unknown */
	uint64_t conflicting;         /* another one that the anomaly is about; 0: none */
	int64_t time;               /* Unix time, s, and its millisecond */
	uint32_t time_ms;
	uint8_t boot[NONCE_SIZE];   /* its nonce; zeros: an agent's */
	uint8_t code;               /* enum event_code, of an event */
	uint32_t milliseconds;      /* likewise */
	uint64_t job;
	struct identity identity;
	char reason[REASON_SIZE];   /* what it was answered, or what it says */
	char anomaly[REASON_SIZE];   /* what is odd about the sender; empty: nothing */
	char address[ADDRESS_TEXT]; /* of the sender */
	uint16_t length;            /* of the request */
	uint8_t data[MESSAGE_MAX];
};

/** Fills in @entry from what came with the question; its reason only where it is an event's. */
void history_begin(struct history_entry *entry, const struct datagram *datagram,
                const struct message *question, const struct identification *who,
                const struct timestamp *timestamp);

/** Says in @entry what a request was answered. */
void history_outcome(struct history_entry *entry, const struct decision *decision);

/** Stores an entry, within a transaction. Returns 0 or the ERR_ values of store.h. */
int history_store(struct store *store, const struct history_entry *entry);

#endif
