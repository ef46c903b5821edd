/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_WRITER_EVALUATE_H
#define SERVER_DAEMON_WRITER_EVALUATE_H

#include "server/daemon/writer_internal.h"

/**
 * Finds who sent the message, whose question is decoded, loads what is needed from the store, and
 * decides: fills in sender, who, evaluation and decision. Changes nothing in the database.
 * Returns 0, WRITER_CUT if the transaction has changed what the index would answer by, or the ERR_
 * values of store.h.
 */
int writer_evaluate(struct writer *writer, struct pending *pending);

/** Says which transaction the message needs, as it was evaluated. */
enum transaction writer_needs(const struct pending *pending);

/**
 * Encodes the reply, with the token that shows what the machine was offered. Returns 0, or
 * ERR_SPACE or ERR_MALFORMED if the reply does not fit the question.
 */
int writer_encode(const struct writer *writer, struct pending *pending);

/** Fills in writer->unknown from a request: what the tools would make of the machine. */
void writer_make_unknown(struct writer *writer, const struct pending *pending);

#endif
