/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_BUNDLES_H
#define SERVER_STORE_BUNDLES_H

#include "server/index/index.h"
#include "server/store/store.h"

/*
 * Named work, which jobs are made of; what a bundle is stands in index.h.
 * Functions return 0 or the ERR_ values of store.h.
 */

/** Returns the name of a kind as the database has it, NULL behind the last. */
const char *bundle_kind_name(enum bundle_kind kind);
/** Finds a kind by its name. Returns 0 or ERR_NOT_FOUND. */
int bundle_kind_parse(const char *name, enum bundle_kind *kind);
/** Returns the configuration file that a kind has unless told otherwise. */
const char *bundle_kind_config(enum bundle_kind kind);
/** Returns what completes work of a kind, likewise: an enum ending. */
uint8_t bundle_kind_completion(enum bundle_kind kind);

/* A bundle with all that belongs to it; details has only the key=value strings. */
struct bundle_whole {
	struct bundle bundle;
	struct details details;
	int64_t added; /* Unix time */
};

/**
 * Says whether an agent of any device can be told @details of work with this
 * configuration file. Returns 0 or ERR_SPACE.
 * @session: with what a multicast session adds to them
 */
int bundle_details_fit(const char *config, const struct details *details, bool session);

/**
 * Makes a job of a bundle for a machine with these settings: all but its number, its
 * device and its times.
 */
void job_of_bundle(const struct bundle *bundle, const struct settings *settings,
                  struct job *job);

int bundle_find(struct store *store, const char *name, struct bundle_whole *bundle);
int bundle_by_id(struct store *store, uint64_t id, struct bundle_whole *bundle);
/** Stores a new bundle; sets its id. */
int bundle_add(struct store *store, struct bundle_whole *bundle);
/** Stores all of a bundle but when it was added. */
int bundle_change(struct store *store, const struct bundle_whole *bundle);
/** Removes a bundle. ERR_REFUSED: an assignment, a rule or a session has it. */
int bundle_remove(struct store *store, uint64_t id);
/** Starts a list of all bundles by name; take each with bundle_row(). */
int bundle_list(struct store *store, sqlite3_stmt **rows);
void bundle_row(sqlite3_stmt *row, struct bundle_whole *bundle);

/* How many there are of what has to do with a bundle. */
struct bundle_uses {
	uint64_t assignments, rules, sessions; /* that have it */
	uint64_t open, done, failed;           /* jobs made of it */
};

int bundle_uses(struct store *store, uint64_t id, struct bundle_uses *uses);

#endif
