/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_POLICY_EVALUATE_H
#define SERVER_POLICY_EVALUATE_H

#include "server/policy/choose.h"
#include "server/policy/decide.h"
#include "server/policy/identify.h"
#include "server/store/unknown.h"

/*
 * What a request comes to, from the index and the database: the work that there is, or
 * is to be, and the answer. prebootd answers by it, and "prebootctl explain" tells by it, so
 * both go the same way from who asks, identify_weighed(), to what that machine gets.
 */

/* Why a machine does not get, or become, what was chosen for it. */
enum withheld {
	WITHHELD_NOT,
	WITHHELD_NAMELESS, /* nothing that it tells would make it known again as a device */
	WITHHELD_TOTAL,    /* as many unknown machines are devices as admit-limit lets */
	WITHHELD_RATE,     /* too many became devices just now */
	WITHHELD_HOURLY,   /* it has had JOB_HOURLY jobs within an hour */
};

/* Who asks, and when. */
struct asker {
	const struct request *request;     /* NULL: it never did */
	const char *address;               /* as struct chooser's */
	const uint8_t *nonce;              /* of the boot; NULL: of one that is to come */
	int64_t now;                       /* Unix time */
	const struct identified *who;
	const struct unknown *unknown;   /* the same as an unknown machine; NULL if it is known */
	/* Called for each candidate, as choose() does it, also where there is open work; NULL: none
	 * is looked at that need not be. */
	void (*tell)(void *data, const struct candidate *candidate);
	/* Called last for an unknown machine that is to become a device; NULL: it may. */
	bool (*may_admit)(void *data);
	void *data;
};

/* What comes of it. */
struct ruling {
	struct choice choice;       /* new work, which is to be stored; its bundle NULL: none is, and
	                               why */
	bool admits;                /* the unknown machine is to become a device */
	struct admission admission; /* if so: known by what */
	enum withheld withheld;
};

/**
 * Decides on a request. Changes nothing. Of new work, decision->next is the job to be made,
 * which has no number yet. Where an unknown machine is to become a device without work, it may
 * have some as that: it is to be judged again when it is one.
 * @job: the newest of the device, ended or not; NULL: it never had one
 * @decision: reply is an answer
 * Returns 0 or the ERR_ values of store.h.
 */
int evaluate_request(struct store *store, const struct index *index, const struct asker *asker,
                  const struct job *job, struct ruling *ruling, struct decision *decision);

/** Says, in static memory, why something is withheld. */
const char *withheld_reason(enum withheld withheld);

#endif
