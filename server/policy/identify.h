/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_POLICY_IDENTIFY_H
#define SERVER_POLICY_IDENTIFY_H

#include "server/index/index.h"
#include "server/store/devices.h"

/* Who sends a request. server/rules.md gives the rules, under "Who is who". */

/* What the database says of a machine that comes with a device's UUID and a strange MAC. */
enum weighed {
	WEIGHED_NOT,    /* nobody has looked */
	WEIGHED_CARD,   /* another card of the same machine: to be kept */
	WEIGHED_TAKEN,  /* the same machine, with the network adapter of another device */
	WEIGHED_SHARED, /* another machine, or one that cannot be told from it: to be kept */
};

/* What a message tells of its sender. */
struct sender {
	const struct identity *identity;
	const uint8_t *isd; /* the device id in its image-safe data; NULL or zeros: not told */
	const struct request *request; /* of a machine that asks for work, whose MAC is to vouch for
	                                  its UUID; NULL: an agent's, or an event, which nobody is
	                                  given anything for that was not given before */
	enum weighed weighed;          /* what weigh() said of the same */
};

struct identified {
	bool known;
	struct device device;     /* if known */
	const struct entry *entry; /* likewise; valid until the index changes */
	char note[REASON_SIZE];   /* what is odd about it, or "" */
	uint64_t suspect;         /* the device whose image-safe data it must have got from
	                             elsewhere, or whose network adapter it has; 0: none */
	bool by_mac;              /* known by its MAC alone, though the device has a UUID: anybody
	                             can say so, and work-by-mac says whether it gets work */
	bool claims;              /* the first machine with this device id, or the first UUID that
	                             comes with this MAC: to be kept */
	bool weigh;               /* not known yet: its UUID is that of entry, but its MAC is strange,
	                             so weigh() is to be asked */
	bool pretends;            /* not known, and not to be admitted by itself: it looks like a
	                             device that it is not, or tells nothing to know it by */
	struct identity identity; /* what it tells, less what identifies nobody */
};

/**
 * Finds who @sender is: by device id if the hardware does not speak against it,
 * else by UUID, else by MAC. out->device stays as it is, for who needs no copy of it.
 */
void identify_entry(const struct index *index, const struct sender *sender,
                    struct identified *out);

/**
 * Says whether @entry surely is who @sender is, since it was registered with all that is
 * told: then identify_entry() finds it, and nothing odd.
 */
bool identify_is(const struct index *index, const struct entry *entry,
                 const struct sender *sender);

/** As identify_entry(), with the device. */
void identify_machine(const struct index *index, const struct sender *sender,
                      struct identified *out);

/**
 * Says whose machine it is that identify_entry() has found to be weighed: of the device with its
 * UUID, by serial numbers, and where there are none by who came first.
 * @who: what identify_entry() wrote
 * Returns 0, or the ERR_ values of store.h.
 */
int weigh(struct store *store, const struct index *index, const struct sender *sender,
          const struct identified *who, enum weighed *weighed);

/* What a machine was weighed as. */
struct weighing {
	uint64_t device; /* the one that has its UUID; 0: it was not weighed */
	uint8_t mac[6];  /* what of its MAC counts */
};

/**
 * As identify_machine(), and where that leaves it open, weighs. sender->weighed receives the
 * outcome, which is for weigh_keep().
 * Returns 0, known or not, or the ERR_ values of store.h.
 */
int identify_weighed(struct store *store, const struct index *index, struct sender *sender,
                     struct identified *out, struct weighing *weighing);

/**
 * Keeps what was weighed: the card, or that the UUID is shared, by whom, and an event of it.
 * In a transaction.
 * @boot: the nonce
 */
int weigh_keep(struct store *store, const struct sender *sender, const struct weighing *weighing,
               int64_t now, const uint8_t boot[NONCE_SIZE]);

/**
 * The same for a tool, which has no index of its own: reads into @index, which is new, what
 * @sender may be from @store first. ERR_SPACE: there is not enough memory.
 */
int identify(struct store *store, struct index *index, struct sender *sender,
             struct identified *out);

#endif
