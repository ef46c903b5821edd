/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_SERVE_H
#define SERVER_SERVE_H

#include <netinet/in.h>

#include "decide.h"
#include "journal.h"
#include "lease.h"
#include "store.h"

/*
 * Datagrams in, datagrams out, in batches: all that a batch changes is one
 * transaction, committed before any answer that depends on it may leave.
 */

#define SERVE_BATCH 32

/* Why a datagram got no answer. */
enum drop {
	DROP_TRUNCATED, /* these five are message_decode()'s */
	DROP_MALFORMED,
	DROP_VERSION,
	DROP_CRITICAL,
	DROP_TYPE,      /* an answer, and we ask nobody */
	DROP_PEER,      /* from port 0: nobody can be answered there */
	DROP_SMALL,     /* the answer would be larger than the question */
	DROP_STORE,     /* the database failed or was busy */
	DROP_SEND,      /* the network did not take the answer */
	DROP_COUNT,
};

struct server {
	struct store store;  /* commits wait for the disk */
	struct store notes;  /* the same file, for what may be lost in a power cut */
	struct journal journal;
	uint64_t answered;
	uint64_t dropped[DROP_COUNT];
	/* of the batch at work: */
	bool writing;        /* its transaction is open */
	int64_t now;         /* Unix time, s */
	uint32_t now_ms;     /* the millisecond of that second */
};

struct datagram {
	/* in: */
	int socket;
	struct sockaddr_in from;
	struct in_addr to;       /* the address of ours that it came to */
	size_t length;
	uint8_t data[MESSAGE_MAX + 1]; /* one more, to see what is too large */
	/* out: */
	size_t reply_length;     /* 0: no answer */
	uint8_t reply[MESSAGE_MAX];
	/* between: */
	struct message question;
	bool understood;
	bool depends;            /* on the batch's transaction */
	uint64_t device;         /* its id; 0: unknown */
	enum journal_kind kind;  /* of line */
	char line[1024];         /* for the journal; empty: none */
	char refusal[REASON_SIZE]; /* of a report; empty: none */
	char outcome[REASON_SIZE]; /* of a request; empty: none */
	char note[REASON_SIZE];  /* what is odd about who asks; empty: nothing */
	uint64_t suspect;        /* the other device that the note is about; 0: none */
};

/** Opens the database at @path, which must outlive @server, and starts the journal.
 *  Returns as store_open() does; server->store.message explains. */
int serve_open(struct server *server, const char *path);

/** Logs the last counts and closes the database. */
void serve_close(struct server *server);

/**
 * Decides on @count datagrams, commits, and fills in their replies. A datagram
 * that nobody can answer is counted and has none.
 * @now_ms: Unix time in milliseconds
 */
void serve_batch(struct server *server, struct datagram *batch, size_t count, int64_t now_ms);

/**
 * Stores what @verdict changes, and its place in the device's story, within the
 * transaction that is open.
 * @question: what led to it; NULL: none did
 */
int serve_apply(struct server *server, const struct message *question,
                const struct verdict *verdict);

/** Keeps what a batch tells beside its decisions; call it once the answers are sent. */
void serve_notes(struct server *server, const struct datagram *batch, size_t count);

/** Ends work whose deadline has passed by @now, Unix time in seconds, though its machine no
 *  longer asks. */
void serve_overdue(struct server *server, int64_t now);

/** Logs how many datagrams were answered and dropped, and why. */
void serve_log_counts(struct server *server);

#endif
