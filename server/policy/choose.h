/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_POLICY_CHOOSE_H
#define SERVER_POLICY_CHOOSE_H

#include "server/index/index.h"

/*
 * Chooses new work for a machine that has none open. In this order, and the
 * first that is to be taken counts:
 *
 *   1. multicast sessions it is a member of
 *   2. assignments: its own, its groups', its folder's and then those around it, the
 *      zone's; the oldest first at each of them. A bundle that it has had, or failed,
 *      by a nearer one is not given again by one further out.
 *   3. rules, for machines without an assignment. An assignment that has been done
 *      or has failed is one; one that is over, or not for the firmware, is none.
 *      The first rule that matches counts, also where it is not to be repeated;
 *      one whose bundle is not for the firmware does not match.
 *
 * The daemon and "prebootctl explain" call the same function.
 */

struct choice {
	const struct bundle *bundle; /* NULL: no work */
	enum source source;
	uint64_t source_id;
	char reason[REASON_SIZE];    /* one phrase: why this, or why nothing */
};

/* One that was looked at. */
struct candidate {
	enum source source;
	uint64_t id;
	const struct bundle *bundle;
	char origin[160];            /* "assigned to folder /site/lab, once" */
	bool taken;
	char reason[REASON_SIZE];    /* why it was, or why it was passed over */
};

/* Who asks. */
struct chooser {
	const struct index *index;
	const struct entry *entry;      /* NULL: an unknown machine */
	const struct request *request;  /* NULL: not known; then rules match nothing, and
	                                   any loader will do */
	const char *address;            /* that it asks from, as text; may be "" */
	int64_t now;                    /* Unix time */
};

/**
 * Chooses. Changes nothing.
 * @tell: called for each candidate in order, also those behind the one that is
 *        taken; NULL: stop at that one
 */
void choose(const struct chooser *who, struct choice *choice,
            void (*tell)(void *data, const struct candidate *candidate), void *data);

/**
 * Returns the loader that @bundle has for @firmware, where it says LOADER_OF_SETTINGS
 * that of @settings, or NULL where these are; "" if it is not for such firmware.
 */
const char *bundle_loader(const struct bundle *bundle, uint8_t firmware,
                          const struct settings *settings);

#endif
