/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_SERVE_H
#define SERVER_DAEMON_SERVE_H

#include "server/daemon/counters.h"
#include "server/daemon/journal.h"
#include "server/daemon/lanes.h"
#include "server/daemon/limit.h"
#include "server/daemon/history.h"
#include "server/daemon/queue.h"
#include "server/daemon/serve_log.h"
#include "server/index/index.h"
#include "server/net/datagram.h"
#include "server/policy/identify.h"

/*
 * The serving threads: datagrams in, datagrams out, in batches, from memory. What
 * needs the database goes to the writer (writer.h), which alone uses that.
 */

#define SERVE_THREADS_MAX 64
#define SERVE_UNKNOWNS   4096

/* What all threads share. */
struct server {
	struct journal journal;
	struct limit limit, regions; /* of networks, and of what many of them share */
	_Atomic int64_t unknown_full; /* bounds the answers to unknown machines, wherever they are */
	int64_t unknown_cost;
	struct lanes questions;  /* struct datagram: for the writer to answer */
	struct queue notes;      /* struct note: for it to keep, when it comes to that */
	int wake;                /* eventfd of both */
	/* The database in memory: the writer changes it, with the lock held for writing. */
	struct index *index;
	pthread_rwlock_t lock;
	uint64_t generation;     /* of the policy in it */
	uint64_t seed;           /* of hashes */
	/* What bounds notes: of all requests, of unknown machines', of each device's events. */
	_Atomic int64_t requests_full, unknowns_full;
	/* What bounds unknown machines that become devices by themselves: all, a network's, and
	 * whether there are as many as there may be. */
	_Atomic int64_t admissions_full;
	struct limit admissions;
	_Atomic bool admits_no_more;
	struct limit events;
	struct limit noted; /* what a device, or a network of unknown machines, has of the notes */
	_Atomic uint64_t unknowns[SERVE_UNKNOWNS]; /* hashes of those noted lately */
	/* Of each thread, the writer's last. */
	const struct counters *counters[SERVE_THREADS_MAX + 1];
	size_t counters_count;
};

/* What a request must tell to be answered: who asks, and with which firmware. */
struct outline {
	struct identity identity;
	uint8_t isd[16];
	uint8_t firmware; /* 0: it cannot be seen at a glance */
	const struct entry *likely; /* who asks, if it is who it seems; NULL: to be looked for */
};

/* One serving thread. */
struct serving {
	struct server *server;
	struct counters counters;
	struct outline outlines[BATCH]; /* of the batch at work */
	struct index_ahead ahead[BATCH];
	/* of the datagram at work: */
	const struct moment *moment;
	struct message question;
	struct identified who;
	struct decision decision;
	struct note note;
	char line[LOG_LINE];
	uint64_t held;           /* lines for the journal that were not put into words */
};

/** Reads the clocks. */
struct moment moment_now(void);

/**
 * Starts what threads share.
 * @rate: as of limit_start()
 * Returns 0, ERR_SPACE without memory, or ERR_IO.
 */
int server_start(struct server *server, uint32_t rate);
void server_end(struct server *server);

/** Says whether what @d tells may be kept: nobody has more than a share of what is kept in all.
 *  @device: 0: an unknown machine, which counts by its network */
bool server_notes(struct server *server, uint64_t device, const struct datagram *d, int64_t now);

/**
 * Says whether the unknown machine that sent @datagram may become a device at @now, monotonic
 * ns, and takes one of those that may.
 */
bool server_may_admit(struct server *server, const struct datagram *datagram, int64_t now);

/** Adds what all threads have counted. */
void server_counters(const struct server *server, struct counters *sum);

/** Starts a serving thread's part of it, before the thread. */
void serving_start(struct serving *serving, struct server *server);

/**
 * Decides on @count datagrams: fills in their replies, or hands them on. What nobody
 * can answer is counted and has none.
 * Returns how many are answered.
 */
uint64_t serve_batch(struct serving *serving, struct datagram *batch, size_t count,
                 const struct moment *moment);

/* --- serve_answer.c -------------------------------------------------------- */

/**
 * Answers the request that is decoded, unless that needs the database.
 * Returns 0, ERR_AGAIN if it is for the writer, ERR_SPACE where the question is too small, or
 * ERR_REFUSED where unknown machines have asked too much.
 */
int serve_request(struct serving *serving, struct datagram *datagram);

/**
 * Answers the query or report that is decoded, if it is an unknown machine's: no more is to be
 * looked up then. Returns as serve_request() does.
 */
int serve_unknown(struct serving *serving, struct datagram *datagram);

/** Says whether no more requests can be kept for now. */
bool serve_notes_full(struct serving *serving);

/** Takes the event that is decoded. */
void serve_event(struct serving *serving, const struct datagram *datagram);

/* --- serve_fast.c ---------------------------------------------------------- */

/** Reads what it can of a request without decoding it. */
void serve_outline(const struct datagram *datagram, struct outline *outline);

/**
 * Answers a request that says what the same device's last one did, without
 * decoding it, if the answer is no work again. Returns whether it has.
 */
bool serve_fast(struct serving *serving, struct datagram *datagram,
                const struct outline *outline);

/**
 * Remembers that the request of @entry, which is decoded, is answered by no work.
 * @noted: that it asked is on its way to the database
 */
void serve_remember(struct serving *serving, const struct datagram *datagram,
                    const struct entry *entry, bool noted);

#endif
