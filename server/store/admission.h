/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_ADMISSION_H
#define SERVER_STORE_ADMISSION_H

#include "server/store/devices.h"
#include "server/store/unknown.h"
#include "server/store/uuids.h"

/*
 * An unknown machine becomes a device. Functions return 0 or the ERR_ values of store.h.
 */

/* What an unknown machine would be known by as a device. */
struct admission {
	const struct unknown *unknown;    /* must stay for as long */
	bool by_uuid;                     /* its UUID */
	enum uuid_state state;            /* what is known of that */
	bool shared;                      /* other machines have come with that UUID, or may have:
	                                     it identifies nobody */
	uint8_t macs[DEVICE_MACS_MAX][6]; /* its MAC, and those of its other cards */
	size_t mac_count;                 /* 0, and no UUID: it cannot be admitted */
	char mac_of[NAME_SIZE];           /* the device that has its MAC, or "" */
	char name[NAME_SIZE];             /* of the device, unless another one is given */
};

/**
 * Says what @unknown machine would be known by. Others with the same UUID are its other network
 * adapters where serial numbers say so; else the UUID is that of nobody.
 */
int admission_evaluate(struct store *store, const struct unknown *unknown,
                       struct admission *admission);

/** Writes a name that no device has: "pc-525400123456", or that with "-2" and so on. */
int admission_free_name(struct store *store, const struct admission *admission,
                        char name[NAME_SIZE]);

/**
 * Makes a device of it, with its last request, and forgets the unknown machine.
 * @device: name and added say what they are to be; receives the rest
 * ERR_REFUSED: a device has that name or UUID. In a transaction.
 */
int admission_apply(struct store *store, const struct admission *admission,
                    struct device *device);

#define UUIDS_MARKED_MAX 4096 /* UUIDs marked because of unknown machines */

/**
 * Marks the UUID that an unknown machine reports as shared, where another one with it is, or may
 * be, another machine. It looks at no more than a few of them.
 */
int admission_mark_shared(struct store *store, const struct identity *identity, int64_t now);

/** Says in @shares whether admission_mark_shared() would mark it: no if it is marked already, or
 *  is that of a device. */
int admission_would_share(struct store *store, const struct unknown *unknown, bool *shares);

/**
 * Says what an administrator should know before the machine becomes a device: that its UUID is
 * shared, ignored, or that of a device in the other byte order; or that its MAC is that of a
 * device with another UUID. @note receives "" where nothing is odd.
 */
int admission_note(struct store *store, const struct unknown *unknown, char note[REASON_SIZE]);

#endif
