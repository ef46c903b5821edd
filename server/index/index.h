/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_INDEX_INDEX_H
#define SERVER_INDEX_INDEX_H

#include "server/filter/filter.h"
#include "server/model/assignment.h"
#include "server/model/device.h"
#include "server/model/folder.h"
#include "server/model/job.h"
#include "server/model/rule.h"
#include "server/model/session.h"
#include "server/model/settings.h"
#include "server/model/uuid.h"

struct store;

/* Ids above these are left out, with a warning: SQLite gives them in order, from 1. */
#define INDEX_DEVICE_MAX 0xffffffffu /* of devices and groups */
#define INDEX_PAST_MAX   0x0fffffffu /* of folders, bundles, assignments and sessions */

/*
 * The database in memory, as far as decisions need it. One thread loads it and
 * follows changes; others may look things up while it does not.
 *
 * What many machines share, the policy, is small and read anew as a whole when
 * any of it changes; devices are compact, found by hashes, and read anew one by one.
 */

/* --- policy ---------------------------------------------------------------- */

struct policy {
	struct settings settings;  /* global's: of devices in no folder, and of unknown machines */
	struct folder *folders;    /* by id */
	struct settings *folder_settings; /* of folders at which something is set */
	struct group *groups;      /* by id */
	struct bundle *bundles;    /* by id */
	struct rule *rules;        /* in their order */
	struct session *multicasts; /* by id */
	struct assignment *assignments; /* all but devices': as policy_assignments() gives them */
	size_t folder_count, group_count, bundle_count, rule_count, multicast_count;
	size_t assignment_count;
	struct uuid_record *uuids;   /* by UUID */
	size_t uuid_count;
	struct mac_prefix shared_macs[SHARED_MACS_MAX];
	size_t shared_mac_count;
	bool rules_for_known, rules_for_unknown; /* there are any that are enabled */
};

/** Finds one by its id; NULL if there is none. */
const struct folder *policy_folder(const struct policy *policy, uint64_t id);
const struct group *policy_group(const struct policy *policy, uint64_t id);
const struct bundle *policy_bundle(const struct policy *policy, uint64_t id);
const struct session *policy_multicast(const struct policy *policy, uint64_t id);

/** Says what is known of @uuid. */
enum uuid_state policy_uuid(const struct policy *policy, const uint8_t uuid[16]);
/** Says whether @mac belongs to a dock or an adapter, not to a machine. */
bool policy_mac_shared(const struct policy *policy, const uint8_t mac[6]);

/** Returns the assignments of a group, a folder or global, @owner 0, by id. */
const struct assignment *policy_assignments(const struct policy *policy, enum level level,
                                            uint64_t owner, size_t *count);

/* --- devices --------------------------------------------------------------- */

struct index; /* the whole */
struct entry; /* a device in it; valid until the index changes */

/** Makes an empty index. Returns NULL without memory. */
struct index *index_new(void);
void index_free(struct index *index);

const struct policy *index_policy(const struct index *index);
size_t index_count(const struct index *index);
/** Returns the bytes of memory that the devices take. */
size_t index_memory(const struct index *index);

/** Finds a device; NULL if there is none. Claims count as identity, after what was registered. */
const struct entry *index_by_id(const struct index *index, uint64_t id);
const struct entry *index_by_mac(const struct index *index, const uint8_t mac[6]);
const struct entry *index_by_uuid(const struct index *index, const uint8_t uuid[16]);
const struct entry *index_by_isd(const struct index *index, const uint8_t isd[16]);

/*
 * A device that is looked for soon. Memory is slow, so each step has the processor fetch
 * what the next one will read: best the same step for many devices, then the next.
 */
struct index_ahead {
	const uint8_t *isd, *uuid, *mac; /* what it may be found by; the first two NULL: not */
	const struct entry *entry;       /* in the end: it, or one with the same hash; NULL: none */
	/* The steps' own: */
	int key;
	uint32_t hash;
	const struct index_table *table; /* NULL: there is nothing more to fetch */
};

#define INDEX_AHEAD_STEPS 2 /* that are of use to nearly all, after the first */

/** Takes the first step; the keys must be there until the last. */
void index_ahead_begin(const struct index *index, struct index_ahead *ahead);
/** Takes the next one; harmless behind the last. */
void index_ahead_next(const struct index *index, struct index_ahead *ahead);

/** Writes what is known of a device itself. */
void entry_device(const struct entry *entry, struct device *device);
uint64_t entry_id(const struct entry *entry);
const char *entry_name(const struct entry *entry);
/** Says whether it was registered with a MAC address. */
bool entry_has_mac(const struct entry *entry);
/** Says whether it was claimed with one. */
bool entry_has_claim_mac(const struct entry *entry);

/** Returns the UUID that it has, registered or else claimed; NULL: none. */
const uint8_t *entry_uuid(const struct entry *entry);

enum mac_of {
	MAC_STRANGE,    /* nothing says that it is this machine's */
	MAC_OF_CARD,    /* it came with the UUID, and was found to be */
	MAC_CLAIMED,    /* it came when the device was claimed; another one may be registered with it */
	MAC_REGISTERED,
};
/**
 * Says what @mac is to a device. Zeros stand for a MAC that was not reported.
 * @serials: a card counts only if it came with these, serials_hash(); NULL: with any
 */
enum mac_of entry_mac_of(const struct entry *entry, const uint8_t mac[6], const uint32_t *serials);
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

/** Says whether it has work that is not ended. */
bool entry_has_open_job(const struct entry *entry);
/** Says how its newest work ended; JOB_PENDING: it never had any. */
enum job_state entry_last_job(const struct entry *entry);

/** Writes its groups' ids, at most @max. Returns how many. */
size_t entry_groups(const struct entry *entry, uint64_t *ids, size_t max);
/** Writes its own assignment at @i, from 0, by id. Returns false behind the last. */
bool entry_assignment(const struct index *index, const struct entry *entry, size_t i,
                      struct assignment *assignment);
/** Writes the sessions that it is a member of, at most @max. Returns how many. */
size_t entry_multicasts(const struct index *index, const struct entry *entry,
                        struct membership *memberships, size_t max);

/* What became of the work that a device had from one source. */
enum past {
	PAST_NONE, /* it had none, or it is under way */
	PAST_DONE, PAST_CANCELLED, PAST_FAILED, /* how the last one ended */
};
enum past_of { PAST_OF_ASSIGNMENT, PAST_OF_BUNDLE, PAST_OF_MULTICAST };

enum past entry_past(const struct entry *entry, enum past_of of, uint64_t id);

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

/** Reads one device and the policy only: for a tool that asks of nothing else. */
int index_load_device(struct index *index, struct store *store, uint64_t device);

/**
 * Puts in a device that the database does not have, in no folder: for a tool that asks what
 * would be if it had. Returns 0 or ERR_SPACE.
 */
int index_put_new(struct index *index, const struct device *device);

/** Likewise says what became of a device's work. Returns 0 or ERR_SPACE. */
int index_put_past(struct index *index, uint64_t device, enum past_of of, uint64_t id,
                   enum past past);

/** Likewise says what a session is, harmless if it is not there. */
void index_put_state(struct index *index, uint64_t multicast, enum session_state state);

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
 * After it, all entries and what index_policy() gave are no longer valid.
 * Returns 0, or ERR_SPACE without memory: then the index lacks something, and is
 * to be loaded anew.
 */
int index_apply(struct index *index, struct changes *changes);

/** Frees changes that are not to be put in. */
void changes_free(struct changes *changes);

/**
 * Deletes the notes of changes that are in @index from the database: best in a
 * transaction that writes anyhow, once in a while.
 */
int index_forget_changes(const struct index *index, struct store *store);

/**
 * Returns what was wrong in what was read last, and therefore was left out: a
 * line each, for people; mostly "". Valid until the index changes.
 */
const char *index_warnings(const struct index *index);

#endif
