/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_DEVICES_H
#define SERVER_STORE_DEVICES_H

#include "server/model/device.h"
#include "server/store/store.h"

/* Functions return 0 or the ERR_ values of store.h. */

/** Finds a device by its id, by its name, or by what it is known by. */
int device_by_id(struct store *store, uint64_t id, struct device *device);
int device_by_name(struct store *store, const char *name, struct device *device);
int device_by_mac(struct store *store, const uint8_t mac[6], struct device *device);
int device_by_uuid(struct store *store, const uint8_t uuid[16], struct device *device);
int device_by_isd(struct store *store, const uint8_t isd[16], struct device *device);

/** Adds a device and its @mac_count addresses; sets @device->id. In a transaction. */
int device_add(struct store *store, struct device *device, const uint8_t (*macs)[6],
               size_t mac_count);

/**
 * Stores what @device is known by: UUID, device id and MACs. Who claimed it is forgotten.
 * In a transaction.
 */
int device_change(struct store *store, const struct device *device, const uint8_t (*macs)[6],
                  size_t mac_count);

/** Forgets the machine that claimed a device, and its cards. In a transaction. */
int device_release(struct store *store, uint64_t id);

int device_rename(struct store *store, uint64_t id, const char *name);

/** Removes a device and all that belongs to it. */
int device_remove(struct store *store, uint64_t id);

/** Reads up to DEVICE_MACS_MAX addresses of a device. */
int device_macs(struct store *store, uint64_t id, uint8_t (*macs)[6], size_t *count);

/* What device_row() takes, first in a SELECT. */
#define DEVICE_COLUMNS \
	"device.id, device.name, device.uuid, device.isd, device.claim_uuid, device.claim_mac," \
	" device.added"

/** Starts a list of all devices by name; take each with device_row(). */
int device_list(struct store *store, struct store_rows **rows);
void device_row(struct store_rows *row, struct device *device);

/**
 * Starts a list of the MACs of devices that are known by nothing else, a device's one after the
 * other; take each with device_mac_row().
 */
int device_list_mac_only(struct store *store, struct store_rows **rows);
void device_mac_row(struct store_rows *row, char name[NAME_SIZE], uint8_t mac[6]);

/* Which devices to list; zeros: all, by name. */
struct device_filter {
	uint64_t folder; /* those in it and below it */
	uint64_t group;  /* those in it */
	bool seen;       /* those that ever asked, the last one first */
};

/** Starts a list of such devices; take each with device_row(). */
int device_select(struct store *store, const struct device_filter *filter,
                  struct store_rows **rows);

/**
 * Keeps which machine came first with the device id of @device, or with its MAC.
 * @identity: MAC and UUID of that machine, as far as they identify it; zeros: neither
 */
int device_bind(struct store *store, const struct device *device,
                const struct identity *identity);

/* What a device's last request said. */
struct seen {
	int64_t time; /* Unix time; 0: never */
	char address[64];
	struct message request; /* its nonce is the boot's */
};

/**
 * Keeps a request, if that is news or the last is a minute old.
 * @datagram: as it came, and sound
 */
int device_seen(struct store *store, uint64_t id, int64_t time, const char *address,
                const uint8_t *datagram, size_t length);
/** Reads the last; seen->time is 0 where there is none. */
int device_last_seen(struct store *store, uint64_t id, struct seen *seen);

/** Notes that @device has become one by itself, at @time. */
int device_admitted(struct store *store, uint64_t device, int64_t time);
/** Counts those that have, and are still there. */
int device_admissions(struct store *store, int64_t *count);

#endif
