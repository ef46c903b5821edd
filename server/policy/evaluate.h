/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_POLICY_EVALUATE_H
#define SERVER_POLICY_EVALUATE_H

#include "server/policy/choose.h"
#include "server/policy/decide.h"
#include "server/policy/identify.h"
#include "server/store/admission.h"

/*
 * Evaluates a request by the index and the database: the job that there is, or that is to be
 * made, and the answer. prebootd answers by it and "prebootctl explain" reports it, so both
 * go the same way from identify_with_store() to what the machine gets.
 */

/* Why a machine does not get, or become, what was chosen for it. */
enum withheld {
	WITHHELD_NOT,
	WITHHELD_NAMELESS, /* nothing that it reports would identify it as a device later */
	WITHHELD_TOTAL,    /* as many unknown machines are devices as admit-limit allows */
	WITHHELD_RATE,     /* too many became devices just now */
	WITHHELD_HOURLY,   /* it has had JOB_HOURLY jobs within an hour */
};

struct evaluation {
	struct selection selection; /* the new job, which is to be stored; with no bundle there is
	                               none, and the reason says why */
	bool admits;                /* the unknown machine is to become a device */
	struct admission admission; /* if so: what will identify it */
	enum withheld withheld;
};

/**
 * Decides on a request. Changes nothing. With a new job, decision->next is that job, which has
 * JOB_UNNUMBERED for its number. If an unknown machine is to become a device without a job, there
 * may be one for it as a device: it is to be evaluated again once it is one.
 * @job: the newest of the device, ended or not; NULL: it never had one
 * @decision: reply is an answer
 * Returns 0 or the ERR_ values of store.h.
 */
int evaluate_request(struct store *store, const struct request_context *context,
                     const struct job *job, struct evaluation *evaluation,
                     struct decision *decision);

/* Stands for the number of a job that is not stored yet, in an answer that is only to be measured:
 * all numbers but 0 take the same room in it. */
#define JOB_UNNUMBERED UINT64_MAX

/** Says, in static memory, why something is withheld. */
const char *withheld_reason(enum withheld withheld);

#endif
