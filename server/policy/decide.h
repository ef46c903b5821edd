/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_POLICY_DECIDE_H
#define SERVER_POLICY_DECIDE_H

#include "server/model/device.h"
#include "server/model/job.h"

/*
 * The decisions, and nothing else: no database, no network, no clock. The
 * caller loads what they need, stores the changed job, and only then lets the
 * answer leave.
 */

#define OVERDUE_REASON "begun but not ended before its deadline"

struct decision {
	struct message reply; /* type and body; the caller adds nonce and sequence */
	bool changed;         /* next differs from the job given, and must be stored */
	bool counted;         /* ... by a new attempt: the question's nonce belongs to it */
	bool ends;            /* the answer offers a job that ends when this boot accepts it */
	bool warn;            /* the administrator should hear of it */
	struct job next;      /* the job from now on; all zeros if there is none */
	char reason[REASON_SIZE]; /* one phrase for the log */
};

/* The circumstances of a request. */
struct request_facts {
	enum loader_kind loader; /* which the machine takes; LOADERS: that is unknown */
	uint32_t accepted;       /* the attempt at this job that is this boot's; 0: none yet */
	bool unproven;           /* known by its MAC alone, which is not enough for a job */
	bool came_back;          /* the last attempt's boot ended at the local disk */
	int64_t now;             /* Unix time */
};

/* What the token of a query or a report shows. */
enum proof {
	PROOF_NONE,  /* it has none */
	PROOF_WRONG, /* of another attempt or boot, or made up */
	PROOF_RIGHT, /* this machine was offered the attempt that counts, or is to */
};

/* The circumstances of a report. */
struct report_facts {
	const struct report *report;
	enum proof proof;
	uint32_t accepted; /* as in struct request_facts: of the report's own nonce */
	bool came_back;    /* likewise */
	bool superseded;   /* the device was offered a newer job since */
	int64_t now;
};

/**
 * Answers an NBP: is there a job for this boot? An offer changes nothing: what the boot
 * accepts is an attempt. Nor does another boot end a job by asking, as anybody could have sent
 * that: the job is offered once more, and the boot ends it by accepting it, with a token that only
 * the machine that was answered has; the receipt is refused, and the machine boots its disk.
 * @device: NULL if unknown
 * @job: the device's newest job, ended or not; NULL if it never had one
 * @decision: reply is an answer
 */
void decide_request(const struct device *device, const struct job *job,
                    const struct request_facts *facts, struct decision *decision);

/**
 * Answers an agent that asks for its work. The reply is a details message, in
 * which the caller fills in the key=value strings if its job is not 0.
 * @device, @job: as above
 */
void decide_query(const struct device *device, const struct job *job, enum proof proof,
                  int64_t now, struct decision *decision);

/**
 * Takes an NBP's or an agent's report. A repeated one is acknowledged again; one that
 * does not fit the job's state is refused, with the reason in the receipt.
 * @job: the job that the report names; NULL if there is none
 */
void decide_report(const struct device *device, const struct job *job,
                   const struct report_facts *facts, struct decision *decision);

/** Ends a job that is begun and overdue; there is no reply. */
void decide_overdue(const struct job *job, int64_t now, struct decision *decision);

#endif
