/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_POLICY_CHOOSE_H
#define SERVER_POLICY_CHOOSE_H

#include "server/index/index.h"
#include "server/policy/identify.h"

/*
 * Chooses a new job for a machine that has none open. Candidates are looked at in this order,
 * and the first that applies is taken:
 *
 *   1. multicast sessions that the device is a member of
 *   2. assignments: the device's own, its groups', its folder's and then the folders around
 *      that, global ones; the oldest first at each level. A bundle that was done, or failed,
 *      by a nearer assignment is not given again by one further out.
 *   3. rules, for machines without an assignment. An assignment whose job is done or has failed
 *      still is one; an assignment that has ended, or is not for the firmware, is none.
 *      The first rule that matches counts, also where it is not to be repeated;
 *      a rule whose bundle is not for the firmware does not match.
 *
 * The daemon and "prebootctl explain" call the same function.
 */

/* What was chosen. */
struct selection {
	const struct bundle *bundle; /* NULL: no job */
	enum source source;
	uint64_t source_id;
	char reason[REASON_SIZE];    /* one phrase: why this one, or why none */
};

/* A session, an assignment or a rule that was looked at. */
struct candidate {
	enum source source;
	uint64_t id;
	const struct bundle *bundle;
	char origin[160];            /* "assigned to folder /site/lab, once" */
	bool taken;
	char reason[REASON_SIZE];    /* why it was taken or skipped */
};

/* A machine's request, as far as the policy is concerned. */
struct request_context {
	const struct index *index;
	const struct identification *who;
	const struct request *request;  /* NULL: not known; then no rule matches, and any loader
	                                   will do */
	const char *address;            /* that the machine asks from, as text; may be "" */
	int64_t now;                    /* Unix time */
	/* Called for each candidate in order, also those after the one that is taken. NULL: the
	 * search stops at that one. */
	void (*report)(void *data, const struct candidate *candidate);
	void *data;                     /* of the two functions here */
	/* The rest is for evaluate_request() alone. */
	const uint8_t *nonce;           /* of the boot; NULL: the boot is still to come */
	const struct unknown *unknown;  /* the machine, if it is unknown; else NULL */
	/* Called last for an unknown machine that is to be admitted; NULL: it may be. */
	bool (*may_admit)(void *data);
};

/** Chooses. Changes nothing in the index. */
void choose(const struct request_context *context, struct selection *selection);

/**
 * Returns the loader that @bundle has for machines of @kind, where it says LOADER_OF_SETTINGS
 * that of @settings, or NULL where these are; "" if it is not for such firmware.
 */
const char *bundle_loader(const struct bundle *bundle, enum loader_kind kind,
                          const struct settings *settings);

#endif
