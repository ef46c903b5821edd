/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_POLICY_IDENTIFY_H
#define SERVER_POLICY_IDENTIFY_H

#include "server/index/index.h"
#include "server/store/devices.h"

/* Which device a sender is. server/rules.md gives the rules, under "Who is who". */

/* What the database says of a machine that comes with a device's UUID and an unknown MAC. */
enum match {
	MATCH_UNCHECKED,     /* the database was not asked */
	MATCH_CARD,          /* another network card of the same machine: to be stored */
	MATCH_BORROWED_CARD, /* the same machine, with the network card of another device */
	MATCH_SHARED_UUID,   /* another machine, or one that cannot be distinguished from
	                        another: to be stored */
};

/* What a message reports of its sender. */
struct sender {
	const struct identity *identity;
	const uint8_t *isd; /* the device id in its image-safe data; NULL or zeros: unknown */
	const struct request *request; /* of a machine that asks for a job, whose MAC must match its
	                                  UUID; NULL: the message is an agent's, or an event, which
	                                  gives nobody anything that was not given before */
	enum match match;   /* what identify_match() found */
};

struct identification {
	bool known;
	struct device device;      /* if known */
	const struct entry *entry; /* likewise; valid until the index changes */
	char anomaly[REASON_SIZE]; /* what is odd about the identity, or "" */
	uint64_t conflicting;      /* the device whose image-safe data the machine must have got
	                              from elsewhere, or whose network card it has; 0: none */
	bool by_mac;               /* known by its MAC alone, though the device has a UUID: anybody
	                              can report that MAC, and job-by-mac says whether it gets a
	                              job */
	bool binds;                /* the first machine with this device id, or the first UUID that
	                              comes with this MAC: the binding is to be stored */
	bool undecided;            /* not known yet: its UUID is that of entry, but its MAC is not,
	                              so identify_match() is to be asked */
	bool no_admission;         /* not known, and not to be admitted by itself: it looks like a
	                              device that it is not, or reports nothing to identify it by */
	uint64_t compared;         /* the device with the same UUID that identify_with_store()
	                              compared it with; 0: none */
	struct identity identity;  /* what it reports, less what identifies nobody */
};

/**
 * Finds the device that @sender is: by device id if the hardware does not contradict that,
 * else by UUID, else by MAC. out->device stays as it is, for callers who need no copy of it.
 */
void identify_entry(const struct index *index, const struct sender *sender,
                    struct identification *out);

/**
 * Says whether @entry surely is @sender, since the device was registered with all that @sender
 * reports: then identify_entry() finds it, and no anomaly.
 */
bool identify_is(const struct index *index, const struct entry *entry,
                 const struct sender *sender);

/** As identify_entry(), with the device. */
void identify_machine(const struct index *index, const struct sender *sender,
                      struct identification *out);

/**
 * As identify_machine(), and where that leaves it undecided, asks the database. sender->match and
 * out->compared receive what came of that, for identify_store_match().
 * Returns 0, known or not, or the ERR_ values of store.h.
 */
int identify_with_store(struct store *store, const struct index *index, struct sender *sender,
                        struct identification *out);

/**
 * The same for a tool, which has no index of its own: reads into @index, which is new, what
 * @sender may be from @store first. Returns ERR_SPACE if there is not enough memory.
 */
int identify_without_index(struct store *store, struct index *index, struct sender *sender,
                           struct identification *out);

/* --- identify_match.c ------------------------------------------------------ */

/**
 * Compares a machine that identify_entry() has left undecided with the device that has its UUID:
 * by serial numbers, and if these decide nothing, by which machine came first.
 * @who: what identify_entry() wrote
 * Returns 0, or the ERR_ values of store.h.
 */
int identify_match(struct store *store, const struct index *index, const struct sender *sender,
                   const struct identification *who, enum match *match);

/**
 * Stores what identify_with_store() found: the card, or that the UUID is shared, by which machines,
 * and an event of it. In a transaction.
 * @boot: the nonce
 */
int identify_store_match(struct store *store, const struct sender *sender,
                         const struct identification *who, int64_t now,
                         const uint8_t boot[NONCE_SIZE]);

#endif
