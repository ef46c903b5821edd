/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DECIDE_H
#define SERVER_DECIDE_H

#include "lease.h"

/*
 * The decisions, and nothing else: no database, no network, no clock. The
 * caller loads what they need, stores the changed lease, and only then lets the
 * answer leave.
 */

#define OVERDUE_REASON "begun but not ended before its deadline"

struct verdict {
	struct message reply; /* type and body; the caller adds nonce and sequence */
	bool changed;         /* next differs from the lease given, and must be stored */
	bool offered;         /* ... by a new offer: nonce and next.attempt belong together */
	bool warn;            /* the administrator should hear of it */
	struct lease next;    /* the lease from now on; all zeros where there is none */
	char reason[REASON_SIZE]; /* one phrase for the log */
};

/* The circumstances of a request. */
struct asking {
	uint8_t firmware;        /* enum firmware_kind, as the request says */
	uint32_t offered_before; /* attempt this lease had when offered to this nonce; 0: never */
	int64_t now;             /* Unix time */
};

/**
 * Answers an NBP: is there work for this boot?
 * @device: NULL if unknown
 * @lease: the device's newest lease, ended or not; NULL if it never had one
 * @verdict: reply is an answer
 */
void decide_request(const struct device *device, const struct lease *lease,
                    const struct asking *asking, struct verdict *verdict);

/**
 * Answers an agent that asks for its work. The reply is a details message, in
 * which the caller fills in the key=value strings if its lease is not 0.
 * @device, @lease: as above
 */
void decide_query(const struct device *device, const struct lease *lease, int64_t now,
                  struct verdict *verdict);

/**
 * Takes an agent's report. A repeated one is acknowledged again; one that does
 * not fit the lease's state is refused, with the reason in the receipt.
 * @lease: the lease that the report names; NULL if there is none
 */
void decide_report(const struct device *device, const struct lease *lease,
                   const struct report *report, int64_t now, struct verdict *verdict);

#endif
