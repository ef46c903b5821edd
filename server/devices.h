/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DEVICES_H
#define SERVER_DEVICES_H

#include "lease.h"
#include "store.h"

#define DEVICE_MACS_MAX 16

/* Functions return 0 or the ERR_ values of store.h. */

/** Says whether @name may name a device: [A-Za-z0-9][A-Za-z0-9._-]*, not digits only. */
bool device_name_ok(const char *name);

/**
 * Says whether @uuid tells machines apart: not all bytes the same, and not one
 * of the constants that makers forget to fill in.
 */
bool device_uuid_ok(const uint8_t uuid[16]);

/** Finds a device by its id, by its name, or by a MAC. */
int device_by_id(struct store *store, uint64_t id, struct device *device);
int device_by_name(struct store *store, const char *name, struct device *device);
int device_by_mac(struct store *store, const uint8_t mac[6], struct device *device);
int device_by_uuid(struct store *store, const uint8_t uuid[16], struct device *device);

/**
 * Finds who speaks: by UUID, else by MAC. The UUID is trusted more: a network
 * adapter may go from machine to machine. A device that has a UUID is therefore
 * not found by its MAC when another UUID is given.
 * @note: receives what is odd about it, or ""
 */
int device_identify(struct store *store, const struct identity *identity, struct device *device,
                    char *note, size_t note_size);

/** Adds a device and its @mac_count addresses; sets @device->id. In a transaction. */
int device_add(struct store *store, struct device *device, const uint8_t (*macs)[6],
               size_t mac_count);

/** Removes a device and all that belongs to it. */
int device_remove(struct store *store, uint64_t id);

/** Reads up to DEVICE_MACS_MAX addresses of a device. */
int device_macs(struct store *store, uint64_t id, uint8_t (*macs)[6], size_t *count);

/** Starts a list of all devices by name; take each with device_row(). */
int device_list(struct store *store, sqlite3_stmt **rows);
void device_row(sqlite3_stmt *row, struct device *device);

/* What a device's last request said. */
struct seen {
	int64_t time; /* 0: never */
	char address[32];
	struct request request;
};

/** Keeps what a request said, if that is news or the last is a minute old. */
int device_seen(struct store *store, uint64_t id, const struct seen *seen);
/** Reads it; seen->time is 0 where there is none. */
int device_last_seen(struct store *store, uint64_t id, struct seen *seen);

#endif
