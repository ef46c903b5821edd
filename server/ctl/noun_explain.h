/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_CTL_NOUN_EXPLAIN_H
#define SERVER_CTL_NOUN_EXPLAIN_H

#include "server/ctl/ctl_machine.h"
#include "server/policy/evaluate.h"

/* What a machine would be answered, and why. */

struct explanation {
	struct ctl *ctl;
	int64_t now;
	struct seen_machine machine;
	const struct request *request; /* NULL: it never asked */
	const char *address;           /* that it asks from; NULL: the one that it asked from last */
	struct index *index;
	struct identification who;         /* who prebootd takes it for */
	bool known;                    /* a device, before it may become one */
	struct unknown unknown;      /* else: as which it asked */
	char note[3 * REASON_SIZE];    /* what is odd about who it is, or its job */
	char admitted[NAME_SIZE];      /* the device that an unknown machine becomes, or "" */
	struct job job;            /* number 0: it has no open job */
	struct origin origin;          /* of the open job */
	struct table table;            /* of candidates */
	json_t *candidates;
	json_t *made_by;               /* the rule that made the open job, compared; or null */
	struct evaluation evaluation;  /* what there is, where there is no open job */
	enum withheld withheld;        /* why what was chosen is not given */
	struct decision decision;
	bool gets_job;                     /* it gets some, and does not boot its disk */
	char loader[FILE_SIZE];        /* for its firmware, if that is known */
	char outcome[REASON_SIZE + 32];
	char last_boot[2 * REASON_SIZE + 32]; /* how it ended, or "" where that is plain */
};

/**
 * Fills in @e, which has ctl, now, machine, address, an empty table of four columns and an empty
 * array of candidates. Returns 0, or an exit status after saying why; either way the caller frees
 * index, candidates and made_by.
 */
int explain_answer(struct explanation *e);

#endif
