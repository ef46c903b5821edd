/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_WRITER_H
#define SERVER_DAEMON_WRITER_H

#include "server/daemon/serve.h"
#include "server/daemon/serve_log.h"
#include "server/policy/evaluate.h"
#include "server/policy/token.h"
#include "server/store/store.h"
#include "server/store/unknown.h"

/*
 * The writer: the one thread that uses the database. It takes the questions that wait,
 * and all that they change is one transaction, committed before any answer
 * that depends on it may leave; and on the disk, unless there is but new work in it.
 */

#define WRITER_BATCH 256
#define WRITER_CUT   1 /* what the transaction changed must be in the index first */
#define WRITER_SWEEP 128 /* of what is overdue, in one transaction */
#define WRITER_LATER 1024 /* that wait while another program writes */

/* What becomes of one datagram. */
struct pending {
	struct datagram *datagram;
	struct message question;
	struct sender sender;      /* who asks, as it was weighed */
	struct identified who;
	struct weighing weighing;
	struct ruling ruling;      /* of a request: new work, and whether an unknown machine is admitted */
	bool done;                 /* it is, and need not come in another round */
	unsigned tries;
	struct decision decision;
	bool lasts;                /* it was found out that the transaction must not be relaxed */
	bool depends;              /* on the transaction */
	bool wrote;                /* something of its own in it */
	enum journal_kind kind;    /* of line */
	char line[LOG_LINE];       /* for the journal; empty: none */
	bool noted;
	struct note note;          /* if noted */
};

struct writer {
	struct server *server;
	struct store store;
	struct counters counters;
	uint8_t secret[TOKEN_SECRET_SIZE]; /* of the tokens */
	/* of the batch at work: */
	struct moment moment;
	bool writing;              /* its transaction is open, and in it */
	bool lasts;                /* that is, or would be, on the disk before an answer leaves */
	uint64_t touched[2 * WRITER_BATCH];       /* these devices have changed */
	size_t touched_count;
	struct identity news[2 * WRITER_BATCH];   /* who these machines are has changed */
	size_t news_count;
	struct unknown unknown;  /* who asks, if that is unknown */
	char newcomer_names[WRITER_BATCH][NAME_SIZE]; /* these have become devices */
	size_t newcomer_count;
	bool joined;               /* a session was joined */
	int barred;                /* why nothing more is written in this turn: ERR_; 0: it may be */
	bool followed;             /* since changes were last deleted */
	dev_t device;              /* that the file is on */
	ino_t beside[2];           /* the files "-wal" and "-shm" beside it */
	off_t log_size;            /* of "-wal", at the last look */
	bool replaced;             /* writer_replaced() has said so */
	bool keep_log;             /* its log is not to be put into the database at the end */
	struct {
		bool known;
		int64_t apart;     /* of the clock from the one since the machine's start, s */
		int64_t boot;      /* the latter, at the last look */
		int64_t steady;    /* by that: when to go by the clock again for what is old */
		int64_t shift;     /* for which it was set, and the times of work not moved yet */
		bool waits;        /* they could not be */
	} clock;
	uint64_t pruned;           /* work is looked through up to this job */
	int64_t prune_next;        /* when to begin anew, Unix time */
	uint64_t not_admitted_told;
	int64_t not_admitted_next; /* when the log may be told, monotonic ns */
	struct counters told;      /* as the database has them */
	bool counted;              /* it has them, and none of another run */
	struct datagram *batch;    /* WRITER_BATCH of each */
	struct pending *pendings;
	struct note *note_batch;
	struct job overdue[WRITER_SWEEP];
	/* Questions whose answer takes a write, while another program holds the lock for that. */
	struct datagram *later;    /* WRITER_LATER, the oldest first */
	size_t later_count;
	bool locked;               /* it is held: the log was told so */
	bool notes_wait;           /* likewise, when notes were to be kept last */
	/* Sends replies, and returns how many were not taken: socket_send(), but in tests. */
	size_t (*send)(struct datagram *batch, size_t count);
};

/** Opens the database at @path, which must outlive @writer.
 *  Returns as store_open() does; writer->store.message explains. */
int writer_open(struct writer *writer, struct server *server, const char *path);
void writer_close(struct writer *writer);

/**
 * Answers a batch of the questions that wait, after notes. It waits for no other program: what
 * would take its lock is put off for later turns, and the others are answered. Returns how many
 * it has done with.
 * Once writer->replaced is set, none that depends on what was stored: it is time to stop.
 */
size_t writer_turn(struct writer *writer, const struct moment *moment);

/** Says whether questions are put off, so that a turn is due soon. */
bool writer_waits(const struct writer *writer);

/** Makes all that writes from now on wait for the lock, as there are no turns to come. */
void writer_last(struct writer *writer);

/** Keeps a batch of the notes that wait, in one transaction. Returns how many it has done with. */
size_t writer_notes(struct writer *writer);

/** Does what is due by the clock. Returns whether there is more: it is due again at once. */
bool writer_sweep(struct writer *writer, const struct moment *moment);

/**
 * Says whether another file has the database's name by now, or none, or that of a file that SQLite
 * has beside it, or whether one of them was emptied: what others change there is not seen here,
 * and what is kept here is lost. The log is told once.
 */
bool writer_replaced(struct writer *writer);

/** Notes which files the database is, once it has been read. */
void writer_note_files(struct writer *writer);

/**
 * Brings the index up to what is in the database. Not after the transaction has
 * written. Returns 0 or the ERR_ values of store.h.
 */
int writer_follow(struct writer *writer);

/**
 * Begins and ends a transaction whose commit need not wait for the disk: for what may be lost
 * in a power cut. A connection of its own would make each forget what the other has read.
 */
int writer_begin_relaxed(struct writer *writer);
void writer_end_relaxed(struct writer *writer);

/**
 * Reads the tokens' secret from the database, which is given one where it has none.
 * Returns 0 or the ERR_ values of store.h.
 */
int writer_secret(struct writer *writer);

/** Tells what the index could not make sense of. */
void writer_tell_warnings(struct writer *writer);

/** Reads the database anew, whatever has changed. */
void writer_reload(struct writer *writer, const struct moment *moment);

/** Keeps what was counted since the last time. */
void writer_count(struct writer *writer);

/** Starts sessions that are due, and ends those whose members are done. */
void writer_sessions(struct writer *writer);

/* --- writer_clock.c -------------------------------------------------------- */

/**
 * Compares the clock with the one that nobody sets; before each turn. Where it was set, the times
 * of work under way are moved with it, so that none is overdue for that.
 * @now: Unix time; @boot: CLOCK_BOOTTIME; both s
 */
void writer_clock(struct writer *writer, int64_t now, int64_t boot);

/** Says whether what is old by the clock may be deleted. */
bool writer_clock_is_steady(const struct writer *writer);

/* --- writer_later.c -------------------------------------------------------- */

/** Says whether whoever sent @pending, which is decoded, has gone on without what it asks for. */
bool writer_is_late(const struct writer *writer, const struct pending *pending);

/** Puts @datagram off. Returns whether there is room. */
bool writer_put_off(struct writer *writer, const struct datagram *datagram);

/** Drops what was put off for longer than anybody waits for an answer. Returns how many. */
size_t writer_give_up(struct writer *writer);

/** Takes up to @most of what was put off, the oldest first. Returns how many. */
size_t writer_take_later(struct writer *writer, struct datagram *out, size_t most);

/* --- writer_evaluate.c -------------------------------------------------------- */

/**
 * Decides on @pending, whose question is decoded, stores what that changes, and encodes the reply.
 * Returns 0, WRITER_CUT if that is to be done after a commit, ERR_SPACE or ERR_MALFORMED
 * where the answer does not fit the question, or the ERR_ values of store.h.
 */
int writer_resolve(struct writer *writer, struct pending *pending);

/**
 * Stores what @decision changes, and its place in the device's story, within the
 * transaction that is open.
 * @question: what led to it; NULL: none did
 */
int writer_apply(struct writer *writer, const struct message *question,
                 const struct decision *decision);

/* --- writer_job.c --------------------------------------------------------- */

/** Says whether this transaction has changed who @identity is. */
bool writer_is_news(const struct writer *writer, const struct identity *identity);
/** Says whether it has changed a device. */
bool writer_has_touched(const struct writer *writer, uint64_t device);

/**
 * Answers a request: fills in ruling and decision. Returns 0, WRITER_CUT, or the ERR_ values of
 * store.h.
 * @job: the newest of who asks; NULL: there is none
 */
int writer_request(struct writer *writer, struct pending *pending, const struct job *job);

/** Makes a device of the unknown machine who asks. */
int writer_admit(struct writer *writer, struct pending *pending);

/** Stores the work that was chosen, which gives it its number. */
int writer_give(struct writer *writer, struct pending *pending);

/** Has the device of @job, at which it is now at work, join the session that it is of, if any. */
int writer_join(struct writer *writer, const struct job *job);

/** Adds what an agent is told of the session that its work is of, if it is. */
int writer_tell_session(struct writer *writer, struct details *details);

#endif
