/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_INDEX_INDEX_INTERNAL_H
#define SERVER_INDEX_INDEX_INTERNAL_H

#include "server/index/index.h"
#include "server/index/index_arena.h"
#include "server/index/index_table.h"
#include "server/store/store.h"

/* How the index is kept. For index_*.c and their tests alone. */

#define UUID_SIZE 16
#define MAC_SIZE  6

/* --- a device -------------------------------------------------------------- */

enum entry_flag {
	ENTRY_MAC = 1,        /* it was registered with one */
	ENTRY_MORE_MACS = 2,  /* its block has more */
	ENTRY_CLAIM_UUID = 4, /* its block has the claim's */
	ENTRY_CLAIM_MAC = 8,
	ENTRY_OPEN_JOB = 16,
	ENTRY_CARDS = 32,     /* its block has some */
};

/* What all devices have: one line of the processor's cache. Its block follows it. */
struct entry {
	uint8_t uuid[UUID_SIZE]; /* zeros: none */
	uint8_t isd[UUID_SIZE];
	uint32_t id;
	uint32_t folder;         /* its id; 0: in none */
	uint32_t added;          /* Unix time */
	uint16_t mark_length;
	uint64_t mark_hash;
	uint8_t mac[MAC_SIZE];   /* the first; zeros: none */
	uint8_t last_job_of;       /* enum job_state */
	uint8_t flags;
};

_Static_assert(sizeof(struct entry) == 64, "an entry fits a cache line");

/*
 * What devices have in different numbers, one after the other: assignments,
 * groups, sessions, pasts; the claim's UUID and MAC if there are any, the MACs but
 * the first; name and settings, each setting as its index and its value; where there
 * are cards, their number, a byte, and they.
 */
struct block {
	uint32_t size; /* bytes in all */
	uint16_t assignments, groups, sessions, pasts, settings; /* that one: bytes */
	uint8_t macs, name; /* MACs but the first; characters */
};

struct block_assignment {
	uint32_t id, until, added;
	uint32_t bundle_mode; /* bundle * 4 + mode */
};

/* A MAC that was found to be of the machine that has the device's UUID. */
struct block_card {
	uint8_t mac[MAC_SIZE];
	uint8_t serials[4]; /* serials_hash(), not aligned */
};

#define BLOCK_COUNT_MAX    4000  /* of each of the lists: 100 KiB in all */
#define BLOCK_SETTINGS_MAX 16000 /* bytes */

/* A session: its id * 2 + joined. */
#define SESSION_OF(id, joined) ((uint32_t)(id) * 2 + (joined))

/* A past: its id * 16 + of * 4 + enum past. */
#define PAST_OF(id, of, past) ((uint32_t)(id) * 16 + (uint32_t)(of) * 4 + (uint32_t)(past))

/** Returns where the lists of @block are. */
const struct block_assignment *block_assignments(const struct block *block);
const uint32_t *block_groups(const struct block *block);
const uint32_t *block_sessions(const struct block *block);
const uint32_t *block_pasts(const struct block *block);
/** @flags: of the entry */
const uint8_t *block_claim_uuid(const struct block *block);
const uint8_t *block_claim_mac(const struct block *block, uint8_t flags);
const uint8_t *block_macs(const struct block *block, uint8_t flags);
const char *block_name(const struct block *block, uint8_t flags);
const char *block_settings(const struct block *block, uint8_t flags);
const struct block_card *block_cards(const struct block *block, uint8_t flags, size_t *count);

/* --- the index ------------------------------------------------------------- */

/* Text for people, with a line for each thing that is wrong. */
struct warnings {
	char text[4096];
	size_t length;
};

/** Adds a line; when there are too many, says so and drops it. */
void warnings_add(struct warnings *warnings, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/** Adds all lines of @more. */
void warnings_add_all(struct warnings *warnings, const struct warnings *more);

struct index {
	struct policy *policy;
	size_t count;
	struct index_table ids, macs, uuids, isds;
	struct index_arena arena;   /* entries with their blocks, known by where they are */
	uint64_t seed[2];           /* of the hashes: what clients send must not collide */
	int64_t change;             /* the last that is in it */
	struct warnings policy_warnings, warnings;
};

static inline struct entry *index_at(const struct index *index, uint32_t number)
{
	return arena_at(&index->arena, number);
}

static inline const struct block *entry_block(const struct entry *entry)
{
	return (const struct block *)(entry + 1);
}

uint32_t index_hash_id(const struct index *index, uint32_t id);
uint32_t index_hash_mac(const struct index *index, const uint8_t mac[MAC_SIZE]);
uint32_t index_hash_uuid(const struct index *index, const uint8_t uuid[UUID_SIZE]);

/** Finds a device's number; 0: there is none. */
uint32_t index_number(const struct index *index, uint32_t id);

/**
 * Puts a device in, in place of what was there with the same id.
 * @entry, @block: are copied
 */
int index_put(struct index *index, const struct entry *entry, const struct block *block);
/** Takes one out; harmless if it is not there. */
void index_take(struct index *index, uint32_t id);

/** Replaces the policy, and keeps the warnings to be logged, unless they were logged before. */
void index_set_policy(struct index *index, struct policy *policy,
                      const struct warnings *warnings);

/* --- reading --------------------------------------------------------------- */

/** Begins a transaction that only reads, unless one is open. Returns whether it has. */
bool index_begin(struct store *store, int *rc);

/** Reads the policy. Returns 0 with *@policy to be freed, or an ERR_ value. */
int policy_read(struct store *store, struct policy **policy, struct warnings *warnings);
void policy_free(struct policy *policy);
/** Reads all of it but what counts in folders, and which folder is in which. */
int policy_read_rows(struct store *store, struct policy *policy, struct warnings *warnings);

/* What devices_read() calls for each device. Returns 0, or an ERR_ value to end it. */
typedef int device_sink(void *data, const struct entry *entry, const struct block *block);

/** Reads the devices with ids from @low to @high, in order. */
int devices_read(struct store *store, int64_t low, int64_t high, device_sink *sink, void *data,
                 struct warnings *warnings);

#endif
