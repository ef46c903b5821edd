/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_HISTORY_H
#define SERVER_DAEMON_HISTORY_H

#include "server/net/datagram.h"
#include "server/policy/decide.h"
#include "server/policy/identify.h"
#include "server/store/store.h"

/* What is kept beside the decisions, and may be lost: events, hardware, unknown machines. */

enum note_kind {
	NOTE_REQUEST, /* a device asked, or an unknown machine */
	NOTE_EVENT,   /* an NBP told a step */
	NOTE_REFUSED, /* an agent's report was */
};

struct note {
	enum note_kind kind;
	uint64_t device;            /* 0: unknown */
	uint64_t suspect;           /* another one that the oddity is about; 0: none */
	int64_t time;               /* Unix time, s, and its millisecond */
	uint32_t time_ms;
	uint8_t boot[NONCE_SIZE];   /* zeros: an agent's */
	uint8_t code;               /* enum event_code, of an event */
	uint32_t milliseconds;      /* likewise */
	uint64_t job;
	struct identity identity;
	char reason[REASON_SIZE];   /* what it was answered, or what it says */
	char anomaly[REASON_SIZE];   /* what is odd about who asks; empty: nothing */
	char address[ADDRESS_TEXT]; /* of who asks */
	uint16_t length;            /* of the request */
	uint8_t data[MESSAGE_MAX];
};

/** Fills in @note from what came with the question; its reason only where it is an event's. */
void note_begin(struct note *note, const struct datagram *datagram,
                const struct message *question, const struct identified *who,
                const struct moment *moment);

/** Says in @note what a request was answered. */
void note_outcome(struct note *note, const struct decision *decision);

/** Stores a note, within a transaction. Returns 0 or the ERR_ values of store.h. */
int note_store(struct store *store, const struct note *note);

#endif
