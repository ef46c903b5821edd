/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_KEEPER_H
#define SERVER_KEEPER_H

#include "decide.h"
#include "identify.h"
#include "serve.h"
#include "serve_log.h"
#include "store.h"

/*
 * The keeper: the one thread that uses the database. It takes the questions that wait,
 * and all that they change is one transaction, committed before any answer
 * that depends on it may leave.
 */

#define KEEPER_BATCH 256

/* What becomes of one datagram. */
struct matter {
	struct datagram *datagram;
	struct message question;
	struct identified who;
	struct verdict verdict;
	bool depends;              /* on the transaction */
	enum journal_kind kind;    /* of line */
	char line[LOG_LINE];       /* for the journal; empty: none */
	bool noted;
	struct note note;          /* if noted */
};

struct keeper {
	struct server *server;
	struct store store;  /* commits wait for the disk */
	struct store notes;  /* the same file, for what may be lost in a power cut */
	struct counters counters;
	/* of the batch at work: */
	struct moment moment;
	bool writing;              /* its transaction is open */
	struct datagram *batch;    /* KEEPER_BATCH of each */
	struct matter *matters;
	struct note *note_batch;
	/* Sends replies, and returns how many were not taken: socket_send(), but in tests. */
	size_t (*send)(struct datagram *batch, size_t count);
};

/** Opens the database at @path, which must outlive @keeper.
 *  Returns as store_open() does; keeper->store.message explains. */
int keeper_open(struct keeper *keeper, struct server *server, const char *path);
void keeper_close(struct keeper *keeper);

/**
 * Answers a batch of the questions that wait, and keeps the notes that do.
 * Returns how many questions there were.
 */
size_t keeper_turn(struct keeper *keeper, const struct moment *moment);

/** Does what is due by the clock. */
void keeper_sweep(struct keeper *keeper, const struct moment *moment);

/** Reads the database anew, whatever has changed. */
void keeper_reload(struct keeper *keeper, const struct moment *moment);

/* --- keeper_judge.c -------------------------------------------------------- */

/**
 * Decides on @matter, whose question is decoded, stores what that changes, and encodes the reply.
 * Returns 0, ERR_SPACE or ERR_MALFORMED where the answer does not fit the
 * question, or the ERR_ values of store.h.
 */
int keeper_resolve(struct keeper *keeper, struct matter *matter);

/**
 * Stores what @verdict changes, and its place in the device's story, within the
 * transaction that is open.
 * @question: what led to it; NULL: none did
 */
int keeper_apply(struct keeper *keeper, const struct message *question,
                 const struct verdict *verdict);

#endif
