/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_IDENTIFY_H
#define SERVER_IDENTIFY_H

#include "devices.h"
#include "index.h"

/* Who speaks. README.md gives the rules, under "Who is who". */

/* What a message tells of its sender. */
struct sender {
	const struct identity *identity;
	const uint8_t *isd; /* the device id in its image-safe data; NULL or zeros: not told */
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
	bool claims;              /* the first machine with this device id: to be kept */
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
bool identify_is(const struct entry *entry, const struct sender *sender);

/** As identify_entry(), with the device. */
void identify_machine(const struct index *index, const struct sender *sender,
                      struct identified *out);

/**
 * The same for a tool, which has no index: reads what @sender may be from @store.
 * out->entry is NULL. Returns 0, known or not, ERR_SPACE without memory, or the
 * ERR_ values of store.h.
 */
int identify(struct store *store, const struct sender *sender, struct identified *out);

#endif
