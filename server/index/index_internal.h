/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_INDEX_INDEX_INTERNAL_H
#define SERVER_INDEX_INDEX_INTERNAL_H

#include "server/index/index.h"
#include "server/index/index_arena.h"
#include "server/index/index_table.h"
#include "server/index/warnings.h"
#include "server/store/store.h"

/* How the index is kept. For index_*.c and their tests alone. */

#define UUID_SIZE 16
#define MAC_SIZE  6

/* --- a device -------------------------------------------------------------- */

enum entry_flag {
	ENTRY_MAC = 1,        /* it was registered with one */
	ENTRY_MORE_MACS = 2,  /* its block has more */
	ENTRY_BOUND_UUID = 4, /* its block has the UUID that it is bound to */
	ENTRY_BOUND_MAC = 8,  /* and the MAC */
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
	uint8_t last_job;       /* enum job_state */
	uint8_t flags;
};

_Static_assert(sizeof(struct entry) == 64, "an entry fits a cache line");

/*
 * What devices have in different numbers, one after the other: assignments,
 * groups, sessions, outcomes; the UUID and MAC that it is bound to if there are any, the MACs but
 * the first; name and settings, each setting as its index and its value; where there
 * are cards, their number, a byte, and they.
 */
struct block {
	uint32_t size; /* bytes in all */
	uint16_t assignments, groups, sessions, outcomes, settings; /* that one: bytes */
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
#define PACK_SESSION(id, joined) ((uint32_t)(id) * 2 + (joined))

/* An outcome: its id * 16 + of * 4 + enum outcome. */
#define PACK_OUTCOME(id, of, outcome) \
	((uint32_t)(id) * 16 + (uint32_t)(of) * 4 + (uint32_t)(outcome))

/** Returns where the lists of @block are. */
const struct block_assignment *block_assignments(const struct block *block);
const uint32_t *block_groups(const struct block *block);
const uint32_t *block_sessions(const struct block *block);
const uint32_t *block_outcomes(const struct block *block);
/** @flags: of the entry */
const uint8_t *block_bound_uuid(const struct block *block);
const uint8_t *block_bound_mac(const struct block *block, uint8_t flags);
const uint8_t *block_macs(const struct block *block, uint8_t flags);
const char *block_name(const struct block *block, uint8_t flags);
const char *block_settings(const struct block *block, uint8_t flags);
const struct block_card *block_cards(const struct block *block, uint8_t flags, size_t *count);

/* --- the index ------------------------------------------------------------- */

struct index {
	struct catalog *catalog;
	size_t count;
	struct index_table ids, macs, uuids, isds;
	struct index_arena arena;   /* entries with their blocks, known by where they are */
	uint64_t seed[2];           /* of the hashes: what clients send must not collide */
	int64_t change;             /* the last that is in it */
	struct warnings catalog_warnings, warnings;
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
/** Removes one; harmless if it is not there. */
void index_remove(struct index *index, uint32_t id);

/** Replaces the catalog, and keeps the warnings to be logged, unless they were logged before. */
void index_set_catalog(struct index *index, struct catalog *catalog,
                      const struct warnings *warnings);

/* --- reading --------------------------------------------------------------- */

/** Begins a transaction that only reads, unless one is open. Returns whether it has. */
bool index_begin(struct store *store, int *rc);

/* What devices_read() calls for each device. Returns 0, or an ERR_ value to end it. */
typedef int device_sink(void *data, const struct entry *entry, const struct block *block);

/** Reads the devices with ids from @low to @high, in order. */
int devices_read(struct store *store, int64_t low, int64_t high, device_sink *sink, void *data,
                 struct warnings *warnings);

#endif
