/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_UUIDS_H
#define SERVER_STORE_UUIDS_H

#include "server/model/serials.h"
#include "server/model/uuid.h"
#include "server/store/store.h"

/*
 * UUIDs that are not simply a machine's: what came of them, and what the administrator says.
 * Functions return 0 or the ERR_ values of store.h.
 */

/** Reads what is known of @uuid; state UUID_FREE where nothing is. */
int uuid_find(struct store *store, const uint8_t uuid[16], struct uuid_record *record);

/** Says what counts for it from now on. UUID_FREE forgets it, and its sightings. */
int uuid_set(struct store *store, const uint8_t uuid[16], enum uuid_state state, int64_t time);

/** Starts a list of all of them, by UUID; take each with uuid_row(). */
int uuid_list(struct store *store, struct store_rows **rows);
void uuid_row(struct store_rows *row, struct uuid_record *record);

/* --- what it came with ----------------------------------------------------- */

#define SIGHTINGS_MAX 16 /* of a UUID */
#define SIGHTINGS_ALL 20000

/* The table is called "witness". */
struct sighting {
	uint8_t mac[6]; /* zeros: not reported */
	struct serials serials;
	int64_t first, last; /* Unix times */
};

/** Adds what @uuid came with, if something is known of it. */
int sighting_add(struct store *store, const uint8_t uuid[16], const struct sighting *sighting);

/** Starts the list of a UUID's sightings, the first first. */
int sighting_list(struct store *store, const uint8_t uuid[16], struct store_rows **rows);
void sighting_row(struct store_rows *row, struct sighting *sighting);

/* --- cards ----------------------------------------------------------------- */

#define CARDS_MAX 16 /* of a device */

/*
 * A card is a MAC that came with a device's UUID and was found to be of that machine, though
 * it was not registered: it confirms the UUID, but identifies no device by itself.
 */
struct card {
	uint8_t mac[6]; /* zeros: not reported, or that of a dock */
	struct serials serials;
};

/** Stores a card of a device, or replaces the serial numbers it came with. */
int card_add(struct store *store, uint64_t device, const struct card *card, int64_t time);
/** Reads up to CARDS_MAX of them. */
int card_list(struct store *store, uint64_t device, struct card *cards, size_t *count);
/** Forgets all of a device. */
int card_forget(struct store *store, uint64_t device);

#endif
