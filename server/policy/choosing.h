/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_POLICY_CHOOSING_H
#define SERVER_POLICY_CHOOSING_H

#include "nbp/proto/text.h"
#include "server/policy/choose.h"

/* What choose*.c share: a choice while it is being made. */

#define HAD_MAX 64

/* Who is asked about, and what has come of it so far. */
struct choosing {
	const struct chooser *who;
	const struct policy *policy;
	struct choice *choice;
	void (*tell)(void *data, const struct candidate *candidate);
	void *data;
	const struct bundle *had[HAD_MAX]; /* of assignments that count */
	size_t had_count;
	const struct rule *matched;        /* the first that did */
	struct candidate candidate;        /* the one being looked at */
};

/** Starts with a candidate, whose origin the caller adds if it is taken or there is a tell(). */
void choosing_begin(struct choosing *c, enum source source, uint64_t id,
                    const struct bundle *bundle);

/** Says why the candidate is taken or passed over. Returns false, for the latter. */
bool choosing_pass(struct choosing *c, const char *format, ...) TEXT_FORMAT(2, 3);

/**
 * Passes the candidate over for what has become of it before, and says what helps.
 * @done: the reason if it is done
 */
bool choosing_had(struct choosing *c, enum past past, const char *done);

/** Says whether nobody wants to know of more candidates. */
bool choosing_over(const struct choosing *c);

/** Says whether one before the candidate is taken, which ends the matter. */
bool choosing_late(struct choosing *c);

/** Says whether the candidate can be done on this firmware; if not, that is its reason. */
bool choosing_loader(struct choosing *c);

/**
 * Closes the candidate.
 * @noted: if it is not taken, that is worth telling where nothing is
 */
void choosing_end(struct choosing *c, bool take, bool noted);

/* The kinds of candidates. The first two need a device. */
void choose_sessions(struct choosing *c);
void choose_assignments(struct choosing *c);
void choose_rules(struct choosing *c);

#endif
