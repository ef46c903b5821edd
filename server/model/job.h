/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_MODEL_JOB_H
#define SERVER_MODEL_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nbp/proto/message.h"
#include "server/model/loader.h"

/*
 * Work that happens once is a job. Its states:
 *
 *   pending -> offered -> begun -> done | failed
 *      any of the first three -> cancelled, by the administrator
 *      offered, begun -> offered (the next attempt) or failed
 *      failed -> done, if only the server had given it up, and its machine had not
 */
enum job_state {
	JOB_PENDING,   /* assigned, not yet accepted by the machine */
	JOB_OFFERED,   /* accepted by the machine's NBP; no agent has begun it */
	JOB_BEGUN,     /* the agent reported that it began */
	JOB_DONE,
	JOB_FAILED,
	JOB_CANCELLED,
};

/* What ends work that nobody cancels. */
enum ending {
	COMPLETION_AGENT,     /* an agent's report */
	COMPLETION_HANDOVER,  /* its loader gets the machine */
	COMPLETION_NEXT_BOOT, /* the machine boots again, having not come back before */
};

#define JOB_ATTEMPTS     3           /* offers, unless the work says otherwise */
#define JOB_ATTEMPTS_MAX 100
#define JOB_DEADLINE     (4 * 3600)  /* seconds from begun to its end, likewise */
#define JOB_DEADLINE_MAX (366 * 86400)

/* The last number that a job may have, also by an import: so there are enough behind any that
 * is imported, and JSON's other readers know them all exactly. */
#define JOB_NUMBER_MAX 999999999999999

struct job {
	uint64_t number;     /* never 0, never used again */
	uint64_t device;     /* whose work it is: a struct device's id */
	enum job_state state;
	uint32_t attempt;    /* the last that was accepted; 0: none yet */
	uint32_t attempts;   /* how many there may be */
	uint32_t deadline;   /* seconds allowed from begun to its end */
	int64_t assigned;    /* Unix times, seconds; 0: did not happen */
	int64_t offered;     /* the last attempt */
	int64_t begun;       /* likewise; 0 again with the next attempt */
	int64_t ended;
	uint8_t completion;  /* enum ending */
	bool given_up;       /* failed by the server, which only did not hear of its end */
	struct loaders loaders;
	char config[FILE_SIZE];
	char prefix[FILE_SIZE];      /* may be empty */
	char reason[REASON_SIZE];    /* of the end; may be empty */
};

/* What a job was made for. */
enum source { SOURCE_HAND, SOURCE_ASSIGNMENT, SOURCE_RULE, SOURCE_MULTICAST };

struct origin {
	uint64_t bundle;    /* 0: none, or it is no more */
	enum source source; /* SOURCE_HAND: the administrator added it */
	uint64_t source_id; /* of the assignment, rule or session; 0 with SOURCE_HAND */
};

/* The names of states, by value; NULL past the last. */
extern const char *const job_state_names[];

/** Returns the name of @state, in static memory. */
const char *job_state_name(enum job_state state);

/** Finds the state called @name. Returns 0 or ERR_NOT_FOUND. */
int job_state_parse(const char *name, enum job_state *state);

/* The names of what completes jobs, by value; NULL past the last. */
extern const char *const completion_names[];

/** Returns the name of @completion, in static memory; NULL past the last. */
const char *completion_name(size_t completion);

/** Finds what completes work by its name. Returns 0 or ERR_NOT_FOUND. */
int completion_parse(const char *name, uint8_t *completion);

/** Returns the name of @source, in static memory. */
const char *source_name(enum source source);

/** Finds the source called @name. Returns 0 or ERR_NOT_FOUND. */
int source_parse(const char *name, enum source *source);

/** Says whether work in @state may still happen. */
bool job_is_open(enum job_state state);

/** Says whether @job is begun and should have ended by @now. */
bool job_is_overdue(const struct job *job, int64_t now);

/**
 * Ends @job in @state for @reason, which is cut to fit.
 * @now: Unix time
 */
void job_end(struct job *job, enum job_state state, int64_t now, const char *reason);

#endif
