/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_INDEX_INDEX_H
#define SERVER_INDEX_INDEX_H

#include "server/index/catalog.h"
#include "server/model/device.h"
#include "server/model/job.h"

struct store;

/* A device or group with a higher id is left out, with a warning: SQLite gives ids in order, from
 * 1. */
#define INDEX_DEVICE_MAX 0xffffffffu

/*
 * The database in memory, as far as decisions need it. One thread loads it and
 * follows changes; others may look things up while it does not.
 *
 * It has the catalog, which is read anew as a whole, and devices, which are compact, found by
 * hashes, and read anew one by one.
 */

/* --- devices --------------------------------------------------------------- */

struct index; /* the whole */
struct entry; /* a device in it; valid until the index changes */

/** Makes an empty index. Returns NULL without memory. */
struct index *index_new(void);
void index_free(struct index *index);

const struct catalog *index_catalog(const struct index *index);
size_t index_count(const struct index *index);
/** Returns the bytes of memory that the devices take. */
size_t index_memory(const struct index *index);

/** Finds a device; NULL if there is none. What it is bound to counts after what was registered. */
const struct entry *index_by_id(const struct index *index, uint64_t id);
const struct entry *index_by_mac(const struct index *index, const uint8_t mac[6]);
const struct entry *index_by_uuid(const struct index *index, const uint8_t uuid[16]);
const struct entry *index_by_isd(const struct index *index, const uint8_t isd[16]);

/*
 * A device that is looked for soon. Memory is slow, so each step has the processor fetch
 * what the next one will read: best the same step for many devices, then the next.
 */
struct index_prefetch {
	const uint8_t *isd, *uuid, *mac; /* what it may be found by; the first two NULL: not */
	const struct entry *entry;       /* in the end: it, or one with the same hash; NULL: none */
	/* The steps' own: */
	int key;
	uint32_t hash;
	const struct index_table *table; /* NULL: there is nothing more to fetch */
};

#define INDEX_PREFETCH_STEPS 2 /* that are of use to nearly all, after the first */

/** Takes the first step; the keys must be there until the last. */
void index_prefetch_begin(const struct index *index, struct index_prefetch *prefetch);
/** Takes the next one; harmless after the last. */
void index_prefetch_next(const struct index *index, struct index_prefetch *prefetch);

/** Writes what is known of a device itself. */
void entry_device(const struct entry *entry, struct device *device);
uint64_t entry_id(const struct entry *entry);
const char *entry_name(const struct entry *entry);
/** Says whether it was registered with a MAC address. */
bool entry_has_mac(const struct entry *entry);
/** Says whether it is bound to one. */
bool entry_has_bound_mac(const struct entry *entry);

/** Returns the UUID that it has, registered or else bound; NULL: none. */
const uint8_t *entry_uuid(const struct entry *entry);

/* What a MAC address is to a device. */
enum mac_owner {
	MAC_UNKNOWN,  /* nothing says that it is this machine's */
	MAC_OF_CARD,  /* it came with the UUID, and was found to be */
	MAC_BOUND,    /* the device is bound to it; another one may be registered with it */
	MAC_REGISTERED,
};
/**
 * Says what @mac is to a device. Zeros stand for a MAC that was not reported.
 * @serials: a card counts only if it came with these, serials_hash(); NULL: with any
 */
enum mac_owner entry_mac(const struct entry *entry, const uint8_t mac[6], const uint32_t *serials);
/** Say whether it was registered with this as its UUID, or as the first of its MACs. */
bool entry_is_uuid(const struct entry *entry, const uint8_t uuid[16]);
bool entry_is_mac(const struct entry *entry, const uint8_t mac[6]);
/** The same of its device id. */
bool entry_is_isd(const struct entry *entry, const uint8_t isd[16]);
/** NULL: it is in none. */
const struct folder *entry_folder(const struct index *index, const struct entry *entry);
/** Returns the settings that count for it: its folder's where they are, or @room, filled in. */
const struct settings *entry_settings(const struct index *index, const struct entry *entry,
                                      struct settings *room);

/** Says whether it has a job that is not ended. */
bool entry_has_open_job(const struct entry *entry);
/** Says how its newest job ended; JOB_PENDING: it never had any. */
enum job_state entry_last_job(const struct entry *entry);

/** Writes its groups' ids, at most @max. Returns how many. */
size_t entry_groups(const struct entry *entry, uint64_t *ids, size_t max);
/** Writes its own assignment at @i, from 0, by id. Returns false past the last. */
bool entry_assignment(const struct index *index, const struct entry *entry, size_t i,
                      struct assignment *assignment);
/** Writes the sessions that it is a member of, at most @max. Returns how many. */
size_t entry_multicasts(const struct index *index, const struct entry *entry,
                        struct membership *memberships, size_t max);

/* How the newest job that a device had from one source has ended. */
enum outcome {
	OUTCOME_NONE, /* there was none, or it is under way */
	OUTCOME_DONE, OUTCOME_CANCELLED, OUTCOME_FAILED,
};
/* The kinds of sources. */
enum outcome_of { OUTCOME_OF_ASSIGNMENT, OUTCOME_OF_BUNDLE, OUTCOME_OF_MULTICAST };

enum outcome entry_outcome(const struct entry *entry, enum outcome_of of, uint64_t id);

/*
 * Room in an entry for its users, which the index clears when it reads a device
 * anew. Threads that look things up may read and write it at the same time.
 */
struct mark {
	uint64_t hash;
	uint16_t length;
};
struct mark entry_mark(const struct entry *entry);
void entry_set_mark(const struct entry *entry, struct mark mark);

/* --- loading --------------------------------------------------------------- */

/**
 * Reads all of the database into @index, which is empty. Returns 0, ERR_SPACE
 * without memory, or the ERR_ values of store.h.
 */
int index_load(struct index *index, struct store *store);

/** Reads one device and the catalog only: for a tool that asks of nothing else. */
int index_load_device(struct index *index, struct store *store, uint64_t device);

/**
 * Puts in a device that the database does not have, in no folder: for a tool that asks what
 * would be if it had. Returns 0 or ERR_SPACE.
 */
int index_add_device(struct index *index, const struct device *device);

/** Likewise sets how the job that a device had from one source has ended. Returns 0 or
 *  ERR_SPACE. */
int index_add_outcome(struct index *index, uint64_t device, enum outcome_of of, uint64_t id,
                      enum outcome outcome);

/** Likewise sets the state of a session; harmless if it is not there. */
void index_set_state(struct index *index, uint64_t multicast, enum session_state state);

/* What has changed since the last time, read but not yet in the index. */
struct changes;

/**
 * Reads what has changed since the last time. Cheap where nothing has, and writes
 * nothing. Nothing of the index changes, so others may use it meanwhile.
 * A transaction that is open must not have written: it may yet be given up.
 * @changes: receives them; NULL where there are none
 * Returns 0, ERR_VERSION if the database is older than the index, ERR_SPACE, or the ERR_ values
 * of store.h.
 */
int index_read_changes(const struct index *index, struct store *store, struct changes **changes);

/**
 * Puts @changes into @index and frees them. Nobody may be looking things up.
 * After it, all entries and what index_catalog() gave are no longer valid.
 * Returns 0, or ERR_SPACE without memory: then the index lacks something, and is
 * to be loaded anew.
 */
int index_apply(struct index *index, struct changes *changes);

/** Frees changes that are not to be put in. */
void changes_free(struct changes *changes);

/**
 * Deletes the records of changes that are in @index from the database: best in a
 * transaction that writes anyhow, once in a while.
 */
int index_forget_changes(const struct index *index, struct store *store);

/**
 * Returns what was wrong in what was read last, and therefore was left out: a
 * line each, for people; mostly "". Valid until the index changes.
 */
const char *index_warnings(const struct index *index);

#endif
