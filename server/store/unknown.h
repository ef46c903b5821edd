/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_UNKNOWN_H
#define SERVER_STORE_UNKNOWN_H

#include "server/store/devices.h"
#include "server/store/uuids.h"

/*
 * Machines that ask and are no devices, known by MAC and UUID together. Functions
 * return 0 or the ERR_ values of store.h.
 */

#define UNKNOWNS_MAX 10000 /* the ones not seen for longest make room */

struct unknown {
	uint64_t id;
	uint8_t mac[6];
	uint8_t uuid[16];          /* zeros: not reported */
	int64_t first, last;       /* Unix times of its requests */
	uint64_t boots;
	char address[64];          /* of the last request */
	char outcome[REASON_SIZE]; /* what the server answered, and why */
	struct message request;    /* the last */
	uint8_t datagram[MESSAGE_MAX]; /* the same as it came, without padding */
	size_t length;
};

/**
 * Keeps a request of one; where there are too many then, those not seen for longest go.
 * @datagram: as it came, and sound
 */
int unknown_seen(struct store *store, const struct identity *identity, int64_t time,
                  const char *address, const char *outcome, const uint8_t *datagram,
                  size_t length);

/** Starts a list, those seen last first; take each with unknown_row(). */
int unknown_list(struct store *store, struct store_rows **rows);
/** The same of those with this MAC, or this UUID. */
int unknown_by_mac(struct store *store, const uint8_t mac[6], struct store_rows **rows);
int unknown_by_uuid(struct store *store, const uint8_t uuid[16], struct store_rows **rows);
void unknown_row(struct store_rows *row, struct unknown *unknown);

/** The same of those seen at @since or later, the oldest first. */
int unknown_list_since(struct store *store, int64_t since, struct store_rows **rows);

/** Finds the one with this MAC and this UUID. */
int unknown_find(struct store *store, const struct identity *identity,
                  struct unknown *unknown);

int unknown_remove(struct store *store, uint64_t id);
/** Removes all; *@count receives how many there were. */
int unknown_remove_all(struct store *store, uint64_t *count);

/** Reads when the one that has not asked for the longest time did last; unchanged: there is none. */
int unknown_oldest(struct store *store, int64_t *time);
/** Reads when one asked last, Unix time; 0: there is none. */
int unknown_newest(struct store *store, int64_t *time);

/** Forgets those last seen before @time, Unix time. */
int unknown_expire(struct store *store, int64_t time);

/** Writes the name that it gets as a device unless another one is given: "pc-525400123456". */
void unknown_name(const struct unknown *unknown, char name[NAME_SIZE]);

/* --- admission.c ----------------------------------------------------------- */

/* What an unknown machine would be known by as a device. */
struct admission {
	const struct unknown *unknown; /* must stay for as long */
	bool by_uuid;                    /* its UUID */
	enum uuid_state state;           /* what is known of that */
	bool doubtful;                   /* which others came with, that are or may be other
	                                    machines: it will count for nobody */
	uint8_t macs[DEVICE_MACS_MAX][6]; /* its MAC, and those of its other cards */
	size_t mac_count;                /* 0, and no UUID: it cannot be admitted */
	char mac_of[NAME_SIZE];          /* the device that has its MAC, or "" */
	char name[NAME_SIZE];            /* of the device, unless another one is given */
};

/** Says whether global's shared-macs name @mac, so that it identifies nobody. */
int mac_is_shared(struct store *store, const uint8_t mac[6], bool *shared);

/**
 * Says what @unknown machine would be known by. Others with the same UUID are its other network
 * adapters where serial numbers say so; else the UUID is that of nobody.
 */
int unknown_weigh(struct store *store, const struct unknown *unknown,
                   struct admission *admission);

/** Writes a name that no device has: "pc-525400123456", or that with "-2" and so on. */
int unknown_free_name(struct store *store, const struct admission *admission,
                       char name[NAME_SIZE]);

/**
 * Makes a device of it, with its last request, and forgets the unknown machine.
 * @device: name and added say what they are to be; receives the rest
 * ERR_REFUSED: a device has that name or UUID. In a transaction.
 */
int unknown_admit(struct store *store, const struct admission *admission,
                   struct device *device);

#define UUIDS_DOUBTED_MAX 4096 /* so many are marked as shared because of unknown machines, at most */

/**
 * Marks the UUID that an unknown machine reports as shared, where another one with it is, or may
 * be, another machine. It looks at no more than a few of them.
 */
int unknown_doubt(struct store *store, const struct identity *identity, int64_t now);

/** Says in @shares whether it would; where the UUID is marked already, or a device's: no. */
int unknown_shares(struct store *store, const struct unknown *unknown, bool *shares);

/* --- unknown_note.c ------------------------------------------------------- */

/**
 * Says what an administrator should know before the machine becomes a device: that its UUID is
 * shared, ignored, or that of a device in the other byte order; or that its MAC is that of a
 * device with another UUID. @note receives "" where nothing is odd.
 */
int unknown_note(struct store *store, const struct unknown *unknown, char note[REASON_SIZE]);

#endif
