/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_TRANSFER_REFER_H
#define SERVER_TRANSFER_REFER_H

#include "server/transfer/data.h"

/* What a reference becomes in the database: one or two parameters. */
struct data_reference {
	int parameters;
	const char *text;  /* the first of two: a level, a source; NULL: it is @parent */
	char name[NAME_SIZE]; /* the second, of a path */
	int64_t id;        /* the last, or of a path the first; 0 with a path: it is at the top */
};

/** Says whether values of @kind refer to something, or are a path. */
bool data_refers(enum data_kind kind);

/**
 * Finds what @text refers to; it has been checked.
 * Returns 0, ERR_MALFORMED with @message (there is no such thing) or the ERR_
 * values of store.h.
 */
int data_refer(struct store *store, enum data_kind kind, const char *text,
               struct data_reference *reference, char message[DATA_MESSAGE]);

#endif
